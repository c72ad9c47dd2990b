import { DesiredState, LOADER_ROLE, TENANTS_ROLE } from '../desired-state';
import { ProvisioningError } from './provisioning-error';
import { Change, Session, Work } from './session';
import { Sql, identifier, sql } from './sql';

const STEP = 'tables';

/** Name of the policy that keeps tenants apart, and of the loader's, on every table. */
export const ISOLATION_POLICY = 'tenancy_isolation';
export const LOADER_POLICY = 'tenancy_loader';

/** Above this size an index is built beside the table's work, not in its way. */
const SMALL_TABLE_BYTES = 64 * 1024 * 1024;

/** A declared table of strategy `column` or `partitioned`, as it is. */
interface TableState {
  readonly name: string;
  readonly strategy: 'column' | 'partitioned';
  readonly kind: string;
  readonly owner: string;
  readonly ownerIsMaster: boolean;
  readonly mayActAsOwner: boolean;
  readonly columnType: string | null;
  readonly listedByTenant: boolean;
  readonly bytes: string;
  readonly hasIndex: boolean;
  readonly brokenIndex: boolean;
  readonly enabled: boolean;
  readonly forced: boolean;
  readonly isolated: boolean;
  readonly loaderPolicy: boolean;
  readonly otherPermissive: string[];
  readonly tenantsSelect: boolean;
  readonly loaderMay: boolean;
}

/** Protects each declared table that exists, and says which do not. */
export async function protectTables(
  master: Session,
  desired: DesiredState,
): Promise<{ readonly changes: Change[]; readonly pending: string[] }> {
  const states = await readTables(master, desired);
  const changes: Change[] = [];
  const failures: ProvisioningError[] = [];
  for (const state of states) {
    try {
      refuseWhatCannotBe(state, desired);
      changes.push(...(await protectTable(master, desired, state)));
    } catch (error) {
      if (!(error instanceof ProvisioningError)) throw error;
      failures.push(error);
    }
  }
  if (failures.length > 0) {
    throw new ProvisioningError(STEP, failures.map(({ reason }) => reason).join('; '));
  }
  const pending = desired.tables
    .filter(({ name, strategy }) => strategy !== 'schema' && !states.some((state) => state.name === name))
    .map(({ name }) => `${desired.schema}.${name}`);
  return { changes, pending };
}

