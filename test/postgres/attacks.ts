import { ClientConfig } from 'pg';
import { ATTACKER, BYSTANDER, OWNER, TABLES, VICTIM } from './attacked-database';

/**
 * How an attack's last statement must end: refused with an SQLSTATE (an error of another kind proves nothing), with rows of
 * the attacker, or with success and nobody's rows.
 */
type Ending = 'own rows' | 'no rows' | string;

export interface Attack {
  readonly name: string;
  readonly sql: string | string[];
  readonly ends: Ending | Ending[];
  /** How to log in. @default - as the attacker, to its database */
  readonly login?: ClientConfig;
}

const DENIED = '42501';
const NO_PASSWORD = '2F003';

/** All that the attacker may read, without a word about tenants. */
const ALL = 'SELECT body FROM orders UNION ALL SELECT body FROM events UNION ALL SELECT body FROM notes';
const THEIRS = `SELECT body FROM orders WHERE tenant_id = '${VICTIM.value}' UNION ALL SELECT body FROM events WHERE tenant_id = '${VICTIM.value}'`;
const PARTITION = `tenancy_partitions.events_${VICTIM.id}`;
const [{ name: ORDERS }] = TABLES;

const sessionVariables: Attack[] = [
  {
    name: 'SET app.current_tenant',
    sql: [`SET app.current_tenant = '${VICTIM.value}'`, ALL],
    ends: 'own rows',
  },
  {
    name: 'SET LOCAL app.current_tenant in a transaction',
    sql: [`BEGIN; SET LOCAL app.current_tenant = '${VICTIM.value}'`, ALL],
    ends: 'own rows',
  },
  {
    name: 'set_config() in a CTE',
    sql: `WITH c AS MATERIALIZED (SELECT set_config('app.current_tenant', '${VICTIM.value}', false)) SELECT body FROM c, orders`,
    ends: 'own rows',
  },
  {
    name: 'set_config() in WHERE',
    sql: `SELECT body FROM orders WHERE set_config('app.current_tenant', '${VICTIM.value}', false) IS NOT NULL`,
    ends: 'own rows',
  },
  {
    name: 'set_config() in the select list',
    sql: [`SELECT set_config('app.current_tenant', '${VICTIM.value}', true), body FROM orders`, ALL],
    ends: 'own rows',
  },
  {
    name: 'a variable with the name of the function',
    sql: [`SET tenancy.current_tenant = '${VICTIM.value}'`, ALL],
    ends: 'own rows',
  },
  { name: 'SET row_security = off', sql: ['SET row_security = off', ALL], ends: DENIED },
  {
    name: "set_config('row_security') inside of the query",
    sql: `SELECT set_config('row_security', 'off', false), body FROM orders`,
    ends: 'own rows',
  },
  { name: 'SET session_replication_role', sql: 'SET session_replication_role = replica', ends: DENIED },
  { name: 'SET allow_system_table_mods', sql: 'SET allow_system_table_mods = on', ends: DENIED },
  { name: 'SET lo_compat_privileges', sql: 'SET lo_compat_privileges = on', ends: DENIED },
  { name: 'set_config(is_superuser)', sql: `SELECT set_config('is_superuser', 'on', false)`, ends: '55P02' },
  {
    name: 'a plan that prunes no partition',
    sql: ['SET enable_partition_pruning = off; SET constraint_exclusion = off', 'SELECT body FROM events'],
    ends: 'own rows',
  },
  {
    name: 'a parallel plan',
    sql: [
      'SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET enable_indexscan = off; SET enable_bitmapscan = off',
      'SET max_parallel_workers_per_gather = 4',
      'SELECT body FROM orders UNION ALL SELECT body FROM events',
    ],
    ends: 'own rows',
  },
  {
    name: 'plans in messages',
    sql: ['SET client_min_messages = debug5; SET debug_print_plan = on; SET debug_print_rewritten = on', ALL],
    ends: 'own rows',
  },
  { name: 'DISCARD ALL', sql: ['DISCARD ALL', ALL], ends: 'own rows' },
];

