import { DesiredState, LOADER_ROLE, TENANTS_ROLE } from '../desired-state';
import { ProvisioningError } from './provisioning-error';
import { Change, Session } from './session';
import { Sql, columnType, identifier, literal, sql } from './sql';

const STEP = 'tenancy schema';

/** Schema of the partitions, which nobody but the loader enters by name. */
export const PARTITIONS_SCHEMA = 'tenancy_partitions';

const TENANTS = identifier(TENANTS_ROLE);
const LOADER = identifier(LOADER_ROLE);

/**
 * The schema `tenancy`: which login role is which tenant, and the function that tells a policy so.
 *
 * The mapping table has row-level security without a policy: its owner reads it, through the function, and nobody else
 * whatever is granted by mistake.
 */
export async function ensureTenancySchema(master: Session, desired: DesiredState): Promise<Change[]> {
  return [
    ...(await ensureMapping(master, desired.tenantColumn.type)),
    ...(await ensureFunction(master, desired.tenantColumn.type)),
    ...(await ensureSchemas(master, desired.schema)),
    ...(await ensureDefaultPrivileges(master)),
  ];
}

async function ensureMapping(master: Session, type: DesiredState['tenantColumn']['type']): Promise<Change[]> {
  const [{ existing }] = await master.rows<{ existing: string | null }>(
    `SELECT (SELECT format_type(atttypid, atttypmod) FROM pg_attribute
              WHERE attrelid = to_regclass('tenancy.tenant') AND attname = 'value') AS existing`,
  );
  if (existing === null) {
    const statements = [
      sql`CREATE SCHEMA IF NOT EXISTS tenancy`,
      sql`CREATE TABLE tenancy.tenant (
            role name PRIMARY KEY,
            id text NOT NULL UNIQUE,
            value ${columnType(type)} NOT NULL UNIQUE,
            batch text NOT NULL,
            removal_policy text NOT NULL CHECK (removal_policy IN ('retain', 'destroy')),
            active boolean NOT NULL,
            proof text,
            proved_at timestamptz)`,
      sql`CREATE TABLE IF NOT EXISTS tenancy.desired (batch text PRIMARY KEY, state jsonb NOT NULL)`,
      sql`ALTER TABLE tenancy.tenant ENABLE ROW LEVEL SECURITY`,
      sql`ALTER TABLE tenancy.desired ENABLE ROW LEVEL SECURITY`,
    ];
    return master.apply({ step: STEP, what: 'mapping table created', statements });
  }
  if (existing !== type) {
    throw new ProvisioningError(
      STEP,
      `the tenant column's type is ${type}, but this server was made with ${existing}, which is for good. ` +
        `Set the type back to ${existing}, or move the tenants to a new server`,
    );
  }
  return [];
}

const BODY = ` SELECT value FROM tenancy.tenant WHERE role = session_user AND active `;

async function ensureFunction(master: Session, type: DesiredState['tenantColumn']['type']): Promise<Change[]> {
  const [current] = await master.rows<{ intact: boolean; privileges: boolean }>(
    `SELECT p.prosrc = $1 AND p.prosecdef AND p.provolatile = 's' AND p.proparallel = 's'
              AND p.prorettype = $2::regtype AND p.proowner = current_user::regrole
              AND p.proconfig = ARRAY['search_path=pg_catalog, pg_temp'] AS intact,
            ARRAY(SELECT CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END
                    FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
                   WHERE a.grantee <> p.proowner ORDER BY 1) = ARRAY[$3, $4] AS privileges
       FROM pg_proc p WHERE p.oid = to_regprocedure('tenancy.current_tenant()')`,
    [BODY, type, LOADER_ROLE, TENANTS_ROLE],
  );
  const statements: Sql[] = [];
  if (!current?.intact) {
    statements.push(
      sql`CREATE OR REPLACE FUNCTION tenancy.current_tenant() RETURNS ${columnType(type)}
            LANGUAGE sql STABLE SECURITY DEFINER PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS ${literal(BODY)}`,
    );
  }
  if (!current?.intact || !current.privileges) {
    statements.push(
      sql`REVOKE ALL ON FUNCTION tenancy.current_tenant() FROM PUBLIC`,
      sql`GRANT EXECUTE ON FUNCTION tenancy.current_tenant() TO ${TENANTS}, ${LOADER}`,
    );
  }
  return master.apply({ step: STEP, what: 'function tenancy.current_tenant() set', statements });
}

async function ensureSchemas(master: Session, schema: string): Promise<Change[]> {
  const changes: Change[] = [];
  const grants: [schema: string, role: string, privilege: 'USAGE' | 'CREATE'][] = [
    ['tenancy', TENANTS_ROLE, 'USAGE'],
    ['tenancy', LOADER_ROLE, 'USAGE'],
    [schema, TENANTS_ROLE, 'USAGE'],
    [schema, LOADER_ROLE, 'USAGE'],
    [schema, LOADER_ROLE, 'CREATE'],
    [PARTITIONS_SCHEMA, LOADER_ROLE, 'USAGE'],
    [PARTITIONS_SCHEMA, LOADER_ROLE, 'CREATE'],
  ];
  const have = await master.rows<{ schema: string; role: string; privilege: string }>(
    `SELECT n.nspname AS schema, a.grantee::regrole::text AS role, a.privilege_type AS privilege
       FROM pg_namespace n LEFT JOIN LATERAL aclexplode(n.nspacl) a ON a.grantee <> 0
      WHERE n.nspname = ANY ($1)`,
    [['tenancy', schema, PARTITIONS_SCHEMA]],
  );
  for (const name of [schema, PARTITIONS_SCHEMA]) {
    if (!have.some((row) => row.schema === name)) {
      const statements = [sql`CREATE SCHEMA ${identifier(name)}`];
      changes.push(...(await master.apply({ step: STEP, what: `schema ${name} created`, statements })));
    }
  }
  const missing = grants.filter(
    ([name, role, privilege]) =>
      !have.some((row) => row.schema === name && row.role === role && row.privilege === privilege),
  );
  const statements = missing.map(
    ([name, role, privilege]) =>
      sql`GRANT ${privilege === 'USAGE' ? sql`USAGE` : sql`CREATE`} ON SCHEMA ${identifier(name)} TO ${identifier(role)}`,
  );
  return [...changes, ...(await master.apply({ step: STEP, what: 'rights on schemas granted', statements }))];
}

/** Functions that the loader or the master make from now on are nobody's to call: a SECURITY DEFINER one reads it all. */
async function ensureDefaultPrivileges(master: Session): Promise<Change[]> {
  const missing = await master.rows<{ role: string; self: boolean }>(
    `SELECT r.rolname AS role, r.rolname = current_user AS self FROM pg_roles r
      WHERE r.rolname IN (current_user, $1)
        AND NOT EXISTS (SELECT FROM pg_default_acl d
                         WHERE d.defaclrole = r.oid AND d.defaclnamespace = 0 AND d.defaclobjtype = 'f'
                           AND NOT EXISTS (SELECT FROM aclexplode(d.defaclacl) a WHERE a.grantee = 0))`,
    [LOADER_ROLE],
  );
  const changes: Change[] = [];
  for (const { role, self } of missing) {
    const statements = [sql`ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC`];
    const what = `default right to call functions of ${self ? 'the master user' : role} revoked`;
    changes.push(...(await master.apply({ step: STEP, what, statements, ...(self ? {} : { as: role }) })));
  }
  return changes;
}
