import { readFileSync } from 'node:fs';
import { Client, ClientConfig } from 'pg';
import { DesiredState, LOADER_ROLE, tenantRoleName, tenantSchemaName } from '../../lib/provisioning/desired-state';
import { reconcile, reconcileStored } from '../../lib/provisioning/handler/reconcile';
import { startTenantServer } from '../provisioning/tenant-server';

/** A tenant whose rows can be told from any other's, wherever they turn up. */
export interface MarkedTenant {
  readonly id: string;
  readonly value: string;
  readonly role: string;
  readonly schema: string;
  /** Text in each of its rows; nobody else has a reason to know it. */
  readonly canary: string;
}

function marked(id: string, value: string, canary: string): MarkedTenant {
  return { id, value, role: tenantRoleName(id), schema: tenantSchemaName(id), canary };
}

export const ATTACKER = marked('tk4q9w', '7d9f5a30-1c2b-4f5e-8a67-0d1e2f3a4b5c', 'otter-4711');
export const VICTIM = marked('tz81mm', 'c0ffee00-9b1d-4e2f-b3a4-5c6d7e8f9a0b', 'heron-9033');
export const BYSTANDER = marked('tp20xd', 'badc0de0-3e4f-4a5b-9c6d-7e8f9a0b1c2d', 'lynx-6127');
const TENANTS = [ATTACKER, VICTIM, BYSTANDER];

export const TABLES: DesiredState['tables'] = [
  { name: 'orders', strategy: 'column' },
  { name: 'events', strategy: 'partitioned' },
  { name: 'notes', strategy: 'schema' },
];

/** What a careless operator leaves about: each shows everybody's rows to whoever may read it. */
const CARELESS = `
  CREATE VIEW analytics.loader_view AS SELECT * FROM analytics.orders;
  CREATE VIEW analytics.invoker_view WITH (security_invoker = true) AS SELECT * FROM analytics.orders;
  CREATE MATERIALIZED VIEW analytics.frozen AS SELECT * FROM analytics.orders;
  CREATE TABLE analytics.copied AS SELECT * FROM analytics.orders;
  CREATE FUNCTION analytics.all_orders() RETURNS SETOF analytics.orders LANGUAGE sql SECURITY DEFINER
    AS 'SELECT * FROM analytics.orders';
  GRANT EXECUTE ON FUNCTION analytics.all_orders() TO PUBLIC;
  GRANT SELECT ON ALL TABLES IN SCHEMA analytics TO PUBLIC;
  GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA analytics TO PUBLIC;`;

/** Three tenants with rows of each strategy, made by the provisioner on a real server, and what somebody left about. */
export async function startAttackedDatabase(version: 15 | 17) {
  const server = await startTenantServer(version);
  try {
    return await populate(server);
  } catch (error) {
    await server.stop();
    throw error;
  }
}