const roles: Attack[] = [
  {
    name: 'SET ROLE to the victim',
    sql: [`SET ROLE ${VICTIM.role}`, `SELECT body FROM ${VICTIM.schema}.notes`],
    ends: DENIED,
  },
  { name: 'SET ROLE to the loader', sql: `SET ROLE ${OWNER}`, ends: DENIED },
  { name: 'SET ROLE to the master user', sql: 'SET ROLE postgres', ends: DENIED },
  {
    name: "SET ROLE to all tenants' role",
    sql: ['SET ROLE tenancy_tenants', 'SELECT body FROM orders'],
    ends: 'own rows',
  },
  { name: "set_config('role')", sql: [`SELECT set_config('role', '${VICTIM.role}', false)`], ends: DENIED },
  { name: 'SET SESSION AUTHORIZATION', sql: `SET SESSION AUTHORIZATION ${VICTIM.role}`, ends: DENIED },
  {
    name: "set_config('session_authorization')",
    sql: `SELECT set_config('session_authorization', '${VICTIM.role}', false)`,
    ends: DENIED,
  },
  { name: 'RESET SESSION AUTHORIZATION', sql: ['RESET SESSION AUTHORIZATION; RESET ROLE', ALL], ends: 'own rows' },
  { name: 'its own BYPASSRLS', sql: 'ALTER ROLE CURRENT_USER BYPASSRLS', ends: DENIED },
  { name: 'its own SUPERUSER', sql: 'ALTER ROLE CURRENT_USER SUPERUSER', ends: DENIED },
  { name: 'its own CREATEROLE', sql: 'ALTER ROLE CURRENT_USER CREATEROLE', ends: DENIED },
  { name: 'its own CONNECTION LIMIT', sql: 'ALTER ROLE CURRENT_USER CONNECTION LIMIT -1', ends: DENIED },
  { name: 'its own VALID UNTIL', sql: `ALTER ROLE CURRENT_USER VALID UNTIL 'infinity'`, ends: DENIED },
  { name: "the victim's password", sql: `ALTER ROLE ${VICTIM.role} PASSWORD 'mine'`, ends: DENIED },
  { name: "the victim's settings", sql: `ALTER ROLE ${VICTIM.role} SET search_path = public`, ends: DENIED },
  { name: "the victim's name", sql: `ALTER ROLE ${VICTIM.role} RENAME TO gone`, ends: DENIED },
  { name: 'membership in the victim', sql: `GRANT ${VICTIM.role} TO ${ATTACKER.role}`, ends: DENIED },
  { name: 'membership in the loader', sql: `GRANT ${OWNER} TO ${ATTACKER.role}`, ends: DENIED },
  { name: 'membership in pg_read_all_data', sql: `GRANT pg_read_all_data TO ${ATTACKER.role}`, ends: DENIED },
  { name: 'a role of its own', sql: 'CREATE ROLE mine SUPERUSER', ends: DENIED },
  { name: 'DROP OWNED BY the victim', sql: `DROP OWNED BY ${VICTIM.role}`, ends: DENIED },
  { name: 'REASSIGN OWNED BY the loader', sql: `REASSIGN OWNED BY ${OWNER} TO ${ATTACKER.role}`, ends: DENIED },
  {
    name: 'a role as a start-up option',
    login: { options: `-c role=${VICTIM.role}` },
    sql: ALL,
    ends: DENIED,
  },
  {
    name: 'row_security off as a start-up option',
    login: { options: '-c row_security=off' },
    sql: ALL,
    ends: DENIED,
  },
  { name: "the victim's login with its own password", login: { user: VICTIM.role }, sql: ALL, ends: '28P01' },
  {
    name: 'a replication connection',
    login: { replication: 'database' } as ClientConfig,
    sql: 'IDENTIFY_SYSTEM',
    ends: [DENIED, '28000'],
  },
];

