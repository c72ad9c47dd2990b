import { AUDIT } from '../../lib/provisioning/handler/audit';
import { reconcile } from '../../lib/provisioning/handler/reconcile';
import { startTenantServer } from './tenant-server';

// The npm packages of PostgreSQL have no pgaudit. Another extension that the master user may make, and whose library can be loaded at
// the start, takes its place.
const STAND_IN = 'pg_trgm';

test('the extension of the audit log is made in the database that tenants share, where it is loaded', async () => {
  const log = jest.spyOn(console, 'log').mockImplementation(() => undefined);
  Object.assign(AUDIT, { extension: STAND_IN });
  const server = await startTenantServer(17);
  try {
    const db = await server.newDatabase();
    const desired = db.desired([{ id: 'tk4q9w', value: 'a2b8e7a8-5a83-4d0e-9c1d-0d2b1f6c7e01' }], []);
    await db.superuser(`ALTER SYSTEM SET shared_preload_libraries = 'pg_trgm'`);
    await server.postgres.restart();
    await reconcile(desired, db.environment);
    const rows = await db.superuser(
      `SELECT has_schema_privilege('tenant_tk4q9w', extnamespace, 'USAGE') AS usable FROM pg_extension WHERE extname = 'pg_trgm'`,
    );
    expect(rows).toEqual([{ usable: false }]);
    expect((await reconcile(desired, db.environment)).changes).toEqual([]);
  } finally {
    await server.stop();
    log.mockRestore();
  }
}, 90_000);
