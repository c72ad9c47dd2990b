import pLimit from 'p-limit';
import pRetry from 'p-retry';
import { UNSAFE_EXTENSIONS } from '../../unsafe-extensions';
import { DesiredDatabase, REGISTRY_DATABASE } from '../../desired-databases';
import { AWS_ACCOUNT, readOpenAwsDatabases, refuseEntry } from '../aws-own';
import { logIn } from '../log-in';
import { ProvisioningError, asProvisioningError } from '../provisioning-error';
import { Login } from '../secrets';
import { Change, Session } from '../session';
import { allowedExtensions } from './inside/functions';
import { IAM_ROLE, iamLogin } from './iam-login';
import { TenantLogins } from './logins';
import { Place, placeOf } from './place';
import { ServerTraits } from './server-traits';

const STEP = 'verification';
const PARALLEL_LOGINS = 8;

/** What was proved, and what was not. */
export interface Verification {
  readonly changes: Change[];
  readonly failures: ProvisioningError[];
  /** Tenants whose connections were all in use: neither proved nor failed. */
  readonly busy: ReadonlySet<string>;
}

/**
 * Logs in as each tenant and each ETL, with its real secret or with a token of IAM, and directly to the server, and looks: is it in
 * its own database, does it read what is there, and can it do nothing else?
 *
 * A password that no longer fits its secret is set again first. PostgreSQL checks it before it counts the connections, so that
 * this heals too when all of them are in use.
 */
export async function verifyDatabases(
  master: Session,
  due: DesiredDatabase[],
  loginsOf: (id: string) => Promise<TenantLogins>,
  server: Pick<Login, 'host' | 'port'>,
  traits: ServerTraits,
): Promise<Verification> {
  if (due.length === 0) {
    return { changes: [], failures: [], busy: new Set() };
  }
  const neighbours = await readNeighbours(master);
  const places = due.map(({ id }) => placeOf(id));
  const failures = await excessiveRights(master, places);
  const ofAws = await readOpenAwsDatabases(
    master,
    places.flatMap((place) => KINDS.map((kind) => homeOf(place, kind).role)),
  );
  const busy = new Set<string>();
  const changes: Change[] = [];
  const limit = pLimit(PARALLEL_LOGINS);

  const prove = async (place: Place, kind: keyof TenantLogins) => {
    const { id } = place;
    try {
      const login = (await loginsOf(id))[kind];
      const byToken = kind === 'reader' && !login;
      if (!login && !byToken) {
        return;
      }
      const { role, database } = homeOf(place, kind);
      const direct = login ? directly(login, database, server, id) : await withToken(place, server);
      const { session, changes: mended } = byToken
        ? { session: await logInByToken(direct), changes: [] }
        : await logIn(master, role, direct, id);
      changes.push(...mended);
      await LOOKS[kind](session, place, traits).finally(() => session.close());
      // A tenant's own data and its Superset's metadata are strangers to each other, too.
      await refusedBy(neighbours.find((name) => name !== database) ?? REGISTRY_DATABASE, direct, id);
      await refuseEntry(ofAws, direct, id);
    } catch (error) {
      if (isAtItsLimit(error)) {
        const what = `${homeOf(place, kind).role} not proved, since all its connections are in use`;
        console.log(JSON.stringify({ step: STEP, what, tenant: id }));
        busy.add(id);
      } else {
        failures.push(asProvisioningError(error, STEP, id));
      }
    }
  };
  await Promise.all(places.flatMap((place) => KINDS.map((kind) => limit(() => prove(place, kind)))));
  return { changes, failures, busy };
}

/** Its own users keep it from being proved, which is no fault: a deployment must not fail at a busy hour. */
function isAtItsLimit(error: unknown): boolean {
  const { code, message = '' } = error as { code?: string; message?: string };
  return code === '53300' && message.startsWith('too many connections for role');
}

/** Role and database of a login. */
function homeOf(place: Place, kind: keyof TenantLogins): { readonly role: string; readonly database: string } {
  return kind === 'metadata'
    ? { role: place.metadata.owner, database: place.metadata.database }
    : { role: place[kind], database: place.database };
}

/** The login of a secret, at the server itself: its host may be that of a proxy. */
function directly(login: Login, database: string, { host, port }: Pick<Login, 'host' | 'port'>, id: string): Login {
  if (login.database !== database) {
    throw new ProvisioningError(STEP, `its secret names database ${login.database}, not ${database}`, id);
  }
  return { ...login, host, port };
}

