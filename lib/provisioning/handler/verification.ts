import pLimit from 'p-limit';
import {
  DesiredState,
  DesiredTenant,
  LOADER_ROLE,
  TENANTS_ROLE,
  tenantRoleName,
  tenantSchemaName,
} from '../desired-state';
import { AWS_ACCOUNT, readOpenAwsDatabases, refuseEntry } from './aws-own';
import { logIn } from './log-in';
import { ProvisioningError, ProvisioningFailures, asProvisioningError } from './provisioning-error';
import { Login } from './secrets';
import { Change, Session } from './session';
import { PARTITIONS_SCHEMA } from './tenancy-schema';
import { Sql, columnType, identifier, list, literal, sql } from './sql';

const STEP = 'verification';
const PARALLEL_LOGINS = 8;
const FOREIGN_SAMPLES = 8;

/** A declared table that exists, and which tenants have rows in it, as the loader sees it. */
interface Populated {
  readonly name: string;
  readonly strategy: 'column' | 'partitioned' | 'schema';
  readonly tenantIds: Set<string>;
}

/** A tenant of this server, of whichever batch. */
interface Tenant {
  readonly id: string;
  readonly value: string;
}

/**
 * Logs in as each tenant, with its real secret, and looks: can it read its own rows, and nobody else's?
 *
 * A password that no longer fits its secret is set again first, so that a rotated secret or a role that locked itself out
 * heals here. Unless everybody is asked for, a tenant is passed over while its last proof holds: see {@link unproved}.
 */
export async function verifyTenants(
  master: Session,
  desired: DesiredState,
  logins: ReadonlyMap<string, Login>,
  everybodyAgain: boolean,
): Promise<Change[]> {
  const fingerprint = await readFingerprint(master);
  const due = everybodyAgain ? desired.tenants : await unproved(master, desired, logins, fingerprint);
  if (due.length === 0) {
    return [];
  }
  const everybody = await master.rows<Tenant>(`SELECT id, value::text AS value FROM tenancy.tenant ORDER BY id`);
  const tables = await readPopulated(master, desired, everybody);
  const limit = pLimit(PARALLEL_LOGINS);
  const failures = await excessiveRights(master, desired, due);
  const ofAws = await readOpenAwsDatabases(
    master,
    due.map(({ id }) => tenantRoleName(id)),
  );
  const changes = await Promise.all(
    due.map((tenant) =>
      limit(async () => {
        try {
          const login = logins.get(tenant.id) as Login;
          const { session, changes } = await logIn(master, tenantRoleName(tenant.id), login, tenant.id);
          await verifyTenant(session, desired, tenant, tables, everybody).finally(() => session.close());
          await refuseEntry(ofAws, login, tenant.id);
          return changes;
        } catch (error) {
          failures.push(asProvisioningError(error, STEP, tenant.id));
          return [];
        }
      }),
    ),
  );
  if (failures.length > 0) {
    throw new ProvisioningFailures(failures);
  }
  await master.rows(
    `UPDATE tenancy.tenant t SET proof = p.proof, proved_at = now()
       FROM unnest($1::text[], $2::text[]) AS p (id, proof) WHERE t.id = p.id`,
    [due.map(({ id }) => id), due.map(({ id }) => proof(fingerprint, logins.get(id) as Login))],
  );
  return changes.flat();
}

/**
 * The tenants whose last proof no longer holds: the catalog says something else about who may read what, the secret has
 * another version, or a day has gone by.
 */
async function unproved(
  master: Session,
  desired: DesiredState,
  logins: ReadonlyMap<string, Login>,
  fingerprint: string,
): Promise<DesiredTenant[]> {
  const proved = new Map(
    (
      await master.rows<{ id: string; proof: string }>(
        `SELECT id, proof FROM tenancy.tenant WHERE proved_at > now() - interval '1 day'`,
      )
    ).map(({ id, proof }) => [id, proof]),
  );
  return desired.tenants.filter(({ id }) => proved.get(id) !== proof(fingerprint, logins.get(id) as Login));
}

function proof(fingerprint: string, login: Login): string {
  return `${fingerprint} ${login.version}`;
}