const tables: Attack[] = [
  ...['SELECT body FROM orders', 'SELECT body FROM events'].map((query): Attack => ({
    name: `another tenant's value: ${query}`,
    sql: `${query} WHERE tenant_id IN ('${VICTIM.value}', '${BYSTANDER.value}') OR tenant_id IS NULL`,
    ends: 'no rows',
  })),
  { name: 'DROP POLICY', sql: `DROP POLICY tenancy_isolation ON ${ORDERS}`, ends: DENIED },
  { name: 'ALTER POLICY', sql: 'ALTER POLICY tenancy_isolation ON orders USING (true)', ends: DENIED },
  { name: 'CREATE POLICY', sql: 'CREATE POLICY mine ON orders USING (true)', ends: DENIED },
  { name: 'DISABLE ROW LEVEL SECURITY', sql: 'ALTER TABLE orders DISABLE ROW LEVEL SECURITY', ends: DENIED },
  { name: 'ALTER TABLE … OWNER', sql: `ALTER TABLE orders OWNER TO ${ATTACKER.role}`, ends: DENIED },
  { name: 'GRANT on a table', sql: `GRANT ALL ON orders TO ${ATTACKER.role}`, ends: [DENIED, 'no rows'] },
  { name: "the victim's partition by name", sql: `SELECT body FROM ${PARTITION}`, ends: DENIED },
  {
    name: "the victim's partition by number",
    sql: `SELECT query_to_xml(format('SELECT * FROM %s', oid::regclass), true, false, '') FROM pg_class WHERE relname = 'events_${VICTIM.id}'`,
    ends: DENIED,
  },
  { name: 'SELECT FROM ONLY', sql: 'SELECT body FROM ONLY events', ends: 'no rows' },
  { name: 'DETACH PARTITION', sql: `ALTER TABLE events DETACH PARTITION ${PARTITION}`, ends: DENIED },
  { name: "the victim's schema", sql: `SELECT body FROM ${VICTIM.schema}.notes`, ends: DENIED },
  {
    name: "the victim's schema in the search_path",
    sql: [`SET search_path = ${VICTIM.schema}`, 'SELECT body FROM notes'],
    ends: '42P01',
  },
  { name: "a table in the victim's schema", sql: `CREATE TABLE ${VICTIM.schema}.mine (id int)`, ends: DENIED },
  { name: 'the pattern of its own table', sql: 'SELECT body FROM analytics.notes', ends: DENIED },
  {
    name: 'INSERT for the victim',
    sql: `INSERT INTO orders (id, tenant_id) VALUES (-1, '${VICTIM.value}')`,
    ends: DENIED,
  },
  {
    name: 'INSERT for itself',
    sql: `INSERT INTO orders (id, tenant_id) VALUES (-1, '${ATTACKER.value}')`,
    ends: DENIED,
  },
  { name: 'UPDATE', sql: `UPDATE orders SET tenant_id = '${VICTIM.value}'`, ends: DENIED },
  { name: 'DELETE … RETURNING', sql: 'DELETE FROM orders RETURNING *', ends: DENIED },
  {
    name: 'ON CONFLICT … RETURNING, to learn whose key it is',
    sql: `INSERT INTO orders (id, tenant_id) VALUES (60, '${ATTACKER.value}') ON CONFLICT (id) DO UPDATE SET amount = 0 RETURNING *`,
    ends: DENIED,
  },
  {
    name: 'MERGE',
    sql: `MERGE INTO orders o USING (SELECT '${VICTIM.value}'::uuid AS t) v ON o.tenant_id = v.t WHEN MATCHED THEN DELETE`,
    ends: DENIED,
  },
  { name: 'SELECT … FOR UPDATE', sql: 'SELECT body FROM orders FOR UPDATE', ends: DENIED },
  { name: 'TRUNCATE', sql: 'TRUNCATE orders', ends: DENIED },
  { name: 'LOCK TABLE', sql: 'BEGIN; LOCK TABLE orders IN ACCESS EXCLUSIVE MODE NOWAIT', ends: DENIED },
  { name: 'an index on a leaky expression', sql: 'CREATE INDEX ON orders ((1 / amount))', ends: DENIED },
  {
    name: 'a trigger',
    sql: 'CREATE TRIGGER t AFTER INSERT ON orders EXECUTE FUNCTION suppress_redundant_updates_trigger()',
    ends: DENIED,
  },
  { name: 'a rule', sql: 'CREATE RULE r AS ON SELECT TO orders DO INSTEAD SELECT 1', ends: [DENIED, '42809'] },
  {
    name: 'a foreign key, whose checks see all rows',
    sql: 'CREATE TABLE mine (o bigint REFERENCES analytics.orders)',
    ends: [DENIED, '3F000'],
  },
  {
    name: 'an inheriting table',
    sql: `CREATE TABLE ${ATTACKER.schema}.mine () INHERITS (analytics.orders)`,
    ends: DENIED,
  },
  { name: 'statistics of its own', sql: 'CREATE STATISTICS mine ON tenant_id, body FROM orders', ends: DENIED },
  { name: 'ANALYZE and VACUUM', sql: ['ANALYZE orders', 'VACUUM orders'], ends: 'no rows' },
  { name: "the sequence of everybody's keys", sql: 'SELECT last_value FROM orders_id_seq', ends: DENIED },
  { name: 'nextval()', sql: `SELECT nextval('orders_id_seq')`, ends: DENIED },
];

