import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { DesiredState } from '../../lib/provisioning/desired-state';
import { reconcile } from '../../lib/provisioning/handler/reconcile';
import { TenantDatabase, startTenantServer } from './tenant-server';

const TABLES: DesiredState['tables'] = [
  { name: 'orders', strategy: 'column' },
  { name: 'events', strategy: 'partitioned' },
  { name: 'notes', strategy: 'schema' },
];
const TENANTS = [
  { id: 'tk4q9w', value: '0b9cde55-6a0e-4a0e-9d9b-000000000001' },
  { id: 'tz81mm', value: '0b9cde55-6a0e-4a0e-9d9b-000000000002' },
];

describe.each([15, 17] as const)('a handler that is killed, on PostgreSQL %i', (version) => {
  let server: Awaited<ReturnType<typeof startTenantServer>>;
  let db: TenantDatabase;
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
    server = await startTenantServer(version);
  }, 60_000);
  afterAll(async () => {
    await server?.stop();
    log.mockRestore();
    rmSync(bundle, { recursive: true });
  });

  /** Runs the handler in a process of its own and kills it (SIGKILL) after it reported so many changes. */
  async function runAndKill(desired: DesiredState, afterChanges: number): Promise<'killed' | 'done'> {
    const event = { RequestType: 'Create', ResourceProperties: { State: desired } };
    const script = `require(${JSON.stringify(join(bundle, 'index.js'))}).onEvent(${JSON.stringify(event)})`;
    const child = spawn(process.execPath, ['-e', script], {
      env: { ...process.env, ...db.environment },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    let changes = 0;
    for await (const line of createInterface(child.stdout)) {
      if (line.includes('"step"') && ++changes === afterChanges) child.kill('SIGKILL');
    }
    return child.signalCode === 'SIGKILL' || child.killed ? 'killed' : 'done';
  }

  test('after any of its changes leaves a server that the next run completes, with nobody’s rows open in between', async () => {
    let deaths = 0;
    for (let afterChanges = 1; ; afterChanges++) {
      db = await server.newDatabase();
      try {
        await db.master(`CREATE SCHEMA analytics`);
        await db.master(`
          CREATE TABLE analytics.orders (id bigint, tenant_id uuid NOT NULL);
          CREATE TABLE analytics.events (tenant_id uuid NOT NULL) PARTITION BY LIST (tenant_id);
          CREATE TABLE analytics.notes (body text);
          INSERT INTO analytics.orders VALUES (1, '${TENANTS[0].value}'), (2, '${TENANTS[1].value}')`);
        const desired = db.desired(TENANTS, TABLES);
        const end = await runAndKill(desired, afterChanges);
        for (const { id, value } of TENANTS) {
          const seen = await db
            .tenant<{ tenant_id: string }>(id, 'SELECT tenant_id FROM analytics.orders')
            .catch((error: Error) => {
              expect(error.message).toMatch(/authentication failed|permission denied/);
              return [];
            });
          expect(seen.filter((row) => row.tenant_id !== value)).toEqual([]);
        }
        await reconcile(desired, db.environment);
        expect((await reconcile(desired, db.environment)).changes).toEqual([]);
        for (const { id, value } of TENANTS) {
          expect(await db.tenant(id, 'SELECT tenant_id FROM orders')).toEqual([{ tenant_id: value }]);
        }
        if (end === 'done') break;
        deaths++;
      } finally {
        await db.drop();
      }
    }
    expect(deaths).toBeGreaterThan(10);
  }, 180_000);

  test('in the middle of a statement heals, too: its sessions end and give the lock back', async () => {
    db = await server.newDatabase();
    try {
      const desired = db.desired(TENANTS, TABLES);
      let killed = false;
      const first = reconcile(desired, db.environment, {
        onStatement: () => {
          if (killed) return;
          killed = true;
          void db.superuser(
            `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'superset-tenancy-provisioner'`,
          );
        },
      });
      await expect(first).rejects.toThrow();
      await reconcile(desired, db.environment);
      expect((await reconcile(desired, db.environment)).changes).toEqual([]);
    } finally {
      await db.drop();
    }
  }, 60_000);
});