/** A digest of all that the catalog says about who may read what, in PostgreSQL's own tables and ours. */
async function readFingerprint(master: Session): Promise<string> {
  const [{ fingerprint }] = await master.rows<{ fingerprint: string }>(
    `SELECT md5(string_agg(line, E'\n' ORDER BY line)) AS fingerprint FROM (
       SELECT concat_ws('|', 'policy', polrelid, polname, polcmd, polpermissive, polroles, pg_get_expr(polqual, polrelid),
                        pg_get_expr(polwithcheck, polrelid)) AS line FROM pg_policy
        UNION ALL
       SELECT concat_ws('|', 'relation', c.oid, relname, relnamespace, relkind, relowner, relrowsecurity,
                        relforcerowsecurity, relhasrules, relispartition, relacl, reloptions, relpartbound)
         FROM pg_class c WHERE relkind IN ('r', 'p', 'v', 'm', 'f') AND c.oid >= 16384
        UNION ALL
       SELECT concat_ws('|', 'column', attrelid, attnum, attname, atttypid, attisdropped, attacl)
         FROM pg_attribute WHERE attrelid >= 16384 AND attacl IS NOT NULL
        UNION ALL
       SELECT concat_ws('|', 'function', oid, proname, pronamespace, proowner, prosecdef, proconfig, proacl, md5(prosrc))
         FROM pg_proc WHERE oid >= 16384
        UNION ALL
       SELECT concat_ws('|', 'schema', oid, nspname, nspowner, nspacl) FROM pg_namespace
        WHERE nspname !~ '^pg_(toast|temp)'
        UNION ALL
       SELECT concat_ws('|', 'database', oid, datname, datdba, datallowconn, datacl) FROM pg_database
        UNION ALL
       SELECT concat_ws('|', 'role', oid, rolname, rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolcanlogin,
                        rolreplication, rolbypassrls, rolconnlimit, rolvaliduntil) FROM pg_roles
        UNION ALL
       SELECT concat_ws('|', 'setting', setdatabase, setrole, setconfig) FROM pg_db_role_setting
        UNION ALL
       SELECT concat_ws('|', 'member', roleid, member, admin_option) FROM pg_auth_members WHERE member <> current_user::regrole
        UNION ALL
       SELECT concat_ws('|', 'tenant', role, id, value, active) FROM tenancy.tenant
     ) lines`,
  );
  return fingerprint;
}

/** Logs the loader in, so that a rotated secret of the operator's ETL heals, too. */
export async function verifyLoader(master: Session, login: Login): Promise<Change[]> {
  const { session, changes } = await logIn(master, LOADER_ROLE, login);
  await session.close();
  return changes;
}

async function readPopulated(master: Session, desired: DesiredState, everybody: Tenant[]): Promise<Populated[]> {
  const column = identifier(desired.tenantColumn.name);
  const type = columnType(desired.tenantColumn.type);
  const tenants = sql`unnest(ARRAY[${list(everybody.map(({ id }) => literal(id)))}]::text[],
                             ARRAY[${list(everybody.map(({ value }) => literal(value)))}]::${type}[]) AS tenant (id, value)`;
  const existing = await master.rows<{ schema: string; name: string }>(
    `SELECT n.nspname AS schema, c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relname = ANY ($1) AND c.relkind IN ('r', 'p') AND (n.nspname = $2 OR n.nspname = ANY ($3))`,
    [desired.tables.map(({ name }) => name), desired.schema, everybody.map(({ id }) => tenantSchemaName(id))],
  );
  const populated: Populated[] = [];
  for (const { name, strategy } of desired.tables) {
    let tenantIds: string[] = [];
    if (strategy === 'schema') {
      const owners = everybody.filter(({ id }) =>
        existing.some((table) => table.name === name && table.schema === tenantSchemaName(id)),
      );
      if (owners.length > 0) {
        const probes = owners.map(
          ({ id }) =>
            sql`SELECT ${literal(id)} AS id WHERE EXISTS (SELECT FROM ${identifier(tenantSchemaName(id), name)})`,
        );
        const query = new Sql(probes.map(({ text }) => text).join(' UNION ALL '));
        tenantIds = (await master.rowsAs<{ id: string }>(LOADER_ROLE, query)).map(({ id }) => id);
      }
    } else if (existing.some((table) => table.name === name && table.schema === desired.schema)) {
      const query = sql`SELECT tenant.id FROM ${tenants}
                         WHERE EXISTS (SELECT FROM ${identifier(desired.schema, name)} t WHERE t.${column} = tenant.value)`;
      tenantIds = (await master.rowsAs<{ id: string }>(LOADER_ROLE, query)).map(({ id }) => id);
    } else {
      continue;
    }
    populated.push({ name, strategy, tenantIds: new Set(tenantIds) });
  }
  return populated;
}

/** What a tenant reads: `own` and `foreign` rows in the order of the tables. */
interface Finding {
  readonly identity: string | null;
  readonly own: boolean[];
  readonly foreign: boolean[];
}

async function verifyTenant(
  session: Session,
  desired: DesiredState,
  tenant: DesiredTenant,
  tables: Populated[],
  everybody: Tenant[],
): Promise<void> {
  const refuse = (reason: string) => {
    throw new ProvisioningError(STEP, reason, tenant.id);
  };
  const probes = tables.map((table) => probeTable(desired, tenant, table, everybody));
  const [finding] = await session.rows<Finding>(
    sql`SELECT tenancy.current_tenant()::text AS identity,
               ARRAY[${list(probes.map(({ own }) => own))}]::boolean[] AS own,
               ARRAY[${list(probes.map(({ foreign }) => foreign))}]::boolean[] AS foreign`.text,
  );
  const sameTenant = finding.identity?.toLowerCase() === tenant.value.toLowerCase();
  if (!sameTenant) refuse(`PostgreSQL takes it for tenant ${finding.identity ?? 'of nobody'}, not ${tenant.value}`);
  tables.forEach(({ name, tenantIds }, i) => {
    if (finding.foreign[i]) refuse(`table ${name}: it can read rows of another tenant`);
    if (tenantIds.has(tenant.id) && !finding.own[i]) refuse(`table ${name}: it cannot read its own rows`);
  });
}