async function populate(server: Awaited<ReturnType<typeof startTenantServer>>) {
  const db = await server.newDatabase();
  const run = (desired: DesiredState) => reconcile(desired, db.environment);

  await run(db.desired([], TABLES, { batch: 'cell' }));
  await db.loader(`
    CREATE TABLE analytics.orders (id bigserial PRIMARY KEY, tenant_id uuid NOT NULL, body text, amount numeric);
    CREATE TABLE analytics.events (tenant_id uuid NOT NULL, at timestamptz DEFAULT now(), body text) PARTITION BY LIST (tenant_id);
    CREATE TABLE analytics.notes (id bigint, body text);
    CREATE STATISTICS analytics.orders_statistics (mcv) ON tenant_id, body FROM analytics.orders;`);
  const desired = db.desired(
    TENANTS.map(({ id, value }) => ({ id, value, connections: '3' })),
    TABLES,
  );
  await run(desired);
  for (const [i, { value, schema, canary }] of TENANTS.entries()) {
    await db.loader(`
      INSERT INTO analytics.orders (tenant_id, body, amount)
        SELECT '${value}', '${canary}', 1000 * ${i + 1} + n FROM generate_series(1, ${50 * (i + 1)}) n;
      INSERT INTO analytics.events (tenant_id, body) SELECT '${value}', '${canary}' FROM generate_series(1, ${20 * (i + 1)});
      INSERT INTO ${schema}.notes SELECT n, '${canary}' FROM generate_series(1, ${10 * (i + 1)}) n;
      ANALYZE analytics.orders; ANALYZE analytics.events; ANALYZE ${schema}.notes;`);
  }
  await db.loader(CARELESS);
  await db.master(
    `CREATE VIEW analytics.master_view AS SELECT * FROM analytics.orders; GRANT SELECT ON analytics.master_view TO PUBLIC`,
  );
  await db.master('CREATE DATABASE superset_metadata');
  await db.superuser('CREATE EXTENSION dblink; CREATE EXTENSION postgres_fdw');
  await run(desired);

  const { postgres, secrets } = server;
  const login = (id: string) => secrets.get(`superset/tenant/${id}/db_credentials`) as Record<string, string>;

  async function connect(options: ClientConfig): Promise<Client> {
    const ssl = { ca: readFileSync(postgres.caFile, 'utf8') };
    const client = new Client({ host: postgres.host, port: postgres.port, database: db.name, ssl, ...options });
    client.on('error', () => undefined);
    await client.connect();
    return client;
  }
  const { username, password } = postgres.superuser;
  const overseer = await connect({ user: username, password });
  const victim = await connect({ user: VICTIM.role, password: login(VICTIM.id).password });
  // What a session of the victim holds while somebody attacks.
  await victim.query('SET default_transaction_read_only = off; SET idle_in_transaction_session_timeout = 0');
  await victim.query(`SELECT lo_from_bytea(0, '${VICTIM.canary}')`);
  await victim.query(`PREPARE victims AS SELECT '${VICTIM.canary}'`);
  await victim.query(`BEGIN; DECLARE victims CURSOR FOR SELECT '${VICTIM.canary}'; SELECT pg_advisory_lock(1)`);

  return {
    ...db,
    desired,
    reconcile: () => run(desired),
    scheduledRun: () => reconcileStored(db.environment),
    connect,
    /** Logs in as the attacker, with its real password. */
    attacker: (options: ClientConfig = {}) =>
      connect({ user: ATTACKER.role, password: login(ATTACKER.id).password, ...options }),
    victimIsConnected: async () => (await victim.query('SELECT 1')).rowCount === 1,
    /** All that an attack must leave as it was: rows, rights, policies, roles. */
    async state(): Promise<string> {
      const { rows } = await overseer.query<{ state: string }>(STATE);
      return rows.map(({ state }) => state).join('\n');
    },
    oversee: (statement: string) => overseer.query(statement),
    async stop() {
      await Promise.all([overseer.end(), victim.end()]);
      await server.stop();
      TENANTS.forEach(({ id }) => server.secrets.delete(`superset/tenant/${id}/db_credentials`));
    },
  };
}

export type AttackedDatabase = Awaited<ReturnType<typeof startAttackedDatabase>>;

const rowsOf = (table: string) =>
  `SELECT format('rows of ${table} %s', string_agg(t::text, ' ' ORDER BY t::text)) FROM ${table} t`;

const STATE = `
  SELECT format('relation %s %s %s %s %s', oid::regclass, relowner::regrole, relrowsecurity, relforcerowsecurity, relacl) AS state
    FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND relnamespace::regnamespace::text !~ '^(pg_|information_schema)'
   UNION ALL
  SELECT format('policy %s %s %s %s', polrelid::regclass, polname, pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid)) FROM pg_policy
   UNION ALL
  SELECT format('role %s %s %s %s %s %s %s %s %s', rolname, rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolcanlogin, rolbypassrls, rolconnlimit, rolpassword) FROM pg_authid
   UNION ALL
  SELECT format('member %s of %s', member::regrole, roleid::regrole) FROM pg_auth_members
   UNION ALL
  SELECT format('setting %s %s', setrole::regrole, setconfig) FROM pg_db_role_setting
   UNION ALL
  SELECT format('function %s %s %s %s', oid::regprocedure, proowner::regrole, proacl, prosrc) FROM pg_proc WHERE oid >= 16384
   UNION ALL
  SELECT format('schema %s %s %s', nspname, nspowner::regrole, nspacl) FROM pg_namespace WHERE nspname !~ '^pg_(toast|temp)'
   UNION ALL
  SELECT format('database %s %s', datname, datacl) FROM pg_database
   UNION ALL ${[
     'tenancy.tenant',
     'tenancy.desired',
     'analytics.orders',
     'analytics.events',
     ...TENANTS.map(({ schema }) => `${schema}.notes`),
   ]
     .map(rowsOf)
     .join(' UNION ALL ')}
   ORDER BY 1`;

/** Who owns the tables. */
export const OWNER = LOADER_ROLE;
