import pLimit from 'p-limit';
import { DesiredState, DesiredTenant, TENANTS_ROLE, tenantRoleName, tenantSchemaName } from '../desired-state';
import { AWS_ACCOUNT } from './aws-own';
import { Missing } from './missing';
import { missingPartitions } from './partitions';
import { ProvisioningError, ProvisioningFailures, asProvisioningError } from './provisioning-error';
import { scramVerifier } from './scram';
import { Login } from './secrets';
import { Change, Session } from './session';
import { Sql, identifier, list, literal, sql } from './sql';
import { missingTenantSchemas } from './tenant-schemas';

const STEP = 'login role';

/** A tenant's login role and its line in the mapping table, as they are. */
interface TenantState {
  readonly id: string;
  readonly exists: boolean;
  readonly canLogin: boolean;
  readonly inherits: boolean;
  readonly connections: number;
  readonly expires: boolean;
  readonly mayCreateRoles: boolean;
  readonly mayCreateDatabases: boolean;
  readonly tooPowerful: boolean;
  readonly settings: string[];
  readonly settingsInDatabases: string[];
  readonly inTenantsRole: boolean;
  readonly otherMemberships: string[];
  readonly members: string[];
  readonly mappedValue: string | null;
  readonly mappedBatch: string | null;
  readonly mappedPolicy: string | null;
  readonly active: boolean | null;
}

/** Login role, limits, mapping, partitions and schema of each tenant: one transaction a tenant, a few at a time. */
export async function ensureTenants(
  masters: Session[],
  desired: DesiredState,
  logins: ReadonlyMap<string, Promise<Login>>,
): Promise<Change[]> {
  const [master] = masters;
  const states = await readTenants(master, desired);
  const byId = new Map(states.map((state) => [state.id, state]));
  const withGrantOptions = (await master.majorVersion()) >= 16;
  const searchPath = await searchPathOf(master, desired);
  const limitsTempFiles = await maySetTempFileLimit(master);
  const partitions = await missingPartitions(master, desired);
  const schemas = await missingTenantSchemas(master, desired);

  const free = [...masters];
  const limit = pLimit(masters.length);
  const failures: ProvisioningError[] = [];
  const changes = await Promise.all(
    desired.tenants.map((tenant) =>
      limit(async () => {
        const session = free.pop() as Session;
        try {
          const state = byId.get(tenant.id) as TenantState;
          refuseWhatCannotBe(tenant, state, desired);
          const login = await (logins.get(tenant.id) as Promise<Login>);
          const pieces = [
            await missingRole(tenant, state, login, withGrantOptions),
            missingSettings(tenant, state, searchPath, limitsTempFiles),
            missingMapping(tenant, state, desired),
            ...(schemas.get(tenant.id) ?? []),
            // Last, since each takes a lock that all tenants need, until the transaction ends.
            missingMemberships(tenant, state, withGrantOptions),
            ...(partitions.get(tenant.id) ?? []),
          ].filter(({ statements }) => statements.length > 0);
          return await session.apply({
            tenant: tenant.id,
            step: STEP,
            what: pieces.map(({ what }) => what).join(', '),
            statements: pieces.flatMap(({ statements }) => statements),
          });
        } catch (error) {
          failures.push(asProvisioningError(error, STEP, tenant.id));
          return [];
        } finally {
          free.push(session);
        }
      }),
    ),
  );
  if (failures.length > 0) {
    throw new ProvisioningFailures(failures);
  }
  return changes.flat();
}

