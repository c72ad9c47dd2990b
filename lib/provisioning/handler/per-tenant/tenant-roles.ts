import { DesiredDatabase, LOADER_CONNECTIONS } from '../../desired-databases';
import { Missing } from '../missing';
import { ProvisioningError } from '../provisioning-error';
import { scramVerifier } from '../scram';
import { Login } from '../secrets';
import { Change, Session } from '../session';
import { Sql, identifier, list, literal, sql } from '../sql';
import { Membership, RoleState, TenantState } from './catalog';
import { IAM_ROLE } from './iam-login';
import { TenantLogins } from './logins';
import { Place, hasLoader } from './place';
import { ServerTraits } from './server-traits';

const STEP = 'roles';

/** A login that has no password. */
const BY_TOKEN = { password: undefined };

/** The tenant's three roles and its line in the registry, in one transaction. */
export async function ensureTenantRoles(
  session: Session,
  tenant: DesiredDatabase,
  place: Place,
  state: TenantState,
  logins: TenantLogins,
  traits: ServerTraits,
): Promise<Change[]> {
  const { reader, owner, loader } = state;
  [reader, owner, loader].forEach((role) => refusePower(role, tenant.id));
  const wantsLoader = hasLoader(tenant);
  const byToken = logins.reader ? undefined : place.reader;
  const pieces = [
    missingRegistration(tenant, state, traits.batch),
    // Before PostgreSQL 16, an owner that does not inherit has no rights on the schema public of its database.
    await missingRole(place.owner, owner, { connections: -1, inherits: true }),
    await missingRole(place.reader, reader, {
      connections: Number(tenant.connections),
      login: logins.reader ?? BY_TOKEN,
    }),
    missingSettings(place.reader, reader, readerSettings(tenant, traits), traits),
    ...(wantsLoader
      ? [
          await missingRole(place.loader, loader, { connections: LOADER_CONNECTIONS, login: logins.loader }),
          missingSettings(place.loader, loader, [['search_path', traits.searchPath]], traits),
        ]
      : [endedLogin(place.loader, loader)]),
    missingMemberships([owner, reader, loader], byToken),
    ...(byToken ? [missingIam(byToken, reader, traits)] : []),
  ].filter(({ statements }) => statements.length > 0);
  const changes = await session.apply({
    tenant: tenant.id,
    step: STEP,
    what: pieces.map(({ what }) => what).join(', '),
    statements: pieces.flatMap(({ statements }) => statements),
  });
  if (!wantsLoader && loader) {
    await session.rows(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1`, [place.loader]);
  }
  refuseForeignMemberships([owner, reader, loader], tenant.id, byToken);
  return changes;
}

/** Refuses a role with powers that the master user cannot take away. */
export function refusePower(role: RoleState | undefined, id: string): void {
  if (role?.tooPowerful) {
    throw new ProvisioningError(
      STEP,
      `role ${role.name} is a superuser, may replicate or bypasses row-level security. The master user cannot take that ` +
        `away: as who gave it, run ALTER ROLE ${identifier(role.name).text} NOSUPERUSER NOREPLICATION NOBYPASSRLS`,
      id,
    );
  }
}

/** Its policy is written when the whole deployment is done: one that fails and is rolled back destroys nothing. */
function missingRegistration(tenant: DesiredDatabase, { registered }: TenantState, batch: string): Missing {
  const values = [literal(tenant.id), literal(batch)];
  const statements =
    registered?.active && registered.batch === batch
      ? []
      : [
          sql`INSERT INTO tenancy.tenant_database (id, batch, removal_policy, active) VALUES (${list(values)}, 'retain', true)
              ON CONFLICT (id) DO UPDATE SET active = true, batch = excluded.batch, removal_policy = 'retain', proof = NULL`,
        ];
  return { what: 'registered', statements };
}

/** What a role lacks of what it should be. */
export async function missingRole(
  name: string,
  state: RoleState | undefined,
  wanted: { readonly connections: number; readonly inherits?: boolean; readonly login?: Login | typeof BY_TOKEN },
): Promise<Missing> {
  const role = identifier(name);
  const login = wanted.login ? sql`LOGIN` : sql`NOLOGIN`;
  const inherit = wanted.inherits ? sql`INHERIT` : sql`NOINHERIT`;
  const connections = new Sql(String(wanted.connections));
  if (!state) {
    const password = wanted.login?.password
      ? sql` PASSWORD ${literal(await scramVerifier(wanted.login.password))}`
      : sql``;
    const statements = [sql`CREATE ROLE ${role} ${login} ${inherit} CONNECTION LIMIT ${connections}${password}`];
    return { what: `role ${name} created`, statements };
  }
  const drifted = [
    ...(state.canLogin === Boolean(wanted.login) ? [] : [login]),
    ...(state.inherits === Boolean(wanted.inherits) ? [] : [inherit]),
    ...(state.connections === wanted.connections ? [] : [sql`CONNECTION LIMIT ${connections}`]),
    ...(state.expires ? [sql`VALID UNTIL 'infinity'`] : []),
    ...(state.mayCreateRoles ? [sql`NOCREATEROLE`] : []),
    ...(state.mayCreateDatabases ? [sql`NOCREATEDB`] : []),
  ];
  const statements =
    drifted.length > 0 ? [sql`ALTER ROLE ${role} ${new Sql(drifted.map(({ text }) => text).join(' '))}`] : [];
  return { what: `role ${name} mended`, statements };
}

/** The end of a login that is no longer asked for. */
export function endedLogin(name: string, state: RoleState | undefined): Missing {
  const statements = state?.canLogin ? [sql`ALTER ROLE ${identifier(name)} NOLOGIN PASSWORD NULL`] : [];
  return { what: `login of ${name} ended`, statements };
}

type Setting = [name: string, value: string];

function readerSettings(tenant: DesiredDatabase, traits: ServerTraits): Setting[] {
  return [
    ['statement_timeout', `${tenant.statementTimeoutSeconds}s`],
    ['idle_in_transaction_session_timeout', '60s'],
    ['work_mem', `${tenant.workMemMiB}MB`],
    ['max_parallel_workers_per_gather', tenant.parallelWorkers],
    ['default_transaction_read_only', 'on'],
    ...(traits.limitsTempFiles ? [['temp_file_limit', `${tenant.tempFileMiB}MB`] as Setting] : []),
    ['search_path', traits.searchPath],
  ];
}

/** What a role's settings lack of what they should be. */
export function missingSettings(
  name: string,
  state: RoleState | undefined,
  wanted: Setting[],
  traits: ServerTraits,
): Missing {
  const role = identifier(name);
  // What the master may not set, it cannot reset either.
  const current = (state?.settings ?? []).filter(
    (line) => traits.limitsTempFiles || !line.startsWith('temp_file_limit='),
  );
  const expected = wanted.map(([setting, value]) => `${setting}=${value}`);
  const same = expected.length === current.length && expected.every((line) => current.includes(line));
  const statements = same
    ? []
    : [
        ...(current.length > 0 ? [sql`ALTER ROLE ${role} RESET ALL`] : []),
        ...wanted.map(([setting, value]) =>
          setting === 'search_path'
            ? sql`ALTER ROLE ${role} SET search_path = ${new Sql(value)}`
            : sql`ALTER ROLE ${role} SET ${identifier(setting)} = ${literal(value)}`,
        ),
      ];
  const inDatabases = state?.settingsInDatabases ?? [];
  statements.push(
    ...inDatabases.map((database) => sql`ALTER ROLE ${role} IN DATABASE ${identifier(database)} RESET ALL`),
  );
  return { what: `settings of ${name} set`, statements };
}

/** No role of a tenant is in another, but for a login by token, nor another in it; that of the master user's which a run that died left ends, too. */
export function missingMemberships(roles: (RoleState | undefined)[], byToken?: string): Missing {
  const statements = membershipsOf(roles, byToken)
    .filter(({ mine }) => mine)
    .map(endOf);
  return { what: 'memberships ended', statements };
}

/** From then on RDS takes no password for it; what was one is forgotten. */
function missingIam(name: string, state: RoleState | undefined, { withGrantOptions }: ServerTraits): Missing {
  const role = identifier(name);
  const options = withGrantOptions ? sql` WITH INHERIT FALSE, SET FALSE` : sql``;
  const statements = state?.memberships.some((membership) => isIam(membership, name))
    ? []
    : [
        sql`GRANT ${identifier(IAM_ROLE)} TO ${role}${options}`,
        ...(state ? [sql`ALTER ROLE ${role} PASSWORD NULL`] : []),
      ];
  return { what: `${name} logs in with tokens of IAM`, statements };
}

function isIam({ role, member }: Membership, name: string | undefined): boolean {
  return role === IAM_ROLE && member === name;
}

/** Refuses memberships that only somebody else can end. */
export function refuseForeignMemberships(roles: (RoleState | undefined)[], id: string, byToken?: string): void {
  const foreign = membershipsOf(roles, byToken).filter(({ mine }) => !mine);
  if (foreign.length > 0) {
    const reasons = foreign.map(
      (membership) =>
        `${membership.member} is a member of ${membership.role}, as ${membership.grantor} granted: as that role, run ` +
        endOf(membership).text,
    );
    throw new ProvisioningError(STEP, reasons.join('; '), id);
  }
}

/** Each that should not be, once, although both of its roles may be the tenant's. */
function membershipsOf(roles: (RoleState | undefined)[], byToken: string | undefined): Membership[] {
  const all = roles.flatMap((role) => role?.memberships ?? []).filter((membership) => !isIam(membership, byToken));
  return [...new Map(all.map((membership) => [JSON.stringify(membership), membership])).values()];
}

function endOf({ role, member }: Membership): Sql {
  return sql`REVOKE ${identifier(role)} FROM ${identifier(member)}`;
}