/** What PostgreSQL says that a tenant's role may do. */
interface Rights {
  readonly id: string;
  readonly powers: boolean;
  readonly memberships: string[];
  readonly databases: string[];
  readonly schemas: string[];
  readonly temporary: boolean;
}

/** Tenants whose role may do more than read what is its own; PostgreSQL tells it of all of them at once. */
async function excessiveRights(
  master: Session,
  desired: DesiredState,
  due: readonly DesiredTenant[],
): Promise<ProvisioningError[]> {
  const rights = await master.rows<Rights>(
    `SELECT t.id,
            r.rolsuper OR r.rolbypassrls OR r.rolcreaterole OR r.rolcreatedb OR r.rolreplication AS powers,
            ARRAY(SELECT g.rolname::text FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid
                   WHERE m.member = r.oid AND g.rolname <> $3) AS memberships,
            ARRAY(SELECT d.datname::text FROM pg_database d
                   WHERE d.datallowconn AND d.datname <> current_database() AND pg_get_userbyid(d.datdba) !~ $6
                     AND has_database_privilege(r.oid, d.oid, 'CONNECT')) AS databases,
            ARRAY(SELECT n.nspname::text FROM pg_namespace n
                   WHERE n.nspname IN ($4, $5, 'public', 'tenancy') AND has_schema_privilege(r.oid, n.oid, 'CREATE')) AS schemas,
            has_database_privilege(r.oid, current_database(), 'TEMPORARY') AS temporary
       FROM unnest($1::text[], $2::text[]) AS t (id, role) JOIN pg_roles r ON r.rolname = t.role`,
    [
      due.map(({ id }) => id),
      due.map(({ id }) => tenantRoleName(id)),
      TENANTS_ROLE,
      desired.schema,
      PARTITIONS_SCHEMA,
      AWS_ACCOUNT,
    ],
  );
  return rights.flatMap(({ id, powers, memberships, databases, schemas, temporary }) =>
    [
      ...(powers ? ['its login role has powers beyond reading'] : []),
      ...(memberships.length > 0 ? [`its login role is a member of ${memberships.join(', ')}`] : []),
      ...(databases.length > 0 ? [`it may connect to database ${databases.join(', ')}`] : []),
      ...(schemas.length > 0 ? [`it may create objects in schema ${schemas.join(', ')}`] : []),
      ...(temporary ? ['it may create temporary tables'] : []),
    ].map((reason) => new ProvisioningError(STEP, reason, id)),
  );
}

/**
 * What a tenant asks of one table. With strategy `column` the first and the last row of the tenant index tell it all: if both
 * are its own, all between are. With `partitioned` a look at all partitions would cost each tenant a plan of all of them, so
 * that the partitions of a few others that hold rows are tried.
 */
function probeTable(
  desired: DesiredState,
  tenant: DesiredTenant,
  table: Populated,
  everybody: Tenant[],
): { readonly own: Sql; readonly foreign: Sql } {
  const column = identifier(desired.tenantColumn.name);
  const type = columnType(desired.tenantColumn.type);
  const value = sql`${literal(tenant.value)}::${type}`;
  const shared = identifier(desired.schema, table.name);
  const victims = everybody.filter(({ id }) => id !== tenant.id && table.tenantIds.has(id)).slice(0, FOREIGN_SAMPLES);
  const ownInShared = table.tenantIds.has(tenant.id)
    ? sql`EXISTS (SELECT FROM ${shared} WHERE ${column} = ${value})`
    : sql`false`;
  switch (table.strategy) {
    case 'column':
      return {
        own: ownInShared,
        foreign: sql`coalesce((SELECT ${column} IS DISTINCT FROM ${value} FROM ${shared} ORDER BY ${column} LIMIT 1), false)
                  OR coalesce((SELECT ${column} IS DISTINCT FROM ${value} FROM ${shared} ORDER BY ${column} DESC LIMIT 1), false)`,
      };
    case 'partitioned': {
      const values = list(victims.map((victim) => literal(victim.value)));
      return {
        own: ownInShared,
        // An empty list would be planned over every partition.
        foreign:
          victims.length > 0
            ? sql`EXISTS (SELECT FROM ${shared} WHERE ${column} = ANY (ARRAY[${values}]::${type}[]))`
            : sql`false`,
      };
    }
    case 'schema': {
      const schemas = list(victims.map(({ id }) => literal(tenantSchemaName(id))));
      return {
        own: table.tenantIds.has(tenant.id)
          ? sql`EXISTS (SELECT FROM ${identifier(tenantSchemaName(tenant.id), table.name)})`
          : sql`false`,
        foreign: sql`EXISTS (SELECT FROM pg_namespace
                              WHERE nspname = ANY (ARRAY[${schemas}]::text[]) AND has_schema_privilege(oid, 'USAGE'))`,
      };
    }
  }
}
