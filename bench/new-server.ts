import { DesiredState } from '../lib/provisioning/desired-state';
import { ReconcileOptions, reconcile } from '../lib/provisioning/handler/reconcile';
import { startTenantServer } from '../test/provisioning/tenant-server';

/** One table of each strategy. */
const TABLES: DesiredState['tables'] = [
  { name: 'orders', strategy: 'column' },
  { name: 'events', strategy: 'partitioned' },
  { name: 'notes', strategy: 'schema' },
];

/** A new server that waits for its tenants: one table of each strategy, protected, and nobody in them. */
export async function startNewServer() {
  const server = await startTenantServer(17);
  const db = await server.newDatabase();
  const run = (desired: DesiredState, options?: ReconcileOptions) =>
    quietly(() => reconcile(desired, db.environment, options));
  await run(db.desired([], TABLES, { batch: 'cell' }));
  await db.loader(`
    CREATE TABLE analytics.orders (id bigint, tenant_id uuid NOT NULL, amount numeric);
    CREATE TABLE analytics.events (tenant_id uuid NOT NULL, at timestamptz, kind text) PARTITION BY LIST (tenant_id);
    CREATE TABLE analytics.notes (id bigint, body text)`);
  await run(db.desired([], TABLES, { batch: 'cell' }));
  return {
    postgres: server.postgres,
    database: db.name,
    provision: (desired: DesiredState, options?: ReconcileOptions) => run(desired, options),
    tenants: (count: number) =>
      db.desired(
        Array.from({ length: count }, (_, i) => ({
          id: `t${String(i).padStart(4, '0')}`,
          value: `00000000-0000-4000-8000-${String(i).padStart(12, '0')}`,
        })),
        TABLES,
      ),
    async stop() {
      await server.stop();
      // The next server has another port, which its secrets must name.
      server.secrets.clear();
    },
  };
}

/** The handler writes a line for each change, which belongs in a log. */
async function quietly<Result>(run: () => Promise<Result>): Promise<Result> {
  const { log } = console;
  console.log = () => undefined;
  try {
    return await run();
  } finally {
    console.log = log;
  }
}