async function readTables(master: Session, { schema, tenantColumn, tables }: DesiredState): Promise<TableState[]> {
  const declared = tables.filter(({ strategy }) => strategy !== 'schema');
  return master.rows<TableState>(
    `SELECT c.relname AS name, want.strategy, c.relkind AS kind,
            o.rolname AS owner, o.rolname = current_user AS "ownerIsMaster",
            pg_has_role(c.relowner, $10) AS "mayActAsOwner",
            format_type(a.atttypid, -1) AS "columnType",
            coalesce(p.partstrat = 'l' AND p.partnatts = 1 AND p.partattrs[0] = a.attnum, false) AS "listedByTenant",
            pg_relation_size(c.oid) AS bytes,
            EXISTS (SELECT FROM pg_index i JOIN pg_class ic ON ic.oid = i.indexrelid JOIN pg_am am ON am.oid = ic.relam
                     WHERE i.indrelid = c.oid AND i.indisvalid AND i.indpred IS NULL
                       AND i.indkey[0] = a.attnum AND am.amname = 'btree') AS "hasIndex",
            EXISTS (SELECT FROM pg_index i JOIN pg_class ic ON ic.oid = i.indexrelid
                     WHERE i.indrelid = c.oid AND NOT i.indisvalid AND ic.relname = $5 || c.oid) AS "brokenIndex",
            c.relrowsecurity AS enabled, c.relforcerowsecurity AS forced,
            EXISTS (SELECT FROM pg_policy y
                     WHERE y.polrelid = c.oid AND y.polname = $6 AND y.polpermissive AND y.polcmd = '*'
                       AND y.polroles = ARRAY[0::oid]
                       AND pg_get_expr(y.polqual, c.oid) = e.expression
                       AND pg_get_expr(y.polwithcheck, c.oid) = e.expression) AS isolated,
            EXISTS (SELECT FROM pg_policy y
                     WHERE y.polrelid = c.oid AND y.polname = $7 AND y.polpermissive AND y.polcmd = '*'
                       AND y.polroles = ARRAY[to_regrole($8)::oid]
                       AND pg_get_expr(y.polqual, c.oid) = 'true'
                       AND pg_get_expr(y.polwithcheck, c.oid) = 'true') AS "loaderPolicy",
            ARRAY(SELECT y.polname::text FROM pg_policy y
                   WHERE y.polrelid = c.oid AND y.polpermissive AND y.polname NOT IN ($6, $7)) AS "otherPermissive",
            EXISTS (SELECT FROM aclexplode(c.relacl) g
                     WHERE g.grantee = to_regrole($9) AND g.privilege_type = 'SELECT') AS "tenantsSelect",
            (SELECT count(*) = 5 FROM aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) g
              WHERE g.grantee = to_regrole($8)
                AND g.privilege_type IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE')) AS "loaderMay"
       FROM unnest($2::text[], $3::text[]) AS want (name, strategy)
       JOIN pg_class c ON c.relname = want.name AND c.relnamespace = to_regnamespace(quote_ident($1))
       JOIN pg_roles o ON o.oid = c.relowner
       LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = $4 AND NOT a.attisdropped
       LEFT JOIN pg_partitioned_table p ON p.partrelid = c.oid
      CROSS JOIN LATERAL (SELECT format('(%I = ( SELECT tenancy.current_tenant() AS current_tenant))', a.attname) AS expression) e
      ORDER BY c.relname`,
    [
      schema,
      declared.map(({ name }) => name),
      declared.map(({ strategy }) => strategy),
      tenantColumn.name,
      INDEX_PREFIX,
      ISOLATION_POLICY,
      LOADER_POLICY,
      LOADER_ROLE,
      TENANTS_ROLE,
      await master.actingPrivilege(),
    ],
  );
}

function refuseWhatCannotBe(state: TableState, { schema, tenantColumn }: DesiredState): void {
  const table = `${schema}.${state.name}`;
  const refuse = (reason: string) => {
    throw new ProvisioningError(STEP, `table ${table} ${reason}`);
  };
  if (state.kind !== 'r' && state.kind !== 'p') {
    refuse(
      `is no table (relkind ${state.kind}): row-level security works on tables only. Declare the table under it, or drop it`,
    );
  }
  if (state.columnType !== tenantColumn.type) {
    refuse(
      state.columnType === null
        ? `has no column ${tenantColumn.name}: add it as ${tenantColumn.type}, or declare the table with strategy schema`
        : `has ${tenantColumn.name} as ${state.columnType}, but the file says ${tenantColumn.type}: ` +
            'a cast would hide the index. Change the type of the one or the other',
    );
  }
  if (state.strategy === 'partitioned' && !state.listedByTenant) {
    const [name, key] = [identifier(schema, state.name).text, identifier(tenantColumn.name).text];
    refuse(
      `is not partitioned BY LIST (${key}), and is not converted behind your back. As its owner: ` +
        `1. ALTER TABLE ${name} RENAME TO ${identifier(`${state.name}_old`).text}; ` +
        `2. CREATE TABLE ${name} (LIKE ${identifier(schema, `${state.name}_old`).text} INCLUDING DEFAULTS INCLUDING CONSTRAINTS) ` +
        `PARTITION BY LIST (${key}); 3. deploy again, which makes the partitions; ` +
        `4. INSERT INTO ${name} SELECT * FROM ${identifier(schema, `${state.name}_old`).text}; 5. drop the old table. ` +
        'Or declare it with strategy column',
    );
  }
  if (!state.mayActAsOwner) {
    refuse(
      `belongs to ${state.owner}, as which the provisioner may not act. As its owner: ` +
        `ALTER TABLE ${identifier(schema, state.name).text} OWNER TO ${identifier(LOADER_ROLE).text}`,
    );
  }
}

