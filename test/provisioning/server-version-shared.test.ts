import { saferVersion } from '../../lib/database/postgres-version';
import { reconcile, reconcileStored } from '../../lib/provisioning/handler/reconcile';
import { startTenantServer } from './tenant-server';

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

  test('fails the deployment and the hourly run with a database that tenants share', async () => {
    const server = await startTenantServer(17);
    try {
      const db = await server.newDatabase();
      const desired = db.desired([{ id: 'tk4q9w', value: 'a2b8e7a8-5a83-4d0e-9c1d-0d2b1f6c7e01' }], []);
      await reconcile(desired, db.environment);
      jest.mocked(saferVersion).mockReturnValue('17.99');
      await expect(reconcile(desired, db.environment)).rejects.toThrow(OUTDATED);
      await expect(reconcileStored(db.environment)).rejects.toThrow(OUTDATED);
    } finally {
      await server.stop();
    }
  }, 60_000);
});
