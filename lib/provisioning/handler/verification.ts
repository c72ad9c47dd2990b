import pLimit from 'p-limit';
import pRetry from 'p-retry';
import {
  DesiredState,
  DesiredTenant,
  LOADER_ROLE,
  TENANTS_ROLE,
  tenantRoleName,
  tenantSchemaName,
} from '../desired-state';
import { ProvisioningError, ProvisioningFailures, asProvisioningError } from './provisioning-error';
import { scramVerifier } from './scram';
import { Login } from './secrets';
import { Change, Session } from './session';
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

/**
 * Logs in as each tenant, with its real secret, and looks: can it read its own rows, and nobody else's?
 *
 * A password that no longer fits its secret is set again first, so that a rotated secret or a role that locked itself out
 * heals here.
 */
export async function verifyTenants(
  master: Session,
  desired: DesiredState,
  logins: ReadonlyMap<string, Login>,
): Promise<Change[]> {
  const everybody = await master.rows<{ id: string; value: string }>(
    `SELECT id, value::text AS value FROM tenancy.tenant ORDER BY id`,
  );
  const tables = await readPopulated(master, desired, everybody);
  const others = await master.rows<{ name: string }>(
    `SELECT datname AS name FROM pg_database WHERE datallowconn AND datname <> current_database()`,
  );
  const limit = pLimit(PARALLEL_LOGINS);
  const failures: ProvisioningError[] = [];
  const changes = await Promise.all(
    desired.tenants.map((tenant) =>
      limit(async () => {
        try {
          const login = logins.get(tenant.id) as Login;
          const { session, changes } = await logIn(master, tenantRoleName(tenant.id), login, tenant.id);
          try {
            await verifyTenant(session, desired, tenant, tables, everybody, others.length);
          } finally {
            await session.close();
          }
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
  return changes.flat();
}

/** Logs the loader in, so that a rotated secret of the operator's ETL heals, too. */
export async function verifyLoader(master: Session, login: Login): Promise<Change[]> {
  const { session, changes } = await logIn(master, LOADER_ROLE, login);
  await session.close();
  return changes;
}

/** Connects with a secret; where PostgreSQL knows another password, that of the secret is set, once. */
async function logIn(
  master: Session,
  role: string,
  login: Login,
  tenant?: string,
): Promise<{ readonly session: Session; readonly changes: Change[] }> {
  if (login.username !== role) {
    throw new ProvisioningError(STEP, `its secret names user ${login.username}, not ${role}`, tenant);
  }
  try {
    return { session: await Session.open(login), changes: [] };
  } catch (error) {
    if ((error as { code?: string }).code !== '28P01') throw error;
    const password = literal(await scramVerifier(login.password));
    const statements = [sql`ALTER ROLE ${identifier(role)} PASSWORD ${password}`];
    const changes = await master.apply({ step: STEP, what: 'password set to the secret', statements, tenant });
    return { session: await pRetry(() => Session.open(login), { retries: 2, minTimeout: 200 }), changes };
  }
}

async function readPopulated(
  master: Session,
  desired: DesiredState,
  everybody: { readonly id: string; readonly value: string }[],
): Promise<Populated[]> {
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

interface Finding {
  readonly identity: string | null;
  readonly memberships: string[];
  readonly powers: boolean;
  readonly databases: string[];
  readonly schemas: string[];
  readonly temporary: boolean;
}

async function verifyTenant(
  session: Session,
  desired: DesiredState,
  tenant: DesiredTenant,
  tables: Populated[],
  everybody: { readonly id: string; readonly value: string }[],
  otherDatabases: number,
): Promise<void> {
  const refuse = (reason: string) => {
    throw new ProvisioningError(STEP, reason, tenant.id);
  };
  const [finding] = await session.rows<Finding>(
    `SELECT tenancy.current_tenant()::text AS identity,
            ARRAY(SELECT r.rolname::text FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.roleid
                   WHERE m.member = session_user::regrole AND r.rolname <> $1) AS memberships,
            (SELECT rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication
               FROM pg_roles WHERE rolname = session_user) AS powers,
            CASE WHEN $2 > 0 THEN ARRAY(SELECT datname::text FROM pg_database
                   WHERE datallowconn AND datname <> current_database() AND has_database_privilege(oid, 'CONNECT')) ELSE '{}' END AS databases,
            ARRAY(SELECT nspname::text FROM pg_namespace WHERE nspacl IS NOT NULL AND has_schema_privilege(oid, 'CREATE')) AS schemas,
            has_database_privilege(current_database(), 'TEMPORARY') AS temporary`,
    [TENANTS_ROLE, otherDatabases],
  );
  const sameTenant = finding.identity?.toLowerCase() === tenant.value.toLowerCase();
  if (!sameTenant) refuse(`PostgreSQL takes it for tenant ${finding.identity ?? 'of nobody'}, not ${tenant.value}`);
  if (finding.powers) refuse('its login role has powers beyond reading');
  if (finding.memberships.length > 0) refuse(`its login role is a member of ${finding.memberships.join(', ')}`);
  if (finding.databases.length > 0) refuse(`it may connect to database ${finding.databases.join(', ')}`);
  if (finding.schemas.length > 0) refuse(`it may create objects in schema ${finding.schemas.join(', ')}`);
  if (finding.temporary) refuse('it may create temporary tables');

  for (const table of tables) {
    const [probe] = await probeTable(session, desired, tenant, table, everybody);
    if (probe.foreign) refuse(`table ${table.name}: it can read rows of another tenant`);
    if (table.tenantIds.has(tenant.id) && !probe.own) refuse(`table ${table.name}: it cannot read its own rows`);
  }
}

/**
 * Looks at one table as a tenant. With strategy `column` the first and the last row of the tenant index tell it all: if both
 * are its own, all between are. With `partitioned` a look at all partitions would cost each tenant a plan of all of them, so
 * that the partitions of a few others that hold rows are tried.
 */
async function probeTable(
  session: Session,
  desired: DesiredState,
  tenant: DesiredTenant,
  table: Populated,
  everybody: { readonly id: string; readonly value: string }[],
): Promise<{ own: boolean; foreign: boolean }[]> {
  const column = identifier(desired.tenantColumn.name);
  const value = sql`${literal(tenant.value)}::${columnType(desired.tenantColumn.type)}`;
  const shared = identifier(desired.schema, table.name);
  const victims = everybody.filter(({ id }) => id !== tenant.id && table.tenantIds.has(id)).slice(0, FOREIGN_SAMPLES);
  switch (table.strategy) {
    case 'column':
      return session.rows(
        sql`SELECT EXISTS (SELECT FROM ${shared} WHERE ${column} = ${value}) AS own,
                   coalesce((SELECT ${column} IS DISTINCT FROM ${value} FROM ${shared} ORDER BY ${column} LIMIT 1), false)
                   OR coalesce((SELECT ${column} IS DISTINCT FROM ${value} FROM ${shared} ORDER BY ${column} DESC LIMIT 1), false)
                   AS foreign`.text,
      );
    case 'partitioned': {
      const values = list(victims.map((victim) => literal(victim.value)));
      return session.rows(
        sql`SELECT EXISTS (SELECT FROM ${shared} WHERE ${column} = ${value}) AS own,
                   EXISTS (SELECT FROM ${shared} WHERE ${column} = ANY (ARRAY[${values}]::${columnType(desired.tenantColumn.type)}[]))
                   AS foreign`.text,
      );
    }
    case 'schema': {
      const own = table.tenantIds.has(tenant.id)
        ? sql`EXISTS (SELECT FROM ${identifier(tenantSchemaName(tenant.id), table.name)})`
        : sql`false`;
      const schemas = list(victims.map(({ id }) => literal(tenantSchemaName(id))));
      return session.rows(
        sql`SELECT ${own} AS own,
                   EXISTS (SELECT FROM pg_namespace WHERE nspname = ANY (ARRAY[${schemas}]::text[])
                              AND has_schema_privilege(oid, 'USAGE')) AS foreign`.text,
      );
    }
  }
}
