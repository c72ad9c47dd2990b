import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InstancePreset, TenancyModel } from '../../lib/environment/environment';
import { instancePlans } from '../../lib/environment/instance-plan';
import { InstancePlaces, placeInstances, readPlaces, writePlaces } from '../../lib/tenancy/instance-placement';
import { Tenant } from '../../lib/tenant/tenant';
import { InstanceSharing } from '../../lib/tenant/tenant-instance';
import { example, tenants } from './environments';

function place(given: Tenant[], known: InstancePlaces = {}, tenantsPerCell = 15): InstancePlaces {
  const environment = example({
    model: TenancyModel.INSTANCE_PER_TENANT,
    instances: { preset: InstancePreset.ECONOMY },
    tenants: given,
  });
  return placeInstances(instancePlans(environment), tenantsPerCell, known);
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
    expect(Math.min(...Object.values(places).map(({ priority }) => priority))).toBe(1);
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

    expect(after.t00015).toEqual({ region: 'eu-central-1', cell: 1, priority: 16 });
  });

  test('have cells in their own region only', () => {
    const abroad = tenants(3).map((tenant) => ({ ...tenant, id: `x${tenant.id}`, instance: { region: 'us-east-1' } }));

    const places = place([...tenants(2), ...abroad]);

    expect(places.xt00000).toEqual({ region: 'us-east-1', cell: 1, priority: 1 });
    expect(places.t00001).toEqual({ region: 'eu-central-1', cell: 1, priority: 2 });
  });

  test('get a place there when they move to another region', () => {
    const before = place(tenants(2));
    const moved = [{ ...tenants(2)[0], instance: { region: 'us-east-1' } }, tenants(2)[1]];

    expect(place(moved, before).t00000).toEqual({ region: 'us-east-1', cell: 1, priority: 1 });
  });
});

test('a tenant that shares nothing has no place', () => {
  const own = {
    network: InstanceSharing.OWN,
    loadBalancer: InstanceSharing.OWN,
    database: InstanceSharing.OWN,
  };

  expect(place(tenants(1, { instance: own }))).toEqual({});
});

describe('the file of places', () => {
  let directory: string;
  let file: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'places-'));
    file = join(directory, 'prod.places.json');
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  test('holds them from one synthesis to the next, and changes only with them', () => {
    const places = place(tenants(3));

    expect(readPlaces(file)).toEqual({});
    expect(writePlaces(file, places)).toBe(true);
    expect(readPlaces(file)).toEqual(places);
    expect(writePlaces(file, places)).toBe(false);
    expect(readFileSync(file, 'utf8')).toContain('commit it');
  });

  test.each(['{', '{}', '{"places":{"tk4q9w":{"region":"eu-central-1","cell":"1","priority":1}}}'])(
    'is refused when it is %s, rather than that everybody gets another place',
    (text) => {
      writeFileSync(file, text);

      expect(() => readPlaces(file)).toThrow(/prod\.places\.json holds no places of tenants\. Take it from version/);
    },
  );
});
