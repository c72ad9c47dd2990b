import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Stack } from 'aws-cdk-lib';
import { Environment, InstancePreset } from '../../lib/environment/environment';
import { InstanceCellStack } from '../../lib/tenancy/instance-cell-stack';
import { InstanceFleet } from '../../lib/tenancy/instance-fleet';
import { InstancePerTenantStack } from '../../lib/tenancy/instance-per-tenant-stack';
import { SharedRlsStack } from '../../lib/tenancy/shared-rls-stack';
import { Tenant } from '../../lib/tenant/tenant';
import { InstanceSharing, TenantInstance } from '../../lib/tenant/tenant-instance';
import { TenantTier } from '../../lib/tenant/tenant-limits';
import { example, instanceExample, tenants, userApp } from '../tenancy/environments';
import { Template } from '../tenancy/templates';

const { OWN, CELL } = InstanceSharing;
const US = {
  name: 'us-east-1',
  certificateArn: 'arn:aws:acm:us-east-1:000000000000:certificate/5b0d6e0c-7f7f-4c55-9b0d-6a8f3c1c2d4e',
  network: { availabilityZones: ['us-east-1a', 'us-east-1b'] },
};

let directory: string;
let placementFile: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'fleet-'));
  placementFile = join(directory, 'demo.places.json');
});
afterEach(() => rmSync(directory, { recursive: true }));

function environmentOf(given: Tenant[], overrides: Partial<Environment> = {}): Environment {
  const { superset, instances } = instanceExample();
  const image = '000000000000.dkr.ecr.eu-central-1.amazonaws.com/superset:6.1.0';
  return instanceExample({ tenants: given, superset: { ...superset, image }, instances, regions: [US], ...overrides });
}

/** The templates of all stacks after a synthesis, by the ends of their names. */
function synthesise(given: Tenant[], overrides?: Partial<Environment>): Record<string, Template> {
  const app = userApp();
  new InstanceFleet(app, 'Demo', { environment: environmentOf(given, overrides), placementFile });
  return Object.fromEntries(
    app.synth().stacks.map(({ stackName, template }) => [stackName.replace('Demo-', ''), template as Template]),
  );
}

function without(templates: Record<string, Template>, ...names: string[]): Record<string, Template> {
  return Object.fromEntries(Object.entries(templates).filter(([name]) => !names.includes(name)));
}

/** Without outputs: a cell has those that one of its instances reads. */
function resourcesOf(templates: Record<string, Template>): unknown[] {
  return Object.entries(templates).map(([name, { Resources }]) => [name, Resources]);
}

const withInstance = (tenant: Tenant, instance: TenantInstance): Tenant => ({ ...tenant, instance });

describe.each(Object.values(InstancePreset))('with the preset %s, the template of no other stack changes', (preset) => {
  const instances = { preset };
  const fourteen = tenants(14);
  const without6th = fourteen.filter((_, index) => index !== 5);

  test('when a tenant is removed, and when it is added again', () => {
    const before = synthesise(fourteen, { instances });

    expect(synthesise(without6th, { instances })).toEqual(without(before, 't00005'));
    expect(synthesise(fourteen, { instances })).toEqual(before);
  }, 120_000);

  test('when one is added in front of all others, which are in another order', () => {
    const before = synthesise(without6th, { instances });
    const added = { ...tenants(15)[14], id: 'a00014' };

    expect(without(synthesise([added, ...[...without6th].reverse()], { instances }), 'a00014')).toEqual(before);
  }, 120_000);

  test('when one gets another tier, ring and host name', () => {
    const before = synthesise(fourteen, { instances });
    const changed = fourteen.map((tenant, index) =>
      index === 5
        ? { ...tenant, tier: TenantTier.PREMIUM, instance: { ring: 'all', domainName: 'six.example.com' } }
        : tenant,
    );

    expect(without(synthesise(changed, { instances }), 't00005')).toEqual(without(before, 't00005'));
  }, 120_000);
});

test('a cell keeps its server for the data of removed tenants, so that one that is added again finds its own', () => {
  const [a, b] = tenants(2).map((tenant, index) => withInstance(tenant, { database: [CELL, OWN][index] }));
  const before = synthesise([a, b]);
  const after = synthesise([b]);

  expect(resourcesOf(after)).toEqual(resourcesOf(without(before, 't00000')));
  expect(synthesise([a, b])).toEqual(before);
});

