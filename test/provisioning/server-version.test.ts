import { saferVersion } from '../../lib/database/postgres-version';
import {
  reconcileDatabases,
  reconcileStoredDatabases,
} from '../../lib/provisioning/handler/per-tenant/reconcile-databases';
import { startServers } from './per-tenant-servers';

// The servers here are of a later version: what they lack is said of them.
jest.mock('../../lib/database/postgres-version', () => {
  const real = jest.requireActual<typeof import('../../lib/database/postgres-version')>(
    '../../lib/database/postgres-version',
  );
  return { ...real, saferVersion: jest.fn(real.saferVersion) };
});
const { saferVersion: real } = jest.requireActual<typeof import('../../lib/database/postgres-version')>(
  '../../lib/database/postgres-version',
);
const OUTDATED =
  /version: the server runs PostgreSQL 17\.\d+, whose statistics show rows .* Upgrade it to 17\.99 or later/;

describe('a server whose PostgreSQL shows rows of others in its statistics', () => {
  let log: jest.SpyInstance;
  beforeAll(() => (log = jest.spyOn(console, 'log').mockImplementation(() => undefined)));
  beforeEach(() => jest.mocked(saferVersion).mockImplementation(real));
  afterAll(() => log.mockRestore());

  test('is one of a minor version before the fix', () => {
    expect(['17.5', '17.6', '16.9', '15.13', '17.10'].map(real)).toEqual([
      '17.6',
      undefined,
      '16.10',
      '15.14',
      undefined,
    ]);
  });

  test('fails the deployment and the hourly run with databases of tenants, which heals all the same', async () => {
    const servers = await startServers(17, 1);
    try {
      const desired = servers.desired([{ id: 'acme' }]);
      await reconcileDatabases(desired);
      jest.mocked(saferVersion).mockReturnValue('17.99');
      await expect(reconcileDatabases(desired)).rejects.toThrow(OUTDATED);
      await servers.master('ALTER ROLE tenant_acme NOLOGIN');
      await expect(reconcileStoredDatabases(servers.servers())).rejects.toThrow(OUTDATED);
      await expect(servers.tenant('acme', 'SELECT 1')).resolves.toHaveLength(1);
    } finally {
      await servers.stop();
    }
  }, 60_000);
});
