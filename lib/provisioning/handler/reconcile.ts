import { DesiredState, ProvisionerEnvironment } from '../desired-state';
import { revokePublic } from './databases';
import { ProvisioningError, asProvisioningError } from './provisioning-error';
import { closeUndeclared } from './relations';
import { endRemovedTenants } from './removed-tenants';
import { beginLoaderMembership, endLoaderMembership, ensureRoles } from './roles';
import { Login, readLogin, readLogins, readSecret } from './secrets';
import { Change, Session, StatementListener } from './session';
import { protectTables } from './tables';
import { ensureTenancySchema } from './tenancy-schema';
import { pendingTenantTables } from './tenant-schemas';
import { ensureTenants } from './tenants';
import { verifyLoader, verifyTenants } from './verification';

const PARALLEL_TENANTS = 4;

/** What a run did, and what it saw that is not ready. */
export interface ReconcileResult {
  readonly changes: Change[];
  /** Declared tables that do not exist yet. */
  readonly pending: string[];
  /** Relations beside the declared ones, which tenants cannot read. */
  readonly unreadable: string[];
}

/** How a run differs from the usual one. */
export interface ReconcileOptions {
  /** Whether to log in as each tenant although its last proof still holds. @default false */
  readonly verifyEverybody?: boolean;
  /** Gets each statement that changed something. @default - nobody */
  readonly onStatement?: StatementListener;
}

/** Brings PostgreSQL to what the template asks for, and proves it by logging in as each tenant. */
export async function reconcile(
  desired: DesiredState,
  environment: ProvisionerEnvironment,
  options: ReconcileOptions = {},
): Promise<ReconcileResult> {
  const logins = readTenantLogins(desired);
  return withMaster(environment, options.onStatement, async (master, masters) => {
    const loader = await readLogin(environment.LOADER_SECRET);
    const changes = await ensureRoles(master, loader);
    await beginLoaderMembership(master);
    try {
      changes.push(...(await ensureTenancySchema(master, desired)));
      changes.push(...(await revokePublic(master)));
      const undeclared = await closeUndeclared(master, desired);
      const tables = await protectTables(master, desired);
      changes.push(...undeclared.changes, ...tables.changes);
      changes.push(...(await endRemovedTenants(master, desired)));
      changes.push(...(await ensureTenants(masters, desired, logins)));
      changes.push(...(await verifyLoader(master, loader)));
      changes.push(...(await verifyTenants(master, desired, await allOf(logins), options.verifyEverybody ?? false)));
      await remember(master, desired);
      const pending = [...tables.pending, ...(await pendingTenantTables(master, desired))];
      return { changes, pending, unreadable: undeclared.unreadable };
    } finally {
      await endLoaderMembership(master);
    }
  });
}

/** Reconciles what was asked for last, to heal drift and to protect tables that have appeared since; proves everybody again. */
export async function reconcileStored(environment: ProvisionerEnvironment): Promise<ReconcileResult> {
  const stored = await withMaster(environment, undefined, (master) =>
    master.rows<{ state: DesiredState }>(`SELECT state FROM tenancy.desired ORDER BY batch`),
  );
  const results: ReconcileResult[] = [];
  for (const { state } of stored) {
    results.push(await reconcile(state, environment, { verifyEverybody: true }));
  }
  return {
    changes: results.flatMap(({ changes }) => changes),
    pending: [...new Set(results.flatMap(({ pending }) => pending))],
    unreadable: [...new Set(results.flatMap(({ unreadable }) => unreadable))],
  };
}

/** Ends the logins of all tenants of a batch, as if each had been removed. */
export async function removeBatch(desired: DesiredState, environment: ProvisionerEnvironment): Promise<Change[]> {
  return withMaster(environment, undefined, async (master) => {
    const [{ known }] = await master.rows<{ known: boolean }>(
      `SELECT to_regclass('tenancy.desired') IS NOT NULL AS known`,
    );
    if (!known) {
      return [];
    }
    await beginLoaderMembership(master);
    try {
      const changes = await endRemovedTenants(master, { ...desired, tenants: [] });
      await master.rows(`DELETE FROM tenancy.desired WHERE batch = $1`, [desired.batch]);
      return changes;
    } finally {
      await endLoaderMembership(master);
    }
  });
}

