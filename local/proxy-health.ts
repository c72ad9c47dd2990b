import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { Client } from 'pg';
import { LocalPgBouncer } from './pgbouncer';
import { LocalPostgres, PostgresUser } from './postgres';
import { registerProxyTarget } from './rds-roles';

const POLL_MILLISECONDS = 1_000;

/** Whether a proxy's target serves, as RDS says it: by a login of its own account to database `postgres`. */
export interface ProxyHealth {
  /** Why the target is not available; undefined while it is. */
  problem(): string | undefined;
  stop(): Promise<void>;
}

/**
 * Registers a server as the target of a proxy, and looks each second whether the account that RDS makes for that can log in. While it
 * cannot, the proxy answers no query. The log of the server has the name for it.
 */
export async function registerTarget(
  postgres: LocalPostgres,
  proxy: LocalPgBouncer,
  name?: string,
): Promise<ProxyHealth> {
  const account = await registerProxyTarget(postgres);
  let problem = await look(postgres, account, name);
  let stopping = false;
  if (problem) await onConsole(proxy, 'PAUSE');
  const watching = (async () => {
    while (!stopping) {
      await pause(POLL_MILLISECONDS, undefined, { ref: false });
      const now = await look(postgres, account, name);
      if (Boolean(now) !== Boolean(problem)) {
        // A proxy that is being restarted is asked again.
        await onConsole(proxy, now ? 'PAUSE' : 'RESUME').then(
          () => (problem = now),
          () => undefined,
        );
      }
    }
  })();
  return {
    problem: () => problem,
    async stop() {
      stopping = true;
      await watching;
    },
  };
}

async function look(
  { host, port, caFile }: LocalPostgres,
  { username: user, password }: PostgresUser,
  name?: string,
): Promise<string | undefined> {
  const ssl = { ca: readFileSync(caFile, 'utf8') };
  const client = new Client({ host, port, database: 'postgres', user, password, ssl, application_name: name });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function onConsole({ host, port, caFile, administrator }: LocalPgBouncer, command: string): Promise<void> {
  const { username: user, password } = administrator;
  const ssl = { ca: readFileSync(caFile, 'utf8') };
  const client = new Client({ host, port, database: 'pgbouncer', user, password, ssl });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query(command);
  } finally {
    await client.end().catch(() => undefined);
  }
}
