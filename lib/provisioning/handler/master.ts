import { AWS_ACCOUNT } from './aws-own';
import { refuseForeignServer } from './owning-environment';
import { ProvisioningError } from './provisioning-error';
import { Login, readSecret } from './secrets';
import { Session, StatementListener } from './session';

/** Sessions of a run, if it has work for so many. */
export const PARALLEL_SESSIONS = 4;

/** A database, and the secret of the master user of its server. */
export interface MasterAccess {
  readonly host: string;
  readonly port: string;
  readonly database: string;
  /** ARN of the secret with the master user's `username` and `password`. */
  readonly secret: string;
}

/**
 * Sessions of the master user, the first of which holds the lock that lets one run at a time go on. Refuses the server of another
 * environment.
 *
 * Should this function die, PostgreSQL ends its sessions within two minutes, and the lock with them.
 */
export async function withMasterOf<Result>(
  access: MasterAccess,
  onStatement: StatementListener | undefined,
  run: (master: Session, masters: Session[], login: Login) => Promise<Result>,
  sessions = PARALLEL_SESSIONS,
): Promise<Result> {
  const login = await masterLogin(access);
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
    await refuseForeignServer(masters[0]);
    // Those who wait for the lock hold one connection each.
    await Promise.all(Array.from({ length: sessions - 1 }, open));
    heartbeat = setInterval(
      () => masters.forEach((session) => session.rows('SELECT 1').catch(() => undefined)),
      30_000,
    );
    return await run(masters[0], masters, login);
  } finally {
    clearInterval(heartbeat);
    await Promise.all(masters.map((session) => session.close()));
  }
}

/** The master user's login, from its secret. */
export async function masterLogin({ host, port, database, secret }: MasterAccess): Promise<Login> {
  const { username, password } = (await readSecret(secret)).value;
  const renewedPassword = async () => (await readSecret(secret)).value.password;
  return { host, port: Number(port), database, username, password, renewedPassword };
}

/** A session of the master user that holds no lock, for a short look or a short piece of work. */
export async function withSession<Result>(
  login: Login,
  run: (session: Session) => Promise<Result>,
  onStatement?: StatementListener,
): Promise<Result> {
  const session = await Session.open(login, onStatement);
  try {
    await session.rows(SESSION_SETTINGS);
    return await run(session);
  } finally {
    await session.close();
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
     AND r.rolname <> current_user AND NOT r.rolsuper AND r.rolname !~ $2`;

async function lock(master: Session): Promise<void> {
  const deadline = Date.now() + 5 * 60_000;
  for (;;) {
    const [{ locked }] = await master.rows<{ locked: boolean }>(`SELECT pg_try_advisory_lock($1) AS locked`, [LOCK]);
    if (locked) {
      return;
    }
    await master.rows(END_STRANGERS, [LOCK, AWS_ACCOUNT]);
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
