import { AUDIT } from '../../lib/provisioning/handler/audit';
import { reconcileDatabases } from '../../lib/provisioning/handler/per-tenant/reconcile-databases';
import { startServers } from './per-tenant-servers';

// The npm packages of PostgreSQL have no pgaudit. Another extension that the master user may make, and whose library can be loaded at
// the start, takes its place.
const STAND_IN = 'pg_trgm';

test('the extension of the audit log is made in each tenant’s database where it is loaded, and no tenant may use it', async () => {
  const log = jest.spyOn(console, 'log').mockImplementation(() => undefined);
  Object.assign(AUDIT, { extension: STAND_IN });
  const servers = await startServers(17, 1);
  const installed = () =>
    servers.superuser(
      `SELECT n.nspname::text AS schema, has_schema_privilege('tenant_acme', n.oid, 'USAGE') AS usable
         FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE extname = 'pg_trgm'`,
      'tenant_acme',
    );
  try {
    const desired = servers.desired([{ id: 'acme', loader: true, workMemMiB: '8' }]);
    await reconcileDatabases(desired);
    expect(await installed()).toEqual([]);
    await servers.superuser(`ALTER SYSTEM SET shared_preload_libraries = pg_stat_statements, pg_trgm`);
    await servers.serverOf('a').restart();
    const again = servers.desired([{ id: 'acme', loader: true, workMemMiB: '9' }]);
    await reconcileDatabases(again);
    expect(await installed()).toEqual([{ schema: 'tenancy_audit', usable: false }]);
    expect((await reconcileDatabases(again)).changes).toEqual([]);

    // What the master user may not make hinders nothing.
    Object.assign(AUDIT, { extension: 'pg_stat_statements' });
    await reconcileDatabases(servers.desired([{ id: 'acme', loader: true, workMemMiB: '10' }]));
    expect(
      log.mock.calls.flat().filter((line) => /pg_stat_statements not made: .*permission denied/.test(line as string)),
    ).toHaveLength(1);
  } finally {
    await servers.stop();
    log.mockRestore();
  }
}, 90_000);
