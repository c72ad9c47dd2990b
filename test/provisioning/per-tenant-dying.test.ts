import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { buildSync } from 'esbuild';
import { DesiredDatabases } from '../../lib/provisioning/desired-databases';
import { reconcileDatabases } from '../../lib/provisioning/handler/per-tenant/reconcile-databases';
import { Servers, TestTenant, sqlState, startServers } from './per-tenant-servers';

const ACME: TestTenant = { id: 'tk4q9w', loader: true, metadata: true };
const DOOMED: TestTenant = { id: 'tz81mm', metadata: true, removalPolicy: 'destroy' };

describe.each([15, 17] as const)('a handler of tenants’ databases that is killed, on PostgreSQL %i', (version) => {
  let servers: Servers;
  let log: jest.SpyInstance;
  const bundle = mkdtempSync(join(tmpdir(), 'tenancy-handler-'));

  beforeAll(async () => {
    log = jest.spyOn(console, 'log').mockImplementation(() => undefined);
    buildSync({
      entryPoints: [join(__dirname, '../../lib/provisioning/handler/index.ts')],
      outfile: join(bundle, 'index.js'),
      bundle: true,
      platform: 'node',
      external: ['pg-native', 'pg-cloudflare'],
    });
    servers = await startServers(version, 1);
  }, 60_000);
  afterAll(async () => {
    await servers?.stop();
    log.mockRestore();
    rmSync(bundle, { recursive: true });
  });
  afterEach(() => servers.clear());

  /** Runs the handler in a process of its own and kills it (SIGKILL) after it reported so many changes. */
  async function runAndKill(desired: DesiredDatabases, afterChanges: number): Promise<'killed' | 'done'> {
    const event = { RequestType: 'Update', ResourceProperties: { State: desired } };
    const script = `require(${JSON.stringify(join(bundle, 'index.js'))}).onDatabasesEvent(${JSON.stringify(event)})`;
    const child = spawn(process.execPath, ['-e', script], { env: process.env, stdio: ['ignore', 'pipe', 'ignore'] });
    let changes = 0;
    for await (const line of createInterface(child.stdout)) {
      if (line.includes('"step"') && ++changes === afterChanges) child.kill('SIGKILL');
    }
    return child.signalCode === 'SIGKILL' || child.killed ? 'killed' : 'done';
  }

  const memberships = () =>
    servers.master(
      `SELECT rolname FROM pg_roles WHERE rolname ~ '^(tenan|superset_)' AND pg_has_role(oid, '${version >= 16 ? 'SET' : 'MEMBER'}')`,
    );

  test('after any of its changes leaves servers that the next run completes, with no database open to others in between', async () => {
    let deaths = 0;
    for (let afterChanges = 1; ; afterChanges++) {
      await reconcileDatabases(servers.desired([DOOMED]));
      const desired = servers.desired([ACME]);
      const end = await runAndKill(desired, afterChanges);
      expect(['42501', '3D000', '28P01', '28000', '55000']).toContain(
        await sqlState(servers.tenant(DOOMED.id, 'SELECT 1', 'a', 'tenant_tk4q9w')),
      );
      expect(['42501', '3D000', '28P01', '28000', '55000']).toContain(
        await sqlState(servers.tenant(DOOMED.id, 'SELECT 1', 'a', 'superset_tk4q9w')),
      );
      await reconcileDatabases(desired);
      expect((await reconcileDatabases(desired)).changes).toEqual([]);
      expect(await memberships()).toEqual([]);
      expect(await servers.metadata(ACME.id, 'CREATE TABLE ab_user (id int); SELECT 1 AS one')).toEqual([{ one: 1 }]);
      expect(await servers.loader(ACME.id, 'CREATE TABLE orders AS SELECT 1 AS id; SELECT id FROM orders')).toEqual([
        { id: 1 },
      ]);
      expect(await servers.tenant(ACME.id, 'SELECT id FROM orders')).toEqual([{ id: 1 }]);
      expect(await servers.master(`SELECT rolname FROM pg_roles WHERE rolname LIKE '%tz81mm'`)).toEqual([]);
      await servers.clear();
      if (end === 'done') break;
      deaths++;
    }
    expect(deaths).toBeGreaterThan(5);
  }, 180_000);

  test.each(['CREATE DATABASE', 'CREATE ROLE', 'CREATE SCHEMA "analytics"'])(
    'after its statement %s, when its sessions end, heals, and leaves no membership',
    async (statement) => {
      const desired = servers.desired([ACME]);
      let killed: Promise<unknown> | undefined;
      const first = reconcileDatabases(desired, (text) => {
        if (text.includes(statement)) {
          killed ??= servers.superuser(
            `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'superset-tenancy-provisioner'`,
          );
        }
      });
      await expect(first).rejects.toThrow();
      await killed;
      await reconcileDatabases(desired);
      expect((await reconcileDatabases(desired)).changes).toEqual([]);
      expect(await memberships()).toEqual([]);
    },
    60_000,
  );
});