async function readTenants(master: Session, desired: DesiredState): Promise<TenantState[]> {
  return master.rows<TenantState>(
    `SELECT want.id, r.oid IS NOT NULL AS exists,
            coalesce(r.rolcanlogin, false) AS "canLogin", coalesce(r.rolinherit, false) AS inherits,
            coalesce(r.rolconnlimit, -1) AS connections, coalesce(r.rolvaliduntil < 'infinity', false) AS expires,
            coalesce(r.rolcreaterole, false) AS "mayCreateRoles", coalesce(r.rolcreatedb, false) AS "mayCreateDatabases",
            coalesce(r.rolsuper OR r.rolreplication OR r.rolbypassrls, false) AS "tooPowerful",
            coalesce((SELECT s.setconfig FROM pg_db_role_setting s WHERE s.setrole = r.oid AND s.setdatabase = 0), '{}') AS settings,
            ARRAY(SELECT d.datname::text FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase
                   WHERE s.setrole = r.oid) AS "settingsInDatabases",
            EXISTS (SELECT FROM pg_auth_members m WHERE m.member = r.oid AND m.roleid = to_regrole($3)) AS "inTenantsRole",
            ARRAY(SELECT DISTINCT g.rolname::text FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid
                   WHERE m.member = r.oid AND g.rolname <> $3) AS "otherMemberships",
            ARRAY(SELECT DISTINCT g.rolname::text FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.member
                   WHERE m.roleid = r.oid AND NOT g.rolsuper AND g.rolname <> current_user AND g.rolname !~ $4) AS members,
            t.value::text AS "mappedValue", t.batch AS "mappedBatch", t.removal_policy AS "mappedPolicy", t.active
       FROM unnest($1::text[], $2::text[]) AS want (id, role)
       LEFT JOIN pg_roles r ON r.rolname = want.role
       LEFT JOIN tenancy.tenant t ON t.id = want.id`,
    [
      desired.tenants.map(({ id }) => id),
      desired.tenants.map(({ id }) => tenantRoleName(id)),
      TENANTS_ROLE,
      AWS_ACCOUNT,
    ],
  );
}

function refuseWhatCannotBe(tenant: DesiredTenant, state: TenantState, { tenantColumn }: DesiredState): void {
  const refuse = (reason: string) => {
    throw new ProvisioningError(STEP, reason, tenant.id);
  };
  const role = tenantRoleName(tenant.id);
  if (state.tooPowerful) {
    refuse(
      `role ${role} is a superuser, may replicate or bypasses row-level security. The master user cannot take that away: ` +
        `as who gave it, run ALTER ROLE ${identifier(role).text} NOSUPERUSER NOREPLICATION NOBYPASSRLS`,
    );
  }
  const sameValue =
    tenantColumn.type === 'uuid'
      ? state.mappedValue?.toLowerCase() === tenant.value.toLowerCase()
      : state.mappedValue === tenant.value;
  if (state.mappedValue !== null && !sameValue) {
    refuse(
      `its value is ${tenant.value}, but it was made with ${state.mappedValue}, which is for good: ` +
        'it would read rows of another. Set the value back, or add a tenant with a new id',
    );
  }
}

async function missingRole(
  tenant: DesiredTenant,
  state: TenantState,
  login: Login,
  withGrantOptions: boolean,
): Promise<Missing> {
  const role = identifier(tenantRoleName(tenant.id));
  const statements: Sql[] = [];
  // From 16 on a grant says itself whether it inherits, and need not allow SET ROLE.
  const inherits = !withGrantOptions;
  const inherit = inherits ? sql`INHERIT` : sql`NOINHERIT`;
  const connections = new Sql(String(Number(tenant.connections)));
  if (!state.exists) {
    const password = literal(await scramVerifier(login.password));
    statements.push(sql`CREATE ROLE ${role} LOGIN ${inherit} CONNECTION LIMIT ${connections} PASSWORD ${password}`);
  } else {
    const drifted = [
      ...(state.canLogin ? [] : [sql`LOGIN`]),
      ...(state.inherits === inherits ? [] : [inherit]),
      ...(state.connections === Number(tenant.connections) ? [] : [sql`CONNECTION LIMIT ${connections}`]),
      ...(state.expires ? [sql`VALID UNTIL 'infinity'`] : []),
      ...(state.mayCreateRoles ? [sql`NOCREATEROLE`] : []),
      ...(state.mayCreateDatabases ? [sql`NOCREATEDB`] : []),
    ];
    if (drifted.length > 0) {
      statements.push(sql`ALTER ROLE ${role} ${new Sql(drifted.map(({ text }) => text).join(' '))}`);
    }
  }
  return { what: state.exists ? 'login role mended' : 'login role created', statements };
}

