import { AdminLoginSecret } from '../../lib/tenant/admin-login-secret';
import { Tenant, TenantRemovalPolicy } from '../../lib/tenant/tenant';
import { tenantSecretName } from '../../local/deployment';
import { loadRows, makeTables } from '../../local/example-data';
import { connect } from '../../local/login';
import { proveTenants } from '../../local/proof';
import { EnvironmentUnderTest, environmentWith, tenant } from './environment-under-test';

// One environment whose tenants come, change and go: each test deploys on what the one before it left.

jest.setTimeout(180_000);

const north = tenant('t_north', 1);
const south = tenant('t_south', 2);
const east = tenant('t_east', 3);
const west = tenant('t_west', 4, { removalPolicy: TenantRemovalPolicy.DESTROY });

let aws: EnvironmentUnderTest;
let passwordOfBefore: string;

beforeAll(async () => {
  aws = await EnvironmentUnderTest.start();
});

afterAll(() => aws?.stop());

async function findings(tenants: Tenant[]): Promise<string[]> {
  const logins = new Map(await Promise.all(tenants.map(async ({ id }) => [id, await aws.tenantLogin(id)] as const)));
  const environment = environmentWith(tenants);
  const proofs = await proveTenants(environment, logins, await aws.loaders(environment));
  return proofs.flatMap((proof) => proof.failures.map((failure) => `${proof.tenant.id} ${failure}`));
}

async function loadExample(tenants: Tenant[]): Promise<void> {
  const environment = environmentWith(tenants);
  await loadRows(environment, await aws.loaders(environment));
}

async function roles(): Promise<{ role: string; login: boolean; connections: number; oid: number }[]> {
  return aws.superuser(
    `SELECT rolname AS role, rolcanlogin AS login, rolconnlimit AS connections, oid::int AS oid
       FROM pg_roles WHERE rolname LIKE 'tenant\\_%' ORDER BY rolname`,
  );
}

async function role(id: string) {
  return (await roles()).find((each) => each.role === `tenant_${id}`);
}

test('two tenants of a new environment can log in with their secrets, and are no more than readers', async () => {
  await aws.deploy(environmentWith([north, south]));

  const [who] = await aws.tenant<{ user: string; tenant: string; super: boolean }>(
    't_north',
    `SELECT session_user AS user, tenancy.current_tenant()::text AS tenant,
            (SELECT rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb FROM pg_roles WHERE rolname = session_user) AS super`,
  );
  expect(who).toEqual({ user: 'tenant_t_north', tenant: north.value, super: false });
  expect((await roles()).map(({ role: name }) => name)).toEqual(['tenant_t_north', 'tenant_t_south']);
});

test('a table that the ETL makes is unreadable until a reconcile, and then shows each tenant its own rows', async () => {
  await makeTables(environmentWith([]), await aws.loaderLogin());
  await expect(aws.tenant('t_north', 'SELECT count(*) FROM analytics.orders')).rejects.toThrow('permission denied');

  expect((await aws.account.reconcile()).PendingTables).toBe('');
  await loadExample([north, south]);

  expect(await findings([north, south])).toEqual([]);
});

test('the proof sees a leak, and a reconcile mends it', async () => {
  await aws.superuser('ALTER TABLE analytics.orders DISABLE ROW LEVEL SECURITY');
  expect(await findings([north, south])).toEqual(
    expect.arrayContaining([expect.stringContaining('t_north the attempt on t_south to read its rows of orders')]),
  );

  await aws.account.reconcile();
  expect(await findings([north, south])).toEqual([]);
});

test('adding a third tenant changes no resource of the first two', async () => {
  const before = await roles();
  const environment = environmentWith([north, south, east]);

  const changed = (await aws.diff(environment)).split('\n').filter((line) => /^\s*\[[-+~]\]/.test(line));
  expect(changed.filter((line) => /t_east/.test(line))).not.toEqual([]);
  expect(changed.filter((line) => /t_north|t_south/.test(line))).toEqual([]);

  const secret = await aws.account.databaseSecret(tenantSecretName('t_north'));
  await aws.deploy(environment);
  await loadExample([east]);

  expect(await aws.account.databaseSecret(tenantSecretName('t_north'))).toEqual(secret);
  expect(await roles()).toEqual(expect.arrayContaining(before));
  expect(await findings([north, south, east])).toEqual([]);
});

