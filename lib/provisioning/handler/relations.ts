import { DesiredState, TENANTS_ROLE } from '../desired-state';
import { ProvisioningError } from './provisioning-error';
import { Change, Session } from './session';
import { Sql, identifier, list, sql } from './sql';

const STEP = 'undeclared relations';

/** A relation outside of PostgreSQL's own schemas and of extensions. */
interface Relation {
  readonly schema: string;
  readonly name: string;
  readonly kind: string;
  readonly owner: string;
  readonly ownerIsMaster: boolean;
  readonly mayActAsOwner: boolean;
  readonly invokerView: boolean;
  readonly tenantsSelect: boolean;
  /** Who may do what beyond what we gave: role names, `PUBLIC` as an empty one. */
  readonly strangers: string[];
}

const IN_SCOPE = `n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'`;

/** Tenants, the role that holds their rights, and PUBLIC. */
const TENANT_SIDE = `(a.grantee = 0 OR a.grantee = to_regrole($2)
                      OR EXISTS (SELECT FROM pg_auth_members m
                                  WHERE m.roleid = to_regrole($2) AND m.member = a.grantee AND a.grantee <> current_user::regrole))`;

/**
 * Runs before the steps that give rights: what they give comes back with them, should it be revoked here together with
 * what somebody else gave.
 *
 * Makes unreadable for tenants whatever no policy protects: tables that were not declared, views that run as their owner,
 * materialised views, foreign tables, sequences, functions. A view with `security_invoker` shows what its reader may read
 * anyway, so that tenants may read it.
 */
export async function closeUndeclared(
  master: Session,
  desired: DesiredState,
): Promise<{ readonly changes: Change[]; readonly unreadable: string[] }> {
  const relations = await readRelations(master, desired);
  const changes: Change[] = [];
  for (const relation of relations) {
    const name = identifier(relation.schema, relation.name);
    const statements: Sql[] = [];
    if (relation.strangers.length > 0) {
      statements.push(sql`REVOKE ALL ON ${name} FROM ${grantees(relation.strangers)} CASCADE`);
    }
    if (relation.invokerView && (!relation.tenantsSelect || relation.strangers.includes(TENANTS_ROLE))) {
      statements.push(sql`GRANT SELECT ON ${name} TO ${identifier(TENANTS_ROLE)}`);
    }
    if (statements.length > 0 && !relation.mayActAsOwner) {
      throw new ProvisioningError(
        STEP,
        `${relation.schema}.${relation.name} is open to tenants and belongs to ${relation.owner}, as which the provisioner ` +
          `may not act. As its owner, run ${statements[0].text}`,
      );
    }
    const what = `${relation.schema}.${relation.name} ${relation.invokerView ? 'readable as its reader' : 'closed to tenants'}`;
    changes.push(
      ...(await master.apply({
        step: STEP,
        what,
        statements,
        ...(relation.ownerIsMaster ? {} : { as: relation.owner }),
      })),
    );
  }
  const unreadable = relations
    .filter(({ schema, kind, name, invokerView }) => {
      const declared = desired.tables.some((table) => table.name === name);
      return schema === desired.schema && 'rvmfp'.includes(kind) && !invokerView && !declared;
    })
    .map(({ schema, name }) => `${schema}.${name}`);
  return {
    changes: [...changes, ...(await closeFunctions(master)), ...(await closeSchemas(master, desired))],
    unreadable,
  };
}

async function readRelations(master: Session, desired: DesiredState): Promise<Relation[]> {
  const declared = desired.tables.filter(({ strategy }) => strategy !== 'schema').map(({ name }) => name);
  const own = desired.tables.filter(({ strategy }) => strategy === 'schema').map(({ name }) => name);
  return master.rows<Relation>(
    `WITH grants AS (
       SELECT a.oid, a.grantee, a.privilege_type, false AS on_column
         FROM (SELECT c.oid, (aclexplode(c.relacl)).* FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE ${IN_SCOPE}) a WHERE ${TENANT_SIDE}
        UNION ALL
       SELECT a.oid, a.grantee, a.privilege_type, true
         FROM (SELECT c.oid, (aclexplode(t.attacl)).* FROM pg_attribute t JOIN pg_class c ON c.oid = t.attrelid
                 JOIN pg_namespace n ON n.oid = c.relnamespace WHERE t.attacl IS NOT NULL AND ${IN_SCOPE}) a WHERE ${TENANT_SIDE}
     )
     SELECT n.nspname AS schema, c.relname AS name, c.relkind AS kind, o.rolname AS owner,
            o.rolname = current_user AS "ownerIsMaster", pg_has_role(c.relowner, $5) AS "mayActAsOwner",
            v.invoker AS "invokerView",
            EXISTS (SELECT FROM grants g WHERE g.oid = c.oid AND g.grantee = to_regrole($2)
                       AND g.privilege_type = 'SELECT' AND NOT g.on_column) AS "tenantsSelect",
            ARRAY(SELECT DISTINCT coalesce(r.rolname::text, '') FROM grants g LEFT JOIN pg_roles r ON r.oid = g.grantee
                   WHERE g.oid = c.oid AND (
                     g.privilege_type = 'SELECT' AND NOT g.on_column AND (
                       g.grantee = to_regrole($2) AND n.nspname = $1 AND (c.relname = ANY ($3) AND c.relkind IN ('r', 'p') OR v.invoker)
                       OR r.rolname = n.nspname AND c.relname = ANY ($4) AND c.relkind IN ('r', 'p'))) IS NOT TRUE) AS strangers
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_roles o ON o.oid = c.relowner
      CROSS JOIN LATERAL (SELECT c.relkind = 'v' AND n.nspname = $1 AND EXISTS (
              SELECT FROM pg_options_to_table(c.reloptions) WHERE option_name = 'security_invoker'
                 AND option_value::boolean) AS invoker) v
      WHERE ${IN_SCOPE} AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
        AND (n.nspname = $1 OR EXISTS (SELECT FROM grants g WHERE g.oid = c.oid))
        AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
      ORDER BY 1, 2`,
    [desired.schema, TENANTS_ROLE, declared, own, await master.actingPrivilege()],
  );
}

