import { DesiredState } from '../../lib/provisioning/desired-state';
import { admitProxies } from '../../lib/provisioning/handler/per-tenant/admit-proxies';
import {
  reconcileDatabases,
  reconcileStoredDatabases,
  removeDatabases,
} from '../../lib/provisioning/handler/per-tenant/reconcile-databases';
import { reconcile, reconcileStored, removeBatch } from '../../lib/provisioning/handler/reconcile';
import { startServers } from './per-tenant-servers';
import { startTenantServer } from './tenant-server';

// A server that two environments are given, in apps that know nothing of each other.

const PROD = '123456789012/eu-central-1/Prod/Tenancy';
const DEV = '123456789012/eu-central-1/Dev/Tenancy';
const ACME = { id: 'tk4q9w', value: 'a2b8e7a8-5a83-4d0e-9c1d-0d2b1f6c7e01' };
const BOLT = { id: 'tz81mm', value: 'a2b8e7a8-5a83-4d0e-9c1d-0d2b1f6c7e02' };
const REFUSED = new RegExp(
  `the server belongs to environment ${PROD}, and this is environment ${DEV}: nothing was changed.*UPDATE tenancy.environment SET name = '${DEV}'`,
);

async function as<Result>(environment: string | undefined, run: () => Promise<Result>): Promise<Result> {
  if (environment) process.env.TENANCY_ENVIRONMENT = environment;
  try {
    return await run();
  } finally {
    delete process.env.TENANCY_ENVIRONMENT;
  }
}

/** Roles, databases and what is remembered, all that a run may change. */
const ALL = `
  SELECT (SELECT json_agg(r ORDER BY r.rolname) FROM (SELECT rolname, rolcanlogin, rolconnlimit, rolconfig FROM pg_roles) r) AS roles,
         (SELECT json_agg(d ORDER BY d.datname) FROM (SELECT datname, datacl::text FROM pg_database) d) AS databases`;

let log: jest.SpyInstance;
beforeAll(() => (log = jest.spyOn(console, 'log').mockImplementation(() => undefined)));
afterAll(() => log.mockRestore());

test('a database that tenants share: the second environment is refused, and the first goes on', async () => {
  const server = await startTenantServer(17);
  try {
    const db = await server.newDatabase();
    const tables: DesiredState['tables'] = [{ name: 'orders', strategy: 'column' }];
    const prod = db.desired([ACME], tables);
    await as(PROD, () => reconcile(prod, db.environment));
    await db.loader(
      `CREATE TABLE analytics.orders (tenant_id uuid); INSERT INTO analytics.orders VALUES ('${ACME.value}')`,
    );
    await as(PROD, () => reconcileStored(db.environment));
    const look = async () => [await db.superuser(ALL), await db.superuser('TABLE tenancy.desired')];
    const before = await look();

    // The same batch name, without the tenant: what ends a tenant's logins.
    const dev = db.desired([BOLT], tables);
    await expect(as(DEV, () => reconcile(dev, db.environment))).rejects.toThrow(REFUSED);
    await expect(as(DEV, () => reconcileStored(db.environment))).rejects.toThrow(REFUSED);
    await expect(as(undefined, () => reconcile(dev, db.environment))).rejects.toThrow('belongs to environment');
    expect(await as(DEV, () => removeBatch(dev, db.environment))).toEqual([]);

    expect(await look()).toEqual(before);
    expect(await db.tenant(ACME.id, 'SELECT count(*)::int AS rows FROM analytics.orders')).toEqual([{ rows: 1 }]);
    expect((await as(PROD, () => reconcile(prod, db.environment))).changes).toEqual([]);

    // Handed over on purpose, as the message says.
    await db.master(`UPDATE tenancy.environment SET name = '${DEV}'`);
    await as(DEV, () => reconcile(dev, db.environment));
    await expect(as(PROD, () => reconcile(prod, db.environment))).rejects.toThrow(`belongs to environment ${DEV}`);
  } finally {
    await server.stop();
  }
}, 90_000);

test('a server of before there was a record is that of the first environment that comes', async () => {
  const server = await startTenantServer(17);
  try {
    const db = await server.newDatabase();
    const desired = db.desired([ACME], []);
    await reconcile(desired, db.environment);
    await as(PROD, () => reconcile(desired, db.environment));

    await expect(as(DEV, () => reconcile(desired, db.environment))).rejects.toThrow(REFUSED);
    expect((await as(PROD, () => reconcile(desired, db.environment))).changes).toEqual([]);
  } finally {
    await server.stop();
  }
}, 90_000);

test('a database for each tenant: the second environment is refused, and the first goes on', async () => {
  const servers = await startServers(17, 2);
  try {
    const [a, b] = servers.servers();
    const prod = servers.desired([{ id: ACME.id, removalPolicy: 'destroy' }], { servers: [a] });
    await as(PROD, () => reconcileDatabases(prod));
    const look = async () => [
      await servers.superuser(ALL),
      await servers.superuser('TABLE tenancy.desired_databases'),
      await servers.superuser('TABLE tenancy.tenant_database'),
    ];
    const before = await look();

    // A server of its own beside it: what is wrong there says so, and nothing is made here either way.
    const dev = servers.desired([{ id: BOLT.id, server: 'b' }], { servers: [a, b] });
    await expect(as(DEV, () => reconcileDatabases(dev))).rejects.toThrow(REFUSED);
    await expect(as(DEV, () => reconcileStoredDatabases([a]))).rejects.toThrow(REFUSED);
    await expect(as(DEV, () => admitProxies([a]))).rejects.toThrow(REFUSED);
    expect((await as(DEV, () => removeDatabases({ ...dev, tenants: [] }))).changes).toEqual(expect.any(Array));

    expect(await look()).toEqual(before);
    expect(await servers.tenant(ACME.id, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    expect((await as(PROD, () => reconcileDatabases(prod))).changes).toEqual([]);
    expect((await as(PROD, () => reconcileStoredDatabases([a]))).changes).toEqual([]);
  } finally {
    await servers.stop();
  }
}, 90_000);
