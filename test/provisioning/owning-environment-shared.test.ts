import { DesiredState } from '../../lib/provisioning/desired-state';
import { reconcile, reconcileStored, removeBatch } from '../../lib/provisioning/handler/reconcile';
import { startTenantServer } from './tenant-server';
import { DEV, PROD, REFUSED, ROLES_AND_DATABASES, asEnvironment as as } from './two-environments';

const ACME = { id: 'tk4q9w', value: 'a2b8e7a8-5a83-4d0e-9c1d-0d2b1f6c7e01' };
const BOLT = { id: 'tz81mm', value: 'a2b8e7a8-5a83-4d0e-9c1d-0d2b1f6c7e02' };

let server: Awaited<ReturnType<typeof startTenantServer>>;
let log: jest.SpyInstance;
beforeAll(async () => {
  log = jest.spyOn(console, 'log').mockImplementation(() => undefined);
  server = await startTenantServer(17);
}, 60_000);
afterAll(async () => {
  await server?.stop();
  log.mockRestore();
});

test('a database that tenants share: the second environment is refused, and the first goes on', async () => {
  const db = await server.newDatabase();
  try {
    const tables: DesiredState['tables'] = [{ name: 'orders', strategy: 'column' }];
    const prod = db.desired([ACME], tables);
    await as(PROD, () => reconcile(prod, db.environment));
    await db.loader(
      `CREATE TABLE analytics.orders (tenant_id uuid); INSERT INTO analytics.orders VALUES ('${ACME.value}')`,
    );
    await as(PROD, () => reconcileStored(db.environment));
    const look = async () => [await db.superuser(ROLES_AND_DATABASES), await db.superuser('TABLE tenancy.desired')];
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
    await db.drop();
  }
});

test('a server of before there was a record is that of the first environment that comes', async () => {
  const db = await server.newDatabase();
  try {
    const desired = db.desired([ACME], []);
    await reconcile(desired, db.environment);
    await as(PROD, () => reconcile(desired, db.environment));

    await expect(as(DEV, () => reconcile(desired, db.environment))).rejects.toThrow(REFUSED);
    expect((await as(PROD, () => reconcile(desired, db.environment))).changes).toEqual([]);
  } finally {
    await db.drop();
  }
});