/** Role names, `PUBLIC` as an empty one. */
function grantees(roles: string[]): Sql {
  return list(roles.map((role) => (role === '' ? sql`PUBLIC` : identifier(role))));
}

/** Functions are PUBLIC's to call unless somebody says otherwise, and one with SECURITY DEFINER reads as its owner. */
async function closeFunctions(master: Session): Promise<Change[]> {
  const open = await master.rows<{
    signature: string;
    owner: string;
    ownerIsMaster: boolean;
    mayActAsOwner: boolean;
    strangers: string[];
  }>(
    `SELECT format('%I.%I(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)) AS signature,
            o.rolname AS owner, o.rolname = current_user AS "ownerIsMaster", pg_has_role(p.proowner, $1) AS "mayActAsOwner",
            s.strangers
       FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_roles o ON o.oid = p.proowner
      CROSS JOIN LATERAL (SELECT ARRAY(
              SELECT DISTINCT coalesce(r.rolname::text, '')
                FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a LEFT JOIN pg_roles r ON r.oid = a.grantee
               WHERE ${TENANT_SIDE}) AS strangers) s
      WHERE ${IN_SCOPE} AND p.oid <> to_regprocedure('tenancy.current_tenant()') AND cardinality(s.strangers) > 0
        AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')`,
    [await master.actingPrivilege(), TENANTS_ROLE],
  );
  const changes: Change[] = [];
  for (const { signature, owner, ownerIsMaster, mayActAsOwner, strangers } of open) {
    // PostgreSQL itself quoted the signature (%I).
    const statement = sql`REVOKE ALL ON ROUTINE ${new Sql(signature)} FROM ${grantees(strangers)}`;
    if (!mayActAsOwner) {
      const reason = `function ${signature} may be called by tenants and belongs to ${owner}: as its owner, run ${statement.text}`;
      throw new ProvisioningError(STEP, reason);
    }
    const what = `function ${signature} closed to tenants`;
    changes.push(
      ...(await master.apply({ step: STEP, what, statements: [statement], ...(ownerIsMaster ? {} : { as: owner }) })),
    );
  }
  return changes;
}

/** The schema of the partitions and those of other tenants are entered by nobody; CREATE is nobody's on any schema. */
async function closeSchemas(master: Session, desired: DesiredState): Promise<Change[]> {
  const open = await master.rows<{ schema: string; role: string; privilege: 'USAGE' | 'CREATE'; mine: boolean }>(
    `SELECT n.nspname AS schema, coalesce(r.rolname::text, '') AS role, a.privilege_type AS privilege,
            pg_has_role(n.nspowner, 'USAGE') AS mine
       FROM pg_namespace n CROSS JOIN LATERAL aclexplode(n.nspacl) a LEFT JOIN pg_roles r ON r.oid = a.grantee
      WHERE ${IN_SCOPE} AND ${TENANT_SIDE}
        AND (a.privilege_type = 'USAGE' AND (
              r.rolname = n.nspname OR n.nspname = 'public'
              OR a.grantee = to_regrole($2) AND n.nspname IN ('tenancy', $1))) IS NOT TRUE`,
    [desired.schema, TENANTS_ROLE],
  );
  const changes: Change[] = [];
  for (const { schema, role, privilege, mine } of open) {
    const grantee = role === '' ? sql`PUBLIC` : identifier(role);
    const statement = sql`REVOKE ${privilege === 'USAGE' ? sql`USAGE` : sql`CREATE`} ON SCHEMA ${identifier(schema)} FROM ${grantee}`;
    if (!mine) {
      const reason = `schema ${schema} is open to ${role || 'PUBLIC'}, and not the master user's: as its owner, run ${statement.text}`;
      throw new ProvisioningError(STEP, reason);
    }
    changes.push(
      ...(await master.apply({
        step: STEP,
        what: `schema ${schema} closed to ${role || 'PUBLIC'}`,
        statements: [statement],
      })),
    );
  }
  return changes;
}
