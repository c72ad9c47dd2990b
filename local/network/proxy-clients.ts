import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { Client } from 'pg';
import { LocalPgBouncer } from '../pgbouncer';
import { clientNamed, ConnectionRecord } from './record';

const POLL_MILLISECONDS = 500;

/** Notes the clients of a proxy, for as long as it runs, by the names that they give their connections. */
export function recordClients(record: ConnectionRecord, proxy: LocalPgBouncer): { stop(): Promise<void> } {
  let stopping = false;
  const watching = (async () => {
    while (!stopping) {
      // One that is being restarted is asked again.
      await watch(record, proxy, () => stopping).catch(() => undefined);
      await pause(POLL_MILLISECONDS, undefined, { ref: false });
    }
  })();
  return {
    async stop() {
      stopping = true;
      await watching;
    },
  };
}

async function watch(record: ConnectionRecord, proxy: LocalPgBouncer, isOver: () => boolean): Promise<void> {
  const { host, port, caFile, administrator } = proxy;
  const { username: user, password } = administrator;
  const client = new Client({
    host,
    port,
    database: 'pgbouncer',
    user,
    password,
    ssl: { ca: readFileSync(caFile, 'utf8') },
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    while (!isOver()) {
      const { rows } = await client.query<{ application_name: string }>('SHOW CLIENTS');
      rows.flatMap((row) => clientNamed(row.application_name) ?? []).forEach((each) => record.note(each, port));
      await pause(POLL_MILLISECONDS, undefined, { ref: false });
    }
  } finally {
    await client.end().catch(() => undefined);
  }
}
