import { admitProxies } from '../../lib/provisioning/handler/per-tenant/admit-proxies';
import {
  reconcileDatabases,
  reconcileStoredDatabases,
  removeDatabases,
} from '../../lib/provisioning/handler/per-tenant/reconcile-databases';
import { startServers } from './per-tenant-servers';
import { DEV, PROD, REFUSED, ROLES_AND_DATABASES, asEnvironment as as } from './two-environments';

const ACME = { id: 'tk4q9w' };
const BOLT = { id: 'tz81mm' };

let log: jest.SpyInstance;
beforeAll(() => (log = jest.spyOn(console, 'log').mockImplementation(() => undefined)));
afterAll(() => log.mockRestore());

test('a database for each tenant: the second environment is refused, and the first goes on', async () => {
  const servers = await startServers(17, 2);
  try {
    const [a, b] = servers.servers();
    const prod = servers.desired([{ id: ACME.id, removalPolicy: 'destroy' }], { servers: [a] });
    await as(PROD, () => reconcileDatabases(prod));
    const look = async () => [
      await servers.superuser(ROLES_AND_DATABASES),
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