describe('a tenant that has a place is refused another', () => {
  const [tenant, other] = tenants(2);
  const standing = { network: OWN, loadBalancer: OWN, database: OWN };
  const changes: [string, TenantInstance, TenantInstance, RegExp][] = [
    [
      'region',
      {},
      { region: 'us-east-1' },
      /tenants\[0\]\.instance\.region is us-east-1 for tenant t00000, but \S*demo\.places\.json has it with region eu-central-1: it would begin anew there, with empty databases; allowed: eu-central-1; to mend: set instance\.region: eu-central-1\. To move the tenant, follow docs\/moving-a-tenant\.md/,
    ],
    ['region, when it shares nothing', standing, { ...standing, region: 'us-east-1' }, /region is us-east-1/],
    ["server: the cell's for its own", { database: OWN }, { database: CELL }, /database is cell .* database own/],
    ["server: its own for the cell's", { database: CELL }, { database: OWN }, /database is own .* database cell/],
    ['network', { ...standing, network: CELL }, standing, /network is own .* network cell/],
  ];

  test.each(changes)('%s', (_, before, after, said) => {
    synthesise([withInstance(tenant, before), other]);
    const kept = readFileSync(placementFile, 'utf8');

    expect(() => synthesise([withInstance(tenant, after), other])).toThrow(said);
    expect(readFileSync(placementFile, 'utf8')).toBe(kept);
    expect(() => synthesise([withInstance(tenant, before), other])).not.toThrow();
  });

  test('with all others that move, when the environment changes its region or its preset', () => {
    synthesise([tenant, other]);
    const instances = { preset: InstancePreset.STANDARD };

    expect(() => synthesise([tenant, other], { instances })).toThrow(/t00000.*\n.*t00001/);
    expect(() => synthesise([tenant, other], { ...swappedRegions() })).toThrow(/region.*t00000.*\n.*region.*t00001/);
  });

  test('but may have another load balancer, which holds no data', () => {
    const before = synthesise([tenant, other]);
    const after = synthesise([withInstance(tenant, { loadBalancer: OWN }), other]);

    expect(resourcesOf(without(after, 't00000'))).toEqual(resourcesOf(without(before, 't00000')));
  });

  test('and after its entry was deleted, as docs/moving-a-tenant.md says, it gets one', () => {
    synthesise([tenant, other]);
    const { about, places } = JSON.parse(readFileSync(placementFile, 'utf8'));
    delete places.t00000;
    writeFileSync(placementFile, JSON.stringify({ about, places }));

    expect(() => synthesise([withInstance(tenant, { region: 'us-east-1' }), other])).not.toThrow();
  });

  function swappedRegions(): Partial<Environment> {
    const { domain, region, network } = environmentOf([]);
    return {
      region: US.name,
      network: US.network,
      domain: { ...domain, certificateArn: US.certificateArn },
      regions: [{ name: region, certificateArn: domain.certificateArn, network }],
    };
  }
});

test('a fleet without a placement file is refused, with the file to name', () => {
  const props = { environment: environmentOf(tenants(1)) } as { environment: Environment; placementFile: string };

  expect(() => new InstanceFleet(userApp(), 'Demo', props)).toThrow(
    /^Demo: placementFile is not given; .* for instance 'environments\/prod\.places\.json'.* \[PLACEMENT_FILE_MISSING\]$/,
  );
});

test.each([
  [
    'one priority',
    7,
    {},
    /listenerPriority 7 at Demo-cell\/Entrance is taken by One\/.*Give each Superset there a number/,
  ],
  [
    'one host name',
    8,
    { domainName: 't00000.superset.example.com' },
    /the host name t00000\.superset\.example\.com at Demo-cell\/Entrance is taken by One\//,
  ],
])('two Supersets behind one load balancer with %s are refused', (_, priority, instance, said) => {
  const app = userApp();
  const [one, two] = tenants(2);
  const environment = environmentOf([one, two]);
  const ids = { one: one.id, two: two.id };
  const region = environment.region;
  const { cell } = new InstanceCellStack(app, 'Demo-cell', { environment, region, tenantIds: Object.values(ids) });
  new InstancePerTenantStack(app, 'One', { environment, tenantId: ids.one, cell, listenerPriority: 7 });
  const second = environmentOf([withInstance(two, instance)]);

  expect(
    () =>
      new InstancePerTenantStack(app, 'Two', {
        environment: second,
        tenantId: ids.two,
        cell,
        listenerPriority: priority,
      }),
  ).toThrow(said);
});

describe('two stacks of one name', () => {
  const fleet = (app = userApp(), id = 'Superset-prod', given = tenants(1, { id: 'acme' })) => {
    new InstanceFleet(app, id, { environment: environmentOf(given), placementFile: join(directory, `${id}.json`) });
    return app;
  };

  test.each([
    ['a tenant and an environment', () => shared(fleet(), 'Superset-prod-acme')],
    ['an environment and a tenant', () => fleet(shared(userApp(), 'Superset-prod-acme'))],
  ])('are refused with both: %s', (_, build) => {
    expect(() => build().synth()).toThrow(
      /^Superset-prod(-acme|\/acme): its stack is named Superset-prod-acme in eu-central-1, account 000000000000, as that of Superset-prod(-acme|\/acme) is, .* \[STACK_NAME_DUPLICATE\]$/,
    );
  });

  test('are refused when they are of two fleets', () => {
    expect(() => fleet(fleet(), 'Superset', tenants(1, { id: 'prod_acme' }))).toThrow(
      /^Superset\/prod_acme: .* as that of Superset-prod\/acme is/,
    );
  });

  test('are refused when the second one is a stack of the app itself', () => {
    const app = fleet();
    new Stack(app, 'Other', { stackName: 'Superset-prod-acme' });

    expect(() => app.synth()).toThrow(/^Other: its stack is named Superset-prod-acme in any, account any/);
  });

  test('are none in two regions or accounts', () => {
    const app = fleet();
    new Stack(app, 'A', { stackName: 'Superset-prod-acme', env: { account: '000000000000', region: 'us-east-1' } });
    new Stack(app, 'B', { stackName: 'Superset-prod-acme', env: { account: '111111111111', region: 'eu-central-1' } });

    expect(() => app.synth()).not.toThrow();
  });

  function shared(app: ReturnType<typeof userApp>, id: string) {
    new SharedRlsStack(app, id, { environment: example() });
    return app;
  }
});