const mapping: Attack[] = [
  { name: 'the mapping table', sql: 'SELECT * FROM tenancy.tenant', ends: DENIED },
  { name: 'the stored state', sql: 'SELECT * FROM tenancy.desired', ends: DENIED },
  {
    name: 'another value in the mapping',
    sql: `UPDATE tenancy.tenant SET value = '${VICTIM.value}' WHERE role = session_user`,
    ends: DENIED,
  },
  {
    name: 'another line in the mapping',
    sql: `INSERT INTO tenancy.tenant VALUES ('${ATTACKER.role}', 'x', '${VICTIM.value}', 'b', 'retain', true)`,
    ends: DENIED,
  },
  {
    name: 'CREATE OR REPLACE of the function',
    sql: `CREATE OR REPLACE FUNCTION tenancy.current_tenant() RETURNS uuid LANGUAGE sql AS $$ SELECT '${VICTIM.value}'::uuid $$`,
    ends: DENIED,
  },
  { name: 'ALTER FUNCTION', sql: 'ALTER FUNCTION tenancy.current_tenant() SET search_path = public', ends: DENIED },
  {
    name: 'a table that shadows the mapping',
    sql: [
      `CREATE TEMP TABLE tenant AS SELECT session_user AS role, '${VICTIM.value}'::uuid AS value, true AS active`,
      'SET search_path = pg_temp, tenancy, analytics',
      'SELECT body FROM orders',
    ],
    ends: 'own rows',
  },
  {
    name: 'a function that shadows the function',
    sql: [
      `CREATE FUNCTION ${ATTACKER.schema}.current_tenant() RETURNS uuid LANGUAGE sql AS $$ SELECT '${VICTIM.value}'::uuid $$`,
      `SET search_path = ${ATTACKER.schema}, analytics`,
      'SELECT body FROM orders',
    ],
    ends: 'own rows',
  },
  { name: 'a call of the function', sql: 'SELECT tenancy.current_tenant()', ends: 'own rows' },
];