async function remember(master: Session, desired: DesiredState): Promise<void> {
  await master.rows(
    `INSERT INTO tenancy.desired AS d (batch, state) VALUES ($1, $2)
     ON CONFLICT (batch) DO UPDATE SET state = excluded.state WHERE d.state IS DISTINCT FROM excluded.state`,
    [desired.batch, JSON.stringify(desired)],
  );
}

/** Starts to read the secrets of all tenants; each step waits for the one that it needs. */
function readTenantLogins({ tenants }: DesiredState): Map<string, Promise<Login>> {
  const bySecret = readLogins(tenants.map(({ secret }) => secret));
  return new Map(
    tenants.map(({ id, secret }) => {
      const login = (bySecret.get(secret) as Promise<Login>).catch((error) => {
        throw asProvisioningError(error, 'secret', id);
      });
      login.catch(() => undefined); // told by whoever waits for it
      return [id, login] as const;
    }),
  );
}

async function allOf(logins: ReadonlyMap<string, Promise<Login>>): Promise<Map<string, Login>> {
  return new Map(await Promise.all([...logins].map(async ([id, login]) => [id, await login] as const)));
}

/**
 * Sessions of the master user, the first of which holds the lock that lets one run at a time go on.
 *
 * Should this function die, PostgreSQL ends its sessions within two minutes, and the lock with them.
 */
async function withMaster<Result>(
  environment: ProvisionerEnvironment,
  onStatement: StatementListener | undefined,
  run: (master: Session, masters: Session[]) => Promise<Result>,
): Promise<Result> {
  const { username, password } = (await readSecret(environment.MASTER_SECRET)).value;
  const login: Login = {
    host: environment.DATABASE_HOST,
    port: Number(environment.DATABASE_PORT),
    database: environment.DATABASE_NAME,
    username,
    password,
  };
  const masters: Session[] = [];
  let heartbeat: NodeJS.Timeout | undefined;
  try {
    const open = async () => {
      const session = await Session.open(login, onStatement);
      masters.push(session);
      await session.rows(SESSION_SETTINGS);
    };
    await open();
    await lock(masters[0]);
    // Those who wait for the lock hold one connection each.
    await Promise.all(Array.from({ length: PARALLEL_TENANTS - 1 }, open));
    heartbeat = setInterval(
      () => masters.forEach((session) => session.rows('SELECT 1').catch(() => undefined)),
      30_000,
    );
    return await run(masters[0], masters);
  } finally {
    clearInterval(heartbeat);
    await Promise.all(masters.map((session) => session.close()));
  }
}

const SESSION_SETTINGS = `
  SET search_path = pg_catalog;
  SET lock_timeout = '5s';
  SET idle_in_transaction_session_timeout = '60s';
  SET idle_session_timeout = '120s';
  SET tcp_keepalives_idle = 30`;

/** Any number will do, as long as it stays the same. */
const LOCK = 7_316_402_158;

/** Advisory locks are anybody's to take: a session of somebody else that has this one, or waits for it, is up to no good. */
const END_STRANGERS = `
  SELECT pg_terminate_backend(a.pid) FROM pg_locks l JOIN pg_stat_activity a USING (pid) JOIN pg_roles r ON r.oid = a.usesysid
   WHERE l.locktype = 'advisory' AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
     AND l.classid = ($1::bigint >> 32)::oid AND l.objid = ($1::bigint & 4294967295)::oid
     AND r.rolname <> current_user AND NOT r.rolsuper`;

async function lock(master: Session): Promise<void> {
  const deadline = Date.now() + 5 * 60_000;
  for (;;) {
    const [{ locked }] = await master.rows<{ locked: boolean }>(`SELECT pg_try_advisory_lock($1) AS locked`, [LOCK]);
    if (locked) {
      return;
    }
    await master.rows(END_STRANGERS, [LOCK]);
    if (Date.now() > deadline) {
      const [holder] = await master.rows<{ pid: number; since: Date }>(
        `SELECT a.pid, a.backend_start AS since FROM pg_locks l JOIN pg_stat_activity a USING (pid)
          WHERE l.locktype = 'advisory' AND l.granted AND l.classid = ($1::bigint >> 32)::oid
            AND l.objid = ($1::bigint & 4294967295)::oid`,
        [LOCK],
      );
      const who = holder ? `process ${holder.pid}, connected since ${holder.since.toISOString()}` : 'somebody';
      throw new ProvisioningError(
        'lock',
        `${who} has been provisioning for over five minutes; try again when it is done`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}
