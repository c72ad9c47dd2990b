import { InstancePreset, TenancyModel } from '../../lib/environment/environment';
import { InstancePlan, instancePlans } from '../../lib/environment/instance-plan';
import { InstancePlaces, placeInstances } from '../../lib/placement/instance-placement';
import { movedTenants } from '../../lib/placement/kept-choices';
import { Tenant } from '../../lib/tenant/tenant';
import { InstanceSharing, InstanceSize } from '../../lib/tenant/tenant-instance';
import { TenantTier } from '../../lib/tenant/tenant-limits';
import { example, tenants } from '../tenancy/environments';

function plansOf(given: Tenant[]): InstancePlan[] {
  return instancePlans(
    example({
      model: TenancyModel.INSTANCE_PER_TENANT,
      instances: { preset: InstancePreset.ECONOMY },
      tenants: given,
    }),
  );
}

function place(given: Tenant[], known: InstancePlaces = {}, tenantsPerCell = 15): InstancePlaces {
  return placeInstances(plansOf(given), tenantsPerCell, known);
}

const cellsOf = (places: InstancePlaces) => Object.values(places).map(({ cell }) => cell);

describe('tenants that share something', () => {
  test('fill one cell after the other, each with a priority of its own', () => {
    const places = place(tenants(32));

    expect(cellsOf(places).filter((cell) => cell === 1)).toHaveLength(15);
    expect(cellsOf(places).filter((cell) => cell === 2)).toHaveLength(15);
    expect(cellsOf(places).filter((cell) => cell === 3)).toHaveLength(2);
    const rules = Object.values(places).map(({ region, cell, priority }) => `${region} ${cell} ${priority}`);
    expect(new Set(rules).size).toBe(32);
    expect(Math.min(...Object.values(places).map(({ priority }) => priority!))).toBe(1);
  });

  test('stay where they are when others come, go, or change their order', () => {
    const all = tenants(20);
    const before = place(all);
    const changed = [...tenants(24).slice(20), ...all.slice(5)].reverse();

    const after = place(changed, before);

    for (const { id } of all) expect(after[id]).toEqual(before[id]);
  });

  test('take the room of one that went, but not its priority: its rule may still be there', () => {
    const before = place(tenants(15));
    const [, ...rest] = tenants(16);

    const after = place(rest, before);

    expect(after.t00015).toMatchObject({ region: 'eu-central-1', cell: 1, priority: 16 });
  });

  test('have cells in their own region only', () => {
    const abroad = tenants(3).map((tenant) => ({ ...tenant, id: `x${tenant.id}`, instance: { region: 'us-east-1' } }));

    const places = place([...tenants(2), ...abroad]);

    expect(places.xt00000).toMatchObject({ region: 'us-east-1', cell: 1, priority: 1 });
    expect(places.t00001).toMatchObject({ region: 'eu-central-1', cell: 1, priority: 2 });
  });
});

test('a tenant that shares nothing is in no cell', () => {
  const own = {
    network: InstanceSharing.OWN,
    loadBalancer: InstanceSharing.OWN,
    database: InstanceSharing.OWN,
  };

  expect(place(tenants(1, { instance: own }))).toEqual({
    t00000: { region: 'eu-central-1', network: 'own', database: 'own' },
  });
});

describe('a tenant that was given a place keeps it', () => {
  test('when the file is of a version that kept no more than its cell: then the rest is added', () => {
    const known = { t00000: { region: 'eu-central-1', cell: 4, priority: 7 } };

    expect(place(tenants(1), known).t00000).toEqual({ ...known.t00000, network: 'cell', database: 'cell' });
  });

  test.each([...Array(40).keys()])('whatever becomes of all others (history %i)', (seed) => {
    const random = randomFrom(seed);
    let known: InstancePlaces = {};
    for (let step = 0; step < 25; step++) {
      const given = shuffled(
        random,
        tenants(30).filter(() => random() < 0.6),
      ).map((tenant) => changed(random, tenant));
      const plans = plansOf(given);
      const moved = movedTenants(plans, known, 'places.json');
      const stay = plans.filter(({ tenant }) => !moved.some((text) => text.includes(`tenant ${tenant.id},`)));
      const after = placeInstances(stay, 1 + Math.floor(random() * 6), known);

      expect(after).toMatchObject(known);
      for (const { tenant, region, network, database } of stay) {
        expect(after[tenant.id]).toMatchObject({ region, network, database });
      }
      const rules = Object.values(after).flatMap(({ region, cell, priority }) =>
        cell ? [[region, cell, priority]] : [],
      );
      expect(new Set(rules.map(String)).size).toBe(rules.length);
      known = after;
    }
    expect(Object.keys(known).length).toBeGreaterThan(20);
  });
});

/** A tenant of another tier and size, and now and then of another region or with other parts of its own. */
function changed(random: () => number, tenant: Tenant): Tenant {
  const pick = <Value>(values: readonly Value[]) => values[Math.floor(random() * values.length)];
  const { OWN, CELL } = InstanceSharing;
  const rarely = random() < 0.2;
  return {
    ...tenant,
    tier: pick(Object.values(TenantTier)),
    instance: {
      size: pick(Object.values(InstanceSize)),
      loadBalancer: pick([OWN, CELL]),
      ...(rarely && { region: pick(['eu-central-1', 'us-east-1']), database: pick([OWN, CELL]) }),
      ...(random() < 0.05 && { network: OWN, loadBalancer: OWN, database: OWN }),
    },
  };
}

function shuffled<Value>(random: () => number, values: Value[]): Value[] {
  return values
    .map((value) => ({ value, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ value }) => value);
}

/** Numbers from 0 to 1, the same for the same seed (the generator mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