const making: Attack[] = [
  { name: 'a temporary table', sql: 'CREATE TEMP TABLE mine AS SELECT * FROM orders', ends: DENIED },
  { name: 'a temporary view', sql: 'CREATE TEMP VIEW mine AS SELECT * FROM orders', ends: DENIED },
  {
    name: 'a temporary leaky function',
    sql: `CREATE FUNCTION pg_temp.tell(t text) RETURNS bool LANGUAGE plpgsql COST 0.0001 AS $$ BEGIN RAISE NOTICE '%', t; RETURN true; END $$`,
    ends: DENIED,
  },
  ...['public', 'analytics', 'tenancy', ATTACKER.schema].map((schema): Attack => ({
    name: `a leaky function in schema ${schema}`,
    sql: `CREATE FUNCTION ${schema}.tell(t text) RETURNS bool LANGUAGE plpgsql COST 0.0001 AS $$ BEGIN RAISE NOTICE '%', t; RETURN true; END $$`,
    ends: DENIED,
  })),
  {
    name: 'a leaky operator',
    sql: `CREATE OPERATOR ${ATTACKER.schema}.<<< (FUNCTION = texteq, LEFTARG = text, RIGHTARG = text, RESTRICT = eqsel)`,
    ends: DENIED,
  },
  { name: 'a type', sql: `CREATE DOMAIN ${ATTACKER.schema}.d AS text CHECK (VALUE = '')`, ends: DENIED },
  {
    name: 'an aggregate',
    sql: `CREATE AGGREGATE ${ATTACKER.schema}.a (text) (SFUNC = textcat, STYPE = text)`,
    ends: DENIED,
  },
  { name: 'a schema', sql: 'CREATE SCHEMA mine', ends: DENIED },
  { name: 'a trusted extension', sql: 'CREATE EXTENSION pg_trgm', ends: DENIED },
  { name: 'an untrusted extension', sql: 'CREATE EXTENSION pageinspect', ends: DENIED },
  { name: 'a language', sql: 'CREATE LANGUAGE plpython3u', ends: ['42501', '42704', '42710'] },
  { name: 'a cast', sql: 'CREATE CAST (text AS int) WITH INOUT', ends: [DENIED, '42P17'] },
  {
    name: 'an event trigger',
    sql: 'CREATE EVENT TRIGGER t ON ddl_command_end EXECUTE FUNCTION pg_catalog.suppress_redundant_updates_trigger()',
    ends: DENIED,
  },
  { name: 'a publication', sql: 'CREATE PUBLICATION mine FOR TABLE orders', ends: DENIED },
  {
    name: 'a subscription',
    sql: `CREATE SUBSCRIPTION mine CONNECTION 'host=localhost' PUBLICATION p WITH (connect = false)`,
    ends: DENIED,
  },
  { name: 'a database', sql: 'CREATE DATABASE mine TEMPLATE analytics', ends: DENIED },
  {
    name: 'ALTER DATABASE',
    sql: `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET row_security = off', current_database()); END $$`,
    ends: DENIED,
  },
  { name: 'ALTER SYSTEM', sql: 'ALTER SYSTEM SET log_statement = none', ends: DENIED },
  {
    name: 'ALTER DEFAULT PRIVILEGES of the loader',
    sql: `ALTER DEFAULT PRIVILEGES FOR ROLE ${OWNER} GRANT SELECT ON TABLES TO ${ATTACKER.role}`,
    ends: DENIED,
  },
];

