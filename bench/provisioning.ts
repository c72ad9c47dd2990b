import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, escapeLiteral } from 'pg';
import { startNewServer } from './new-server';
import { fixed, median, seconds, table } from './results';

const RUNS = 5;
const TENANTS = 100;

type Server = Awaited<ReturnType<typeof startNewServer>>;

/**
 * The handler against one session that runs the same statements, and against itself when nothing has changed.
 *
 * The session runs all that the handler asked of PostgreSQL, what each tenant asked to prove its isolation included. For
 * comparison it also runs only what changed something.
 */
export async function provisioning(): Promise<string> {
  const runs = [];
  let counted = { all: 0, changes: 0 };
  for (let run = 0; run < RUNS; run++) {
    const changes: string[] = [];
    let server = await startNewServer();
    const desired = server.tenants(TENANTS);
    const recording = recordStatements(server.postgres.master.username);
    const handler = await seconds(() => server.provision(desired, { onStatement: (text) => changes.push(text) }));
    const all = recording.end();
    const again = await seconds(() => server.provision(desired));
    await server.stop();

    const sessions = [];
    for (const texts of [all, changes]) {
      server = await startNewServer();
      sessions.push(await seconds(() => replay(server, texts)));
      await server.stop();
    }
    runs.push({ handler, again, session: sessions[0], changes: sessions[1] });
    counted = { all: countStatements(all), changes: countStatements(changes) };
  }
  const ratio = median(runs.map(({ handler, session }) => handler / session));
  const toChanges = median(runs.map(({ handler, changes }) => handler / changes));
  const repeat = median(runs.map(({ handler, again }) => again / handler));
  return [
    `${TENANTS} tenants, three tables (one of each strategy), PostgreSQL 17 over TLS, replayed by ${replayer()}.`,
    `The handler makes ${counted.all} statements, ${counted.changes} of them in transactions that change something.`,
    '',
    table(
      ['run', 'handler, s', 'one session, s', 'ratio', 'changes only, s', 'handler again, s', 'ratio to first'],
      runs.map(({ handler, session, changes, again }, i) => [
        i + 1,
        fixed(handler),
        fixed(session),
        fixed(handler / session),
        fixed(changes),
        fixed(again),
        fixed(again / handler),
      ]),
    ),
    '',
    `Median: the handler takes ${fixed(ratio)} times what the session takes (target: at most 1.5; ${fixed(toChanges)} times what its changes alone take), and a second run ${fixed(repeat)} of the first (target: at most 0.2).`,
  ].join('\n');
}

function countStatements(texts: string[]): number {
  return texts.join(';\n').split(/;\s*\n/).length;
}

/**
 * Writes down each statement that this process sends, with its values in it. What a tenant asks is asked as the loader, since
 * one session has one login.
 */
function recordStatements(master: string): { end(): string[] } {
  const texts: string[] = [];
  const { query } = Client.prototype;
  Client.prototype.query = function (this: Client, ...args: unknown[]) {
    const [text, values = []] = args as [string, unknown[]?];
    const statement =
      values.length === 0
        ? text
        : text.replace(/\$(\d+)/g, (_, number: string) => asLiteral(values[Number(number) - 1]));
    texts.push(
      this.user === master ? statement : `BEGIN READ ONLY;\nSET LOCAL ROLE tenancy_loader;\n${statement};\nCOMMIT`,
    );
    return (query as (...all: unknown[]) => unknown).apply(this, args);
  } as typeof query;
  return {
    end() {
      Client.prototype.query = query;
      return texts;
    },
  };
}

function asLiteral(value: unknown): string {
  return escapeLiteral(Array.isArray(value) ? `{${value.map((one) => JSON.stringify(one)).join(',')}}` : String(value));
}

function psqlVersion(): string | undefined {
  try {
    return execFileSync('psql', ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return undefined;
  }
}

function replayer(): string {
  return psqlVersion() ?? 'node-postgres (there is no psql here)';
}

async function replay(server: Server, texts: string[]): Promise<void> {
  const { host, port, caFile, master } = server.postgres;
  const statements = ['SET search_path = pg_catalog', ...texts];
  if (psqlVersion() === undefined) {
    const { username: user, password } = master;
    const ssl = { ca: readFileSync(caFile, 'utf8') };
    const client = new Client({ host, port, database: server.database, user, password, ssl });
    await client.connect();
    for (const text of statements) await client.query(text);
    return client.end();
  }
  const directory = mkdtempSync(join(tmpdir(), 'tenancy-bench-'));
  const file = join(directory, 'statements.sql');
  writeFileSync(file, statements.map((text) => `${text};\n`).join(''));
  try {
    const psql = spawn('psql', ['--no-psqlrc', '--quiet', '--set=ON_ERROR_STOP=1', `--file=${file}`], {
      env: {
        PATH: process.env.PATH,
        PGHOST: host,
        PGHOSTADDR: '127.0.0.1',
        PGPORT: String(port),
        PGDATABASE: server.database,
        PGUSER: master.username,
        PGPASSWORD: master.password,
        PGSSLMODE: 'verify-full',
        PGSSLROOTCERT: caFile,
        PGOPTIONS: '-c client_min_messages=warning',
      },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const [code] = (await once(psql, 'exit')) as [number];
    if (code !== 0) throw new Error(`psql ended with ${code}`);
  } finally {
    rmSync(directory, { recursive: true });
  }
}
