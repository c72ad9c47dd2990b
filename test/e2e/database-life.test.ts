import { DBSnapshot, DescribeDBSnapshotsCommand, RDSClient } from '@aws-sdk/client-rds';
import { TenancyModel } from '../../lib/environment/environment';
import { Tenant, TenantRemovalPolicy } from '../../lib/tenant/tenant';
import { loadRows, makeTables } from '../../local/example-data';
import { connect } from '../../local/login';
import { proveTenants } from '../../local/proof';
import { tenantSecretName } from '../../local/deployment';
import { ExampleEnvironment } from '../../local/example-environment';
import { EnvironmentUnderTest, environmentWith, tenant } from './environment-under-test';

// One environment with a database for each tenant, made, changed and destroyed: each test goes on where the one before it ended.

jest.setTimeout(300_000);

const north = tenant('t_north', 1, { shard: 'a', loader: true });
const south = tenant('t_south', 2, { shard: 'b', loader: true });
const east = tenant('t_east', 3, { shard: 'b', loader: true, removalPolicy: TenantRemovalPolicy.DESTROY });

let aws: EnvironmentUnderTest;

beforeAll(async () => {
  aws = await EnvironmentUnderTest.start({ shardCount: 2 });
});

afterAll(() => aws?.stop());

function databases(tenants: Tenant[]): ExampleEnvironment {
  return environmentWith(tenants, {
    model: TenancyModel.DATABASE_PER_TENANT,
    database: { instanceClass: 't4g.medium' },
    shards: [{ name: 'a' }, { name: 'b' }],
  });
}

async function load(tenants: Tenant[]): Promise<void> {
  const environment = databases(tenants);
  const loaders = await aws.loaders(environment);
  await Promise.all([...loaders.values()].map((loader) => makeTables(environment, loader)));
  await loadRows(environment, loaders);
}

async function findings(tenants: Tenant[]): Promise<string[]> {
  const environment = databases(tenants);
  const logins = new Map(await Promise.all(tenants.map(async ({ id }) => [id, await aws.tenantLogin(id)] as const)));
  const proofs = await proveTenants(environment, logins, await aws.loaders(environment));
  return proofs.flatMap((proof) => proof.failures.map((failure) => `${proof.tenant.id} ${failure}`));
}

/** The tenants' databases of a server. */
async function databasesOn(shard: number): Promise<string[]> {
  const rows = await aws.superuser<{ name: string }>(
    "SELECT datname AS name FROM pg_database WHERE datname LIKE 'tenant\\_%' ORDER BY 1",
    'tenancy',
    shard,
  );
  return rows.map(({ name }) => name);
}

/** All snapshots of the account. */
async function snapshots(): Promise<DBSnapshot[]> {
  const rds = new RDSClient(aws.cloud.emulator.sdk);
  return (await rds.send(new DescribeDBSnapshotsCommand({}))).DBSnapshots ?? [];
}

test('each tenant has a database on its shard, which its loader fills and it alone reads', async () => {
  await aws.deploy(databases([north, south]));
  await load([north, south]);

  expect([await databasesOn(0), await databasesOn(1)]).toEqual([['tenant_t_north'], ['tenant_t_south']]);
  expect(await findings([north, south])).toEqual([]);
});

test('the proof sees a tenant that was let into another database, and the next deployment mends it', async () => {
  await aws.deploy(databases([north, south, east]));
  await load([east]);
  await aws.superuser('GRANT CONNECT ON DATABASE tenant_t_east TO PUBLIC', 'tenancy', 1);
  expect(await findings([south, east])).toContainEqual(
    expect.stringMatching(/^t_south the attempt on t_east to log in to its database was let through/),
  );

  await aws.deploy(databases([north, south, { ...east, limits: { statementTimeoutSeconds: 7 } }]));
  expect(await findings([south, east])).toEqual([]);
  expect(await aws.tenant('t_east', 'SHOW statement_timeout')).toEqual([{ statement_timeout: '7s' }]);
});

test('another tenant changes no resource of those that are there', async () => {
  const secret = await aws.account.databaseSecret(tenantSecretName('t_north'));
  const west = tenant('t_west', 4);
  const changed = (await aws.diff(databases([north, south, east, west])))
    .split('\n')
    .filter((line) => /^\s*\[[-+~]\]/.test(line));

  expect(changed.filter((line) => /t_west/.test(line))).not.toEqual([]);
  expect(changed.filter((line) => /t_north|t_south/.test(line))).toEqual([]);
  expect(await aws.account.databaseSecret(tenantSecretName('t_north'))).toEqual(secret);
});

test('a tenant that is given another shard is refused, by the names of both, and keeps what it has', async () => {
  const before = await aws.tenantLogin('t_north');
  await expect(aws.deploy(databases([{ ...north, shard: 'b' }, south, east]))).rejects.toThrow(
    /tenant t_north[^]*server a[^]*/,
  );

  expect(await databasesOn(1)).not.toContain('tenant_t_north');
  await aws.deploy(databases([north, south, east]));
  expect((await aws.tenantLogin('t_north')).host).toBe(before.host);
  expect(await findings([north, south])).toEqual([]);
});

test('a tenant that leaves can no longer log in; its database stays, or goes to a snapshot where it was to be destroyed', async () => {
  const login = await aws.tenantLogin('t_south');
  await aws.deploy(databases([north, east]));
  await expect(connect(login)).rejects.toThrow(/not permitted to log in|authentication failed/);
  expect(await databasesOn(1)).toEqual(['tenant_t_east', 'tenant_t_south']);
  expect(await aws.account.databaseSecret(tenantSecretName('t_south'))).toBeUndefined();
  expect(await snapshots()).toEqual([]);

  // Added again, with nothing done by hand.
  await aws.deploy(databases([north, south, east]));
  expect((await aws.tenantLogin('t_south')).password).not.toBe(login.password);
  expect(await findings([north, south])).toEqual([]);

  await aws.deploy(databases([north]));
  expect(await databasesOn(1)).toEqual(['tenant_t_south']);
  expect(await snapshots()).toEqual([
    expect.objectContaining({
      DBSnapshotIdentifier: expect.stringMatching(/^tenancy-.*-b-t-east-\d{4}-\d\d-\d\d-[0-9a-f]{8}$/),
      DBInstanceIdentifier: expect.stringMatching(/shard-?b/),
      Status: 'available',
      TagList: expect.arrayContaining([{ Key: 'superset-tenancy:destroyed-tenants', Value: 't_east' }]),
    }),
  ]);
});

test('the stack goes: servers and databases stay, but for one that was to be destroyed, of which a snapshot stays', async () => {
  await aws.deploy(databases([north, { ...east, shard: 'a' }]));
  expect(await databasesOn(0)).toEqual(['tenant_t_east', 'tenant_t_north']);

  await aws.destroy();
  expect(await databasesOn(0)).toEqual(['tenant_t_north']);
  expect((await snapshots()).map(({ DBInstanceIdentifier }) => DBInstanceIdentifier)).toEqual([
    expect.stringMatching(/shard-?b/),
    expect.stringMatching(/shard-?a/),
  ]);
});