const server: Attack[] = [
  { name: 'COPY … TO PROGRAM', sql: `COPY (SELECT 1) TO PROGRAM 'cat'`, ends: DENIED },
  { name: 'COPY … FROM PROGRAM', sql: `COPY orders FROM PROGRAM 'true'`, ends: DENIED },
  { name: 'COPY … TO a file', sql: `COPY orders TO '/tmp/orders'`, ends: DENIED },
  { name: 'COPY … FROM a file', sql: `COPY orders FROM 'PG_VERSION'`, ends: DENIED },
  { name: 'COPY … FROM STDIN', sql: 'COPY orders FROM STDIN', ends: DENIED },
  { name: 'COPY of a table TO STDOUT', sql: 'COPY orders TO STDOUT', ends: 'own rows' },
  { name: 'COPY of a query TO STDOUT', sql: `COPY (${ALL}) TO STDOUT`, ends: 'own rows' },
  { name: 'pg_read_file()', sql: `SELECT pg_read_file('PG_VERSION')`, ends: DENIED },
  { name: 'pg_read_binary_file()', sql: `SELECT pg_read_binary_file('global/pg_control')`, ends: DENIED },
  { name: 'pg_ls_dir()', sql: `SELECT pg_ls_dir('.')`, ends: DENIED },
  { name: 'pg_stat_file()', sql: `SELECT pg_stat_file('PG_VERSION')`, ends: DENIED },
  {
    name: 'pg_ls_logdir() and pg_current_logfile()',
    sql: ['SELECT pg_ls_logdir()', 'SELECT pg_current_logfile()'],
    ends: DENIED,
  },
  { name: 'lo_import()', sql: `SELECT lo_import('/etc/passwd')`, ends: DENIED },
  { name: 'lo_export()', sql: `SELECT lo_export(1, '/tmp/x')`, ends: DENIED },
  {
    name: "the victim's large object",
    sql: `SELECT lo_get(oid) FROM pg_largeobject_metadata WHERE lomowner = '${VICTIM.role}'::regrole`,
    ends: DENIED,
  },
  { name: 'pg_largeobject', sql: 'SELECT data FROM pg_largeobject', ends: DENIED },
  { name: 'LOAD', sql: `LOAD 'auto_explain'`, ends: DENIED },
  { name: 'pg_authid', sql: 'SELECT rolpassword FROM pg_authid', ends: DENIED },
  { name: 'pg_hba_file_rules', sql: 'SELECT * FROM pg_hba_file_rules', ends: DENIED },
  { name: 'a replication slot', sql: `SELECT pg_create_logical_replication_slot('s', 'test_decoding')`, ends: DENIED },
  {
    name: 'dblink without a password',
    sql: `SELECT * FROM public.dblink('dbname=' || current_database(), 'SELECT body FROM analytics.orders') AS t (body text)`,
    ends: NO_PASSWORD,
  },
  { name: 'dblink_connect_u()', sql: `SELECT public.dblink_connect_u('user=postgres')`, ends: DENIED },
  {
    name: 'a server for postgres_fdw',
    sql: `CREATE SERVER mine FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host 'localhost')`,
    ends: DENIED,
  },
  ...['postgres', 'template1', 'rdsadmin', 'superset_metadata'].map((database): Attack => ({
    name: `database ${database}`,
    login: { database },
    sql: 'SELECT 1',
    ends: DENIED,
  })),
];

const views: Attack[] = [
  { name: "a view of the tables' owner", sql: 'SELECT body FROM loader_view', ends: DENIED },
  { name: "a view of the master user's", sql: 'SELECT body FROM master_view', ends: DENIED },
  { name: 'a materialised view', sql: 'SELECT body FROM frozen', ends: DENIED },
  { name: 'a table that was copied', sql: 'SELECT body FROM copied', ends: DENIED },
  { name: 'a security_invoker view', sql: 'SELECT body FROM invoker_view', ends: 'own rows' },
  { name: 'a SECURITY DEFINER function of the loader', sql: 'SELECT body FROM analytics.all_orders()', ends: DENIED },
  { name: 'REFRESH of a materialised view', sql: 'REFRESH MATERIALIZED VIEW frozen', ends: DENIED },
];