/** What IAM lets a role do since a moment ago, RDS may not know yet. */
function logInByToken(login: Login): Promise<Session> {
  return pRetry(() => Session.open(login), {
    retries: 4,
    minTimeout: 500,
    onFailedAttempt: (error) => {
      if ((error as { code?: string }).code !== REFUSED_TOKEN) throw error;
    },
  });
}

const REFUSED_TOKEN = '28000';

function withToken(
  { reader: username, database }: Place,
  { host, port }: Pick<Login, 'host' | 'port'>,
): Promise<Login> {
  return iamLogin({ host, port, database, username });
}

/** Databases of tenants to knock at. */
async function readNeighbours(master: Session): Promise<string[]> {
  const rows = await master.rows<{ name: string }>(
    `SELECT d.datname::text AS name
       FROM pg_database d JOIN tenancy.tenant_database t ON d.datname IN ('tenant_' || t.id, 'superset_' || t.id)
      WHERE d.datallowconn ORDER BY t.id, 1 LIMIT 2`,
  );
  return rows.map(({ name }) => name);
}

const INSUFFICIENT_PRIVILEGE = '42501';

async function refusedBy(database: string, login: Login, id: string): Promise<void> {
  try {
    await (await Session.open({ ...login, database })).close();
  } catch (error) {
    if ((error as { code?: string }).code === INSUFFICIENT_PRIVILEGE) {
      return;
    }
    throw error;
  }
  throw new ProvisioningError(STEP, `${login.username} can connect to database ${database}`, id);
}

/** What a login sees of its own database. */
interface Finding {
  readonly role: string;
  readonly database: string;
  readonly unreadable: string[];
  readonly writable: string[];
  readonly creatable: string[];
  readonly callable: string[];
  readonly waysOut: string[];
  readonly powers: boolean;
}

async function lookAsReader(session: Session, place: Place, traits: ServerTraits): Promise<void> {
  const finding = await look(session, traits);
  refuseAny(place, finding, homeOf(place, 'reader'), [
    [finding.unreadable, 'it cannot read'],
    [finding.writable, 'it may change'],
    [finding.creatable, 'it may create objects in'],
    [finding.callable, 'it may call'],
    [finding.waysOut, 'it may use'],
  ]);
}

async function lookAsLoader(session: Session, place: Place, traits: ServerTraits): Promise<void> {
  const finding = await look(session, traits);
  refuseAny(place, finding, homeOf(place, 'loader'), [
    [finding.creatable.filter((name) => name !== `schema ${traits.schema}`), 'its loader may create objects in'],
    [finding.waysOut, 'its loader may use'],
  ]);
}

/** What it makes in its own database is its business. */
async function lookAsMetadata(session: Session, place: Place, traits: ServerTraits): Promise<void> {
  const finding = await look(session, traits);
  refuseAny(place, finding, homeOf(place, 'metadata'), [[finding.waysOut, 'its Superset may use']]);
}

const LOOKS = { reader: lookAsReader, loader: lookAsLoader, metadata: lookAsMetadata };

const KINDS = ['reader', 'loader', 'metadata'] as const;

function refuseAny(
  place: Place,
  finding: Finding,
  { role, database }: { readonly role: string; readonly database: string },
  faults: [names: string[], what: string][],
): void {
  const refuse = (reason: string) => {
    throw new ProvisioningError(STEP, reason, place.id);
  };
  if (finding.role !== role) refuse(`PostgreSQL takes ${role} for ${finding.role}`);
  if (finding.database !== database) refuse(`${role} is in database ${finding.database}`);
  if (finding.powers) refuse(`${role} has powers beyond its database, or is a member of another role`);
  const reasons = faults.filter(([names]) => names.length > 0).map(([names, what]) => `${what} ${some(names)}`);
  if (reasons.length > 0) refuse(reasons.join('; '));
}

function some(names: string[]): string {
  const more = names.length - 5;
  return more > 0 ? `${names.slice(0, 5).join(', ')} and ${more} more` : names.join(', ');
}