/** The rights of all tenants, and nobody else's. */
function missingMemberships(tenant: DesiredTenant, state: TenantState, withGrantOptions: boolean): Missing {
  const role = identifier(tenantRoleName(tenant.id));
  const statements: Sql[] = [];
  if (!state.inTenantsRole) {
    const options = withGrantOptions ? sql` WITH INHERIT TRUE, SET FALSE` : sql``;
    statements.push(sql`GRANT ${identifier(TENANTS_ROLE)} TO ${role}${options}`);
  }
  statements.push(
    ...state.otherMemberships.map((other) => sql`REVOKE ${identifier(other)} FROM ${role}`),
    ...state.members.map((member) => sql`REVOKE ${role} FROM ${identifier(member)}`),
  );
  return { what: 'memberships of the login role set', statements };
}

/** The role's own schema first, where some tables have strategy `schema`; names as PostgreSQL prints them. */
async function searchPathOf(master: Session, desired: DesiredState): Promise<(id: string) => string[]> {
  const [{ quoted }] = await master.rows<{ quoted: string }>(`SELECT quote_ident($1) AS quoted`, [desired.schema]);
  const ownSchema = desired.tables.some(({ strategy }) => strategy === 'schema');
  return (id) => [...(ownSchema ? [tenantSchemaName(id)] : []), quoted];
}

/** PostgreSQL leaves it to superusers, who may let others. */
async function maySetTempFileLimit(master: Session): Promise<boolean> {
  const [{ may }] = await master.rows<{ may: boolean }>(
    `SELECT has_parameter_privilege(current_user, 'temp_file_limit', 'SET') AS may`,
  );
  return may;
}

function missingSettings(
  tenant: DesiredTenant,
  state: TenantState,
  searchPath: (id: string) => string[],
  limitsTempFiles: boolean,
): Missing {
  const role = identifier(tenantRoleName(tenant.id));
  const path = searchPath(tenant.id);
  const wanted: [name: string, value: string][] = [
    ['statement_timeout', `${tenant.statementTimeoutSeconds}s`],
    ['idle_in_transaction_session_timeout', '60s'],
    ['work_mem', `${tenant.workMemMiB}MB`],
    ['max_parallel_workers_per_gather', tenant.parallelWorkers],
    ['default_transaction_read_only', 'on'],
    ...(limitsTempFiles ? [['temp_file_limit', `${tenant.tempFileMiB}MB`] as [string, string]] : []),
  ];
  const expected = [...wanted.map(([name, value]) => `${name}=${value}`), `search_path=${path.join(', ')}`];
  // What the master may not set, it cannot reset either.
  const current = state.settings.filter((line) => limitsTempFiles || !line.startsWith('temp_file_limit='));
  const same = expected.length === current.length && expected.every((line) => current.includes(line));
  const statements = same
    ? []
    : [
        ...(current.length > 0 ? [sql`ALTER ROLE ${role} RESET ALL`] : []),
        ...wanted.map(([name, value]) => sql`ALTER ROLE ${role} SET ${identifier(name)} = ${literal(value)}`),
        sql`ALTER ROLE ${role} SET search_path = ${new Sql(path.join(', '))}`,
      ];
  statements.push(
    ...state.settingsInDatabases.map((name) => sql`ALTER ROLE ${role} IN DATABASE ${identifier(name)} RESET ALL`),
  );
  return { what: 'limits set', statements };
}

function missingMapping(tenant: DesiredTenant, state: TenantState, desired: DesiredState): Missing {
  const mapped =
    state.active === true && state.mappedBatch === desired.batch && state.mappedPolicy === tenant.removalPolicy;
  const row = [tenantRoleName(tenant.id), tenant.id, tenant.value, desired.batch, tenant.removalPolicy].map(literal);
  const statements = mapped
    ? []
    : [
        sql`INSERT INTO tenancy.tenant (role, id, value, batch, removal_policy, active) VALUES (${list(row)}, true)
            ON CONFLICT (id) DO UPDATE SET active = true, batch = excluded.batch, removal_policy = excluded.removal_policy`,
      ];
  return { what: 'mapping written', statements };
}