const queries: Attack[] = [
  { name: 'query_to_xml()', sql: `SELECT query_to_xml('${ALL}', true, false, '')`, ends: 'own rows' },
  { name: 'table_to_xml()', sql: `SELECT table_to_xml('orders', true, false, '')`, ends: 'own rows' },
  { name: 'schema_to_xml()', sql: `SELECT schema_to_xml('analytics', true, false, '')`, ends: 'own rows' },
  { name: 'database_to_xml()', sql: `SELECT database_to_xml(true, false, '')`, ends: ['own rows', DENIED] },
  {
    name: 'ts_stat()',
    sql: `SELECT * FROM ts_stat('SELECT array_to_tsvector(ARRAY[body]) FROM orders')`,
    ends: 'own rows',
  },
  { name: 'a cursor', sql: ['BEGIN', `DECLARE c CURSOR FOR ${ALL}`, 'FETCH ALL FROM c'], ends: 'own rows' },
  { name: 'a prepared statement', sql: [`PREPARE p AS ${ALL}`, 'EXECUTE p'], ends: 'own rows' },
  {
    name: 'DO with RAISE',
    sql: `DO $$ DECLARE t text; BEGIN FOR t IN ${ALL} LOOP RAISE NOTICE '%', t; END LOOP; END $$`,
    ends: 'own rows',
  },
  {
    name: 'EXPLAIN ANALYZE',
    sql: `EXPLAIN (ANALYZE, VERBOSE, SETTINGS) ${THEIRS}`,
    ends: 'no rows',
  },
  {
    name: 'an error that quotes a row: a cast',
    sql: 'SELECT body::int FROM orders',
    ends: '22P02',
  },
  {
    name: 'an error that quotes a row: a cast of theirs',
    sql: `SELECT 1 FROM orders WHERE body::int = 1 AND tenant_id = '${VICTIM.value}'`,
    ends: 'no rows',
  },
  {
    name: 'an error that tells of a row: a division',
    sql: `SELECT 'FOUND' FROM orders WHERE 1 / (CASE WHEN tenant_id = '${VICTIM.value}' THEN 0 ELSE 1 END) = 1`,
    ends: 'no rows',
  },
  {
    name: 'an error that tells of a row: a subquery',
    sql: `SELECT 1 / (CASE WHEN EXISTS (${THEIRS}) THEN 0 ELSE 1 END)`,
    ends: 'no rows',
  },
  {
    name: 'a cheap leaky operator before the policy',
    sql: `SELECT count(*) FROM orders WHERE amount / (amount - 2001) > 0`,
    ends: 'no rows',
  },
  {
    name: 'an outer join to a row of theirs',
    sql: `SELECT o.body FROM (VALUES (1)) v LEFT JOIN orders o ON o.tenant_id = '${VICTIM.value}'`,
    ends: 'no rows',
  },
  {
    name: 'a lateral join',
    sql: 'SELECT x.body FROM orders o, LATERAL (SELECT body FROM orders i WHERE i.tenant_id <> o.tenant_id) x',
    ends: 'no rows',
  },
  {
    name: 'a recursive query',
    sql: `WITH RECURSIVE r AS (SELECT id, body FROM orders WHERE id = 1 UNION SELECT o.id, o.body FROM orders o JOIN r ON o.id = r.id + 1) SELECT body FROM r`,
    ends: 'own rows',
  },
  {
    name: 'aggregates over all',
    sql: 'SELECT tenant_id, max(body), array_agg(DISTINCT body) FROM orders GROUP BY ROLLUP (tenant_id)',
    ends: 'own rows',
  },
  { name: 'whole rows', sql: 'SELECT o, to_jsonb(o) FROM orders o', ends: 'own rows' },
  { name: 'TABLESAMPLE', sql: 'SELECT body FROM orders TABLESAMPLE SYSTEM (100)', ends: 'own rows' },
  {
    name: 'rows by ctid',
    sql: `SELECT body FROM orders WHERE ctid = ANY (ARRAY(SELECT format('(%s,%s)', p, i)::tid FROM generate_series(0, 9) p, generate_series(1, 200) i))`,
    ends: 'own rows',
  },
  { name: 'a range of ctid', sql: `SELECT body FROM orders WHERE ctid >= '(0,0)'`, ends: 'own rows' },
  { name: 'rows by xmin', sql: 'SELECT body FROM orders WHERE xmin IS NOT NULL', ends: 'own rows' },
  {
    name: 'rows by tableoid',
    sql: `SELECT body FROM events WHERE tableoid IN (SELECT oid FROM pg_class WHERE relname = 'events_${VICTIM.id}')`,
    ends: 'no rows',
  },
  { name: 'currtid2()', sql: `SELECT currtid2('analytics.orders', '(0,60)')`, ends: ['no rows', '42883'] },
];

