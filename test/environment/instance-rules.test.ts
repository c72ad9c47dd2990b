import { Environment, InstancePreset, TenancyModel } from '../../lib/environment/environment';
import { environmentProblems } from '../../lib/environment/environment-rules';
import { InstanceSharing, Residency, TenantInstance } from '../../lib/tenant/tenant-instance';
import { problemText } from '../../lib/validation/problem';
import { example, tenants } from '../tenancy/environments';

const CERTIFICATE = 'arn:aws:acm:us-east-1:000000000000:certificate/5b0d6e0c-7f7f-4c55-9b0d-6a8f3c1c2d4e';
const ABROAD = { name: 'us-east-1', certificateArn: CERTIFICATE };

function fleet(instances: TenantInstance[], overrides: Partial<Environment> = {}): Environment {
  const [first] = tenants(1);
  return {
    ...example({ metadataDatabase: undefined }),
    model: TenancyModel.INSTANCE_PER_TENANT,
    regions: [ABROAD],
    tenants: instances.map((instance, index) => ({
      ...first,
      id: `t${index}xx`,
      value: `v${index}`,
      adminEmail: `admin@${index}.example.com`,
      instance,
    })),
    data: undefined,
    ...overrides,
  };
}

function problems(environment: Environment): string[] {
  return environmentProblems(JSON.parse(JSON.stringify(environment))).map(problemText);
}

const problemOf = (instance: TenantInstance, overrides?: Partial<Environment>) =>
  problems(fleet([instance], overrides));

test.each([
  ['eu_central_1_cell1', 'cell 1 of eu-central-1'],
  ['us_gov_west_1_cell12', 'cell 12 of us-gov-west-1'],
])('a tenant id %s, whose stack would have the name of a cell', (id, cell) => {
  const [first] = tenants(1);
  const name = id.replaceAll('_', '-');

  expect(problems(fleet([], { tenants: [{ ...first, id, value: 'v0' }] }))).toEqual([
    `tenants[0].id is "${id}", whose stack would be named …-${name}, as that of ${cell} is; to mend: choose an opaque id, for instance tk4q9w [TENANT_ID_OF_CELL]`,
  ]);
  expect(problems(fleet([], { tenants: [{ ...first, id: 'cell1', value: 'v0' }] }))).toEqual([]);
});

test('a fleet over two regions is in order', () => {
  const instances = { rings: ['early', 'all'], preset: InstancePreset.ECONOMY };
  const abroad = { region: 'us-east-1', residency: Residency.UNITED_STATES, ring: 'early' };

  expect(problems(fleet([{}, abroad], { instances }))).toEqual([]);
});