test('a changed limit reaches the login role', async () => {
  const slower: Tenant = { ...south, limits: { connections: 3, statementTimeoutSeconds: 7 } };
  await aws.deploy(environmentWith([north, slower, east]));

  expect(await role('t_south')).toMatchObject({ connections: 3 });
  expect(await aws.tenant('t_south', 'SHOW statement_timeout')).toEqual([{ statement_timeout: '7s' }]);
});

test('a tenant that cannot be made fails the deployment by its name, and a second one heals', async () => {
  const environment = environmentWith([north, south, east, west]);
  // Rows that wait for the tenant where its partition belongs: PostgreSQL refuses to attach it.
  await aws.loader('CREATE TABLE analytics.events_default PARTITION OF analytics.events DEFAULT');
  await aws.loader(`INSERT INTO analytics.events VALUES ('${west.value}', now(), 'view', 1)`);

  await expect(aws.deploy(environment)).rejects.toThrow(/tenant t_west/);
  expect(await findings([north, south, east])).toEqual([]);

  await aws.loader('DROP TABLE analytics.events_default');
  await aws.deploy(environment);
  await loadExample([west]);
  expect(await findings([north, south, east, west])).toEqual([]);
});

test('a tenant removed from the file can no longer log in, its rows are still there, and its secrets are not', async () => {
  const login = await aws.tenantLogin('t_south');
  await aws.deploy(environmentWith([north, east, west]));

  await expect(connect(login)).rejects.toThrow(/not permitted to log in|authentication failed/);
  expect(await role('t_south')).toMatchObject({ login: false });
  const [{ rows }] = await aws.loader<{ rows: number }>(
    `SELECT (SELECT count(*) FROM analytics.orders WHERE tenant_id = '${south.value}')::int AS rows`,
  );
  expect(rows).toBeGreaterThan(1_000);
  expect(await aws.account.databaseSecret(tenantSecretName('t_south'))).toBeUndefined();
  expect(await aws.account.databaseSecret(AdminLoginSecret.nameFor('t_south'))).toBeUndefined();
  expect(await findings([north, east, west])).toEqual([]);

  passwordOfBefore = login.password;
});

test('and added again, it reads its old rows with a new password, without anything done by hand', async () => {
  await aws.deploy(environmentWith([north, south, east, west]));

  const login = await aws.tenantLogin('t_south');
  expect(login.password).not.toBe(passwordOfBefore);
  expect(await aws.tenant('t_south', 'SELECT count(*) > 1000 AS rows FROM analytics.orders')).toEqual([{ rows: true }]);
  expect(await aws.account.databaseSecret(AdminLoginSecret.nameFor('t_south'))).toMatchObject({
    username: south.adminEmail,
  });
  expect(await findings([north, south, east, west])).toEqual([]);
});

test('a tenant that was deployed with destroy takes its role, its rows and its secret along', async () => {
  await aws.deploy(environmentWith([north, south, east]));

  expect(await role('t_west')).toBeUndefined();
  expect(
    await aws.superuser(
      `SELECT (SELECT count(*) FROM analytics.orders WHERE tenant_id = '${west.value}')::int AS orders,
              (SELECT count(*) FROM analytics.events WHERE tenant_id = '${west.value}')::int AS events,
              to_regnamespace('tenant_t_west') AS schema`,
    ),
  ).toEqual([{ orders: 0, events: 0, schema: null }]);
  expect(await aws.account.databaseSecret(tenantSecretName('t_west'))).toBeUndefined();
  expect(await findings([north, south, east])).toEqual([]);
});

test('destroying the stack ends the logins and keeps the database and its rows; no name of a secret stays taken', async () => {
  await aws.destroy();

  expect((await roles()).filter(({ login }) => login)).toEqual([]);
  const [{ rows }] = await aws.superuser<{ rows: number }>('SELECT count(*)::int AS rows FROM analytics.orders');
  expect(rows).toBeGreaterThan(3_000);
  for (const { id } of [north, south, east]) {
    expect(await aws.account.databaseSecret(tenantSecretName(id))).toBeUndefined();
  }
});