const catalogs: Attack[] = [
  {
    name: 'pg_stats',
    sql: `SELECT * FROM pg_stats WHERE schemaname NOT IN ('pg_catalog', 'information_schema', '${ATTACKER.schema}')`,
    ends: 'no rows',
  },
  { name: 'pg_stats_ext', sql: 'SELECT * FROM pg_stats_ext', ends: 'no rows' },
  { name: 'pg_stats_ext_exprs', sql: 'SELECT * FROM pg_stats_ext_exprs', ends: 'no rows' },
  { name: 'pg_statistic', sql: 'SELECT * FROM pg_statistic', ends: DENIED },
  { name: 'pg_statistic_ext_data', sql: 'SELECT * FROM pg_statistic_ext_data', ends: DENIED },
  {
    name: 'estimates that read statistics through a leaky operator',
    sql: `EXPLAIN SELECT 1 FROM orders WHERE body ~ '^[a-z]+-[0-9]{4}$' AND amount / nullif(amount, 2001) > 0`,
    ends: 'no rows',
  },
  {
    name: 'query texts in pg_stat_activity',
    sql: `SELECT query FROM pg_stat_activity WHERE usename = '${VICTIM.role}'`,
    ends: 'no rows',
  },
  {
    name: 'pg_stat_get_backend_activity()',
    sql: 'SELECT pg_stat_get_backend_activity(id) FROM pg_stat_get_backend_idset() id',
    ends: 'no rows',
  },
  {
    name: 'pg_prepared_statements and pg_cursors',
    sql: ['SELECT * FROM pg_prepared_statements', 'SELECT * FROM pg_cursors'],
    ends: 'no rows',
  },
  { name: "the victim's prepared statement", sql: 'EXECUTE victims', ends: '26000' },
  { name: 'PREPARE TRANSACTION', sql: ['BEGIN', `PREPARE TRANSACTION 'mine'`], ends: '55000' },
  {
    name: 'a snapshot of the victim',
    sql: ['BEGIN ISOLATION LEVEL REPEATABLE READ', 'SELECT pg_export_snapshot()', ALL],
    ends: 'own rows',
  },
  { name: 'LISTEN', sql: ['LISTEN orders', 'SELECT pg_listening_channels()'], ends: 'no rows' },
];

const others: Attack[] = [
  {
    name: 'pg_terminate_backend()',
    sql: `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '${VICTIM.role}'`,
    ends: DENIED,
  },
  {
    name: 'pg_cancel_backend()',
    sql: `SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE usename = '${VICTIM.role}'`,
    ends: DENIED,
  },
  {
    name: 'pg_log_backend_memory_contexts()',
    sql: `SELECT pg_log_backend_memory_contexts(pid) FROM pg_stat_activity WHERE usename = '${VICTIM.role}'`,
    ends: DENIED,
  },
  {
    name: "the victim's advisory lock",
    sql: ['SELECT pg_advisory_unlock(1)', 'SELECT pg_try_advisory_lock(1)'],
    ends: 'no rows',
  },
  { name: 'pg_reload_conf()', sql: 'SELECT pg_reload_conf()', ends: DENIED },
  { name: 'pg_stat_reset()', sql: 'SELECT pg_stat_reset()', ends: DENIED },
  { name: 'COMMENT ON ROLE of the victim', sql: `COMMENT ON ROLE ${VICTIM.role} IS 'x'`, ends: DENIED },
];

/** What a tenant who types SQL may try, by kind. */
export const ATTACKS: Record<string, Attack[]> = {
  'session variables': sessionVariables,
  roles,
  tables,
  'the mapping of roles to tenants': mapping,
  'making objects': making,
  'the server and its databases': server,
  'what others left about': views,
  queries,
  catalogs,
  'sessions of others': others,
};
