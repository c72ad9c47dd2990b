import { ATTACKER, BYSTANDER, VICTIM } from './attacked-database';

/** Something about others that a tenant may ask the server for. */
export interface Metadata {
  /** As it stands in docs/isolation.md. */
  readonly what: string;
  readonly sql: string | string[];
}

const partitionOf = (column: string) =>
  `SELECT ${column} AS seen FROM pg_class WHERE relname = 'events_${VICTIM.id}' AND relkind = 'r'`;

/** Each answers with something about the victim, in a column `seen`. */
export const VISIBLE: Metadata[] = [
  {
    what: 'names of all login roles, and so the ids and the number of tenants',
    sql: `SELECT rolname AS seen FROM pg_roles WHERE rolname = '${VICTIM.role}'`,
  },
  {
    what: 'limits and settings of all roles',
    sql: `SELECT rolconnlimit || rolconfig::text AS seen FROM pg_roles WHERE rolname = '${VICTIM.role}'`,
  },
  {
    what: 'membership of roles in roles',
    sql: `SELECT roleid::regrole AS seen FROM pg_auth_members WHERE member = '${VICTIM.role}'::regrole`,
  },
  {
    what: 'names of all databases',
    sql: `SELECT datname AS seen FROM pg_database WHERE datname = 'superset_metadata'`,
  },
  {
    what: 'names of schemas, tables, columns and indexes, those of other tenants too',
    sql: `SELECT attname AS seen FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid WHERE c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = '${VICTIM.schema}')`,
  },
  {
    what: 'definitions of views, functions and policies',
    sql: `SELECT prosrc AS seen FROM pg_proc WHERE proname = 'current_tenant' UNION ALL SELECT pg_get_expr(polqual, polrelid) FROM pg_policy`,
  },
  {
    what: "other tenants' values of the tenant column, if a table is partitioned: they are the partitions' bounds",
    sql: partitionOf('substring(pg_get_expr(relpartbound, oid) from $$' + VICTIM.value + '$$)'),
  },
  {
    what: "about how many rows each table and each tenant's partition has (reltuples)",
    sql: partitionOf('nullif(reltuples, -1)'),
  },
  {
    what: "the size of each table and each tenant's partition",
    sql: partitionOf('pg_relation_size(oid)'),
  },
  {
    what: 'how often each table was read and written',
    sql: `SELECT n_live_tup AS seen FROM pg_stat_user_tables WHERE relname = 'events_${VICTIM.id}'`,
  },
  {
    what: 'about how many rows a query would find without the policy (EXPLAIN), and how many the policy took away (EXPLAIN ANALYZE, where no index serves)',
    sql: [
      'SET enable_indexscan = off; SET enable_bitmapscan = off; SET enable_indexonlyscan = off',
      'EXPLAIN (ANALYZE, FORMAT JSON) SELECT * FROM orders',
    ],
  },
  {
    what: 'who is connected, from when on, to which database, with which application name',
    sql: `SELECT usename AS seen FROM pg_stat_activity WHERE usename = '${VICTIM.role}'`,
  },
  {
    what: 'which tables and advisory locks other sessions hold',
    sql: `SELECT l.pid AS seen FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE a.usename = '${VICTIM.role}' AND l.locktype = 'advisory'`,
  },
  {
    what: 'that a large object exists, and whose it is',
    sql: `SELECT oid AS seen FROM pg_largeobject_metadata WHERE lomowner = '${VICTIM.role}'::regrole`,
  },
  {
    what: "the server's version and most of its settings",
    sql: `SELECT setting AS seen FROM pg_settings WHERE name = 'max_connections'`,
  },
  { what: 'how many transactions the server has made', sql: 'SELECT pg_current_snapshot()::text AS seen' },
  {
    what: 'counters of each database',
    sql: `SELECT xact_commit AS seen FROM pg_stat_database WHERE datname = 'superset_metadata'`,
  },
  {
    what: 'comments on roles, databases and tables',
    sql: `SELECT shobj_description('${VICTIM.role}'::regrole, 'pg_authid') AS seen`,
  },
];

/** Each is refused, or says nothing about the victim. */
export const HIDDEN: Metadata[] = [
  {
    what: 'rows, values and statistics of columns',
    sql: `SELECT tablename FROM pg_stats WHERE tablename IN ('orders', 'events', 'events_${VICTIM.id}', 'events_${BYSTANDER.id}') OR schemaname = '${VICTIM.schema}'`,
  },
  { what: 'which tenant has which value, and what was deployed', sql: 'SELECT role, value FROM tenancy.tenant' },
  {
    what: "texts of others' queries, their state and their addresses",
    sql: `SELECT 1 FROM pg_stat_activity WHERE usename = '${VICTIM.role}' AND (query <> '<insufficient privilege>' OR state IS NOT NULL OR client_addr IS NOT NULL)`,
  },
  { what: 'password verifiers', sql: `SELECT rolpassword FROM pg_roles WHERE rolpassword <> '********'` },
  { what: 'the log, the configuration files and who may connect from where', sql: 'SELECT * FROM pg_hba_file_rules' },
  {
    what: 'prepared statements and cursors of other sessions',
    sql: 'SELECT name FROM pg_prepared_statements UNION ALL SELECT name FROM pg_cursors',
  },
  {
    what: 'the content of large objects of others',
    sql: `SELECT lo_get(oid) FROM pg_largeobject_metadata WHERE lomowner = '${VICTIM.role}'::regrole`,
  },
  {
    what: 'the next number of a sequence',
    sql: `SELECT last_value FROM pg_sequences WHERE sequencename = 'orders_id_seq' AND last_value IS NOT NULL`,
  },
];

/** What a tenant may do that others can notice. Each succeeds. */
export const ALLOWED: Metadata[] = [
  {
    what: 'set its own statement_timeout, work_mem and the like, for a session or for good',
    sql: `SET statement_timeout = 0; SET work_mem = '1GB'; SET idle_in_transaction_session_timeout = 0`,
  },
  {
    what: 'give up its read-only default; it still has no right to write',
    sql: 'SET default_transaction_read_only = off',
  },
  {
    what: 'change its own password, which locks Superset out until the next scheduled run',
    sql: `BEGIN READ WRITE; ALTER ROLE CURRENT_USER PASSWORD 'x'; ROLLBACK`,
  },
  {
    what: 'keep a transaction open, and with it a lock that DDL on the tables it read must wait for',
    sql: 'BEGIN; SELECT 1 FROM orders LIMIT 1',
  },
  { what: 'take advisory locks, which all tenants share', sql: 'SELECT pg_advisory_lock(42)' },
  {
    what: 'listen to and send notifications, which all tenants share',
    sql: `LISTEN anything; SELECT pg_notify('anything', 'x')`,
  },
  { what: 'write large objects, which take space', sql: `BEGIN READ WRITE; SELECT lo_from_bytea(0, 'x'); ROLLBACK` },
  { what: 'run anonymous blocks of PL/pgSQL, which may loop', sql: 'DO $$ BEGIN PERFORM 1; END $$' },
];

/** Sets the scene for what would be empty otherwise. */
export const COMMENT = `COMMENT ON ROLE ${VICTIM.role} IS 'somebody'; COMMENT ON ROLE ${ATTACKER.role} IS 'somebody else'`;