async function look(session: Session, { schema, extensions }: ServerTraits): Promise<Finding> {
  // Its own search_path could put another function in the place of PostgreSQL's.
  await session.rows('SET search_path = pg_catalog');
  const [finding] = await session.rows<Finding>(
    `SELECT session_user::text AS role, current_database()::text AS database,
            ARRAY(SELECT c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                   WHERE n.nspname = $1 AND c.relkind IN ('r', 'p', 'v', 'm') AND NOT has_table_privilege(c.oid, 'SELECT')
                   ORDER BY 1) AS unreadable,
            ARRAY(SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                   WHERE has_schema_privilege(n.oid, 'USAGE') AND c.oid >= 16384
                     AND CASE WHEN c.relkind IN ('r', 'p', 'v', 'm', 'f')
                              THEN has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')
                                OR has_any_column_privilege(c.oid, 'INSERT, UPDATE, REFERENCES')
                                OR c.relkind = 'f' AND has_table_privilege(c.oid, 'SELECT')
                              WHEN c.relkind = 'S' THEN has_sequence_privilege(c.oid, 'USAGE, UPDATE') END
                   ORDER BY 1) AS writable,
            ARRAY(SELECT 'schema ' || n.nspname FROM pg_namespace n WHERE has_schema_privilege(n.oid, 'CREATE')
                   UNION ALL
                  SELECT 'database ' || current_database() WHERE has_database_privilege(current_database(), 'CREATE')
                   UNION ALL
                  SELECT 'temporary tables' WHERE has_database_privilege(current_database(), 'TEMPORARY')) AS creatable,
            ARRAY(SELECT p.oid::regprocedure::text
                    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang
                    LEFT JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
                                         AND d.refclassid = 'pg_extension'::regclass
                    LEFT JOIN pg_extension e ON e.oid = d.refobjid
                   WHERE p.oid >= 16384 AND has_schema_privilege(n.oid, 'USAGE') AND has_function_privilege(p.oid, 'EXECUTE')
                     AND CASE WHEN e.oid IS NULL AND n.nspname IN ('pg_catalog', 'information_schema') THEN false
                              WHEN e.oid IS NULL THEN p.prosecdef OR p.prokind = 'a'
                                                   OR NOT l.lanpltrusted AND l.lanname NOT IN ('sql', 'internal')
                              ELSE e.extname <> ALL ($2) OR e.extname::text ~ $3 END
                   ORDER BY 1) AS callable,
            ARRAY(SELECT 'foreign-data wrapper ' || fdwname FROM pg_foreign_data_wrapper
                   WHERE has_foreign_data_wrapper_privilege(oid, 'USAGE')
                   UNION ALL
                  SELECT 'foreign server ' || srvname FROM pg_foreign_server WHERE has_server_privilege(oid, 'USAGE')
                   UNION ALL
                  SELECT 'user mapping of ' || srvname FROM pg_user_mappings
                   WHERE umuser = 0 OR umuser = session_user::regrole) AS "waysOut",
            (SELECT r.rolsuper OR r.rolbypassrls OR r.rolcreaterole OR r.rolcreatedb OR r.rolreplication
               FROM pg_roles r WHERE r.rolname = session_user)
              OR EXISTS (SELECT FROM pg_auth_members WHERE member IN (session_user::regrole, to_regrole($4))
                                                       AND roleid IS DISTINCT FROM to_regrole($4)) AS powers`,
    [schema, allowedExtensions(extensions), UNSAFE_EXTENSIONS, IAM_ROLE],
  );
  return finding;
}

/** Logins that may enter another database, by what PostgreSQL says of all of them at once. */
async function excessiveRights(master: Session, places: Place[]): Promise<ProvisioningError[]> {
  const rows = await master.rows<{ id: string; role: string; databases: string[] }>(
    `SELECT want.id, want.role, array_agg(d.datname::text ORDER BY d.datname) AS databases
       FROM unnest($1::text[], $2::text[], $3::text[]) AS want (id, role, database)
       JOIN pg_roles r ON r.rolname = want.role
       JOIN pg_database d ON d.datallowconn AND d.datname <> want.database AND has_database_privilege(r.oid, d.oid, 'CONNECT')
                         AND pg_get_userbyid(d.datdba) !~ $4
      GROUP BY 1, 2`,
    [
      places.flatMap(({ id }) => KINDS.map(() => id)),
      places.flatMap((place) => KINDS.map((kind) => homeOf(place, kind).role)),
      places.flatMap((place) => KINDS.map((kind) => homeOf(place, kind).database)),
      AWS_ACCOUNT,
    ],
  );
  return rows.map(
    ({ id, role, databases }) =>
      new ProvisioningError(STEP, `${role} may connect to database ${databases.join(', ')}`, id),
  );
}