const INDEX_PREFIX = 'tenancy_tenant_idx_';

async function protectTable(master: Session, desired: DesiredState, state: TableState): Promise<Change[]> {
  const table = identifier(desired.schema, state.name);
  const as = state.ownerIsMaster ? {} : { as: state.owner };
  const index = await ensureIndex(master, desired, state);
  const policy = [
    ...(state.enabled ? [] : [sql`ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY`]),
    ...(state.forced ? [] : [sql`ALTER TABLE ${table} FORCE ROW LEVEL SECURITY`]),
    ...(state.isolated ? [] : isolationPolicy(table, desired.tenantColumn.name)),
    ...(state.loaderPolicy ? [] : loaderPolicy(table)),
    ...state.otherPermissive.map((name) => sql`DROP POLICY ${identifier(name)} ON ${table}`),
  ];
  const grants: Sql[] = [
    ...(state.loaderMay
      ? []
      : [sql`GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON ${table} TO ${identifier(LOADER_ROLE)}`]),
    ...(state.tenantsSelect ? [] : [sql`GRANT SELECT ON ${table} TO ${identifier(TENANTS_ROLE)}`]),
  ];
  const work: Work = {
    step: STEP,
    what: `${desired.schema}.${state.name} protected`,
    statements: [...policy, ...grants],
    ...as,
  };
  return [...index, ...(await master.apply(work))];
}

function isolationPolicy(table: Sql, column: string): Sql[] {
  const own = sql`${identifier(column)} = (SELECT tenancy.current_tenant())`;
  return [
    sql`DROP POLICY IF EXISTS ${identifier(ISOLATION_POLICY)} ON ${table}`,
    sql`CREATE POLICY ${identifier(ISOLATION_POLICY)} ON ${table} USING (${own}) WITH CHECK (${own})`,
  ];
}

function loaderPolicy(table: Sql): Sql[] {
  return [
    sql`DROP POLICY IF EXISTS ${identifier(LOADER_POLICY)} ON ${table}`,
    sql`CREATE POLICY ${identifier(LOADER_POLICY)} ON ${table} TO ${identifier(LOADER_ROLE)} USING (true) WITH CHECK (true)`,
  ];
}

/** An index that leads with the tenant column; within a partition of one tenant it would select nothing. */
async function ensureIndex(master: Session, desired: DesiredState, state: TableState): Promise<Change[]> {
  if (state.hasIndex || state.strategy === 'partitioned') {
    return [];
  }
  const table = identifier(desired.schema, state.name);
  const [{ oid }] = await master.rows<{ oid: string }>(`SELECT to_regclass($1)::oid AS oid`, [table.text]);
  const name = identifier(`${INDEX_PREFIX}${oid}`);
  const change = { step: STEP, what: `index on ${desired.schema}.${state.name} (${desired.tenantColumn.name}) built` };
  const column = identifier(desired.tenantColumn.name);
  const as = state.ownerIsMaster ? {} : { as: state.owner };
  if (state.kind === 'p' || Number(state.bytes) <= SMALL_TABLE_BYTES) {
    const broken = state.brokenIndex ? [sql`DROP INDEX ${identifier(desired.schema)}.${name}`] : [];
    return master.apply({
      ...change,
      statements: [...broken, sql`CREATE INDEX ${name} ON ${table} (${column})`],
      ...as,
    });
  }
  return master.concurrently({ ...change, ...as }, [
    ...(state.brokenIndex ? [sql`DROP INDEX CONCURRENTLY ${identifier(desired.schema)}.${name}`] : []),
    sql`CREATE INDEX CONCURRENTLY ${name} ON ${table} (${column})`,
  ]);
}