test.each<[string, TenantInstance, string]>([
  [
    'a region that the environment does not have',
    { region: 'eu-west-1' },
    'tenants[0].instance.region is "eu-west-1", which is no region of this environment; allowed: eu-central-1, us-east-1; to mend: write one of them, or add it to regions with its certificate [INSTANCE_REGION_UNKNOWN]',
  ],
  [
    'a residency that its region contradicts',
    { region: 'us-east-1', residency: Residency.EUROPEAN_UNION },
    'tenants[0].instance.residency is "eu", but the tenant is in us-east-1, and its data, backups, logs and keys with it; allowed: a region of it: eu-central-1, eu-west-1, eu-west-3, eu-north-1, eu-south-1, eu-south-2; to mend: set instance.region to one of them, and add that to regions [RESIDENCY_CONTRADICTED]',
  ],
  [
    'a residency that the region of the environment contradicts',
    { residency: Residency.SWITZERLAND },
    'tenants[0].instance.residency is "ch", but the tenant is in eu-central-1, and its data, backups, logs and keys with it; allowed: a region of it: eu-central-2; to mend: set instance.region to one of them, and add that to regions [RESIDENCY_CONTRADICTED]',
  ],
  [
    'a certificate of another region',
    { certificateArn: CERTIFICATE },
    'tenants[0].instance.certificateArn is in region us-east-1, but the load balancer is in eu-central-1; allowed: a certificate in region eu-central-1; to mend: request it there, or mend region [CERTIFICATE_REGION]',
  ],
  [
    'a ring that there is not',
    { ring: 'canary' },
    'tenants[0].instance.ring is "canary", which is no ring; allowed: all; to mend: write one of them, or add it to instances.rings [RING_UNKNOWN]',
  ],
  [
    'another version without its image',
    { supersetVersion: '6.2.0' },
    'tenants[0].instance.supersetVersion is "6.2.0", but the image is that of 6.1.0; to mend: add image, of that version, beside it [VERSION_WITHOUT_IMAGE]',
  ],
  [
    'a network that is none',
    { allowedNetworks: ['10.0.0.0/40'] },
    'tenants[0].instance.allowedNetworks[0] is "10.0.0.0/40"; allowed: an IPv4 network, for instance 203.0.113.0/24 [CIDR_INVALID]',
  ],
  [
    'a network that is everywhere',
    { allowedNetworks: ['0.0.0.0/0'] },
    'tenants[0].instance.allowedNetworks[0] is "0.0.0.0/0", which is everywhere; to mend: take allowedNetworks out, and set internetFacing [CIDR_EVERYWHERE]',
  ],
  [
    'a network of its own, but a load balancer of the cell',
    { network: InstanceSharing.OWN, loadBalancer: InstanceSharing.CELL },
    'tenants[0].instance has a network of its own, but the loadBalancer of its cell, which stands in the network of the cell; allowed: network: cell, or loadBalancer: own; to mend: add loadBalancer: own [SHARING_WITHOUT_NETWORK]',
  ],
  [
    'more networks than a rule of a shared load balancer takes',
    { loadBalancer: InstanceSharing.CELL, allowedNetworks: [1, 2, 3, 4, 5].map((n) => `203.0.113.${n}/32`) },
    'tenants[0].instance.allowedNetworks has 5 entries behind the load balancer of the cell; allowed: 4, since a rule takes five values and the host name is one; AWS cannot raise it; to mend: join them, or give it a load balancer (loadBalancer: own) [NETWORKS_TOO_MANY]',
  ],
  [
    'backups of a server that is not its own',
    { database: InstanceSharing.CELL, backupDays: 30 },
    'tenants[0].instance.backupDays is for a server of its own, but the tenant is on that of its cell, which is backed up as a whole; to mend: add database: own, or set instances.cellDatabase.backupDays for all [BACKUP_OF_THE_CELL]',
  ],
])('refused: %s', (_title, instance, expected) => {
  expect(problemOf(instance)).toEqual([expected]);
});

test('two tenants have no host name together, not even one by default', () => {
  expect(problems(fleet([{}, { domainName: 't0xx.superset.example.com' }]))).toEqual([
    'tenants[1].instance.domainName makes the host name t0xx.superset.example.com, as does tenants[0]; to mend: give each tenant a host name of its own (instance.domainName) [DOMAIN_DUPLICATE]',
  ]);
});

test('a further region is a known one, another one, and has its own certificate and zones', () => {
  const regions = [
    { name: 'eu-central-1', certificateArn: CERTIFICATE },
    { ...ABROAD, network: { availabilityZones: ['eu-central-1a', 'us-east-1b'] } },
    ABROAD,
    { name: 'xx-north-1', certificateArn: CERTIFICATE },
  ];

  expect(problems(fleet([{}], { regions })).map((problem) => problem.split(';')[0])).toEqual([
    'regions[0].name is "eu-central-1" again',
    'regions[0].certificateArn is in region us-east-1, but the load balancer is in eu-central-1',
    'regions[1].network.availabilityZones[0] is "eu-central-1a", which is not a zone of us-east-1',
    'regions[2].name is "us-east-1" again',
    expect.stringContaining('regions[3].name is "xx-north-1", a region that aws-cdk-lib does not know'),
  ]);
});

test('what the other models have is refused here, and what this one has there', () => {
  const here = problems(fleet([{}], { shards: [{ name: 'a' }], metadataDatabase: { multiAz: false } }));
  const there = problems({ ...fleet([{ ring: 'all' }]), model: TenancyModel.DATABASE_PER_TENANT });

  expect(here.map((problem) => problem.split(';')[0])).toEqual([
    'shards is of model database-per-tenant, but model is instance-per-tenant',
    'metadataDatabase is of model shared-rls and database-per-tenant, but model is instance-per-tenant',
  ]);
  expect(there.map((problem) => problem.split(';')[0])).toEqual([
    'regions is of model instance-per-tenant, but model is database-per-tenant',
    'tenants[0].instance is of model instance-per-tenant, but model is database-per-tenant',
  ]);
});
