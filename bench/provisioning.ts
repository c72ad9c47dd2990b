import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { startNewServer } from './new-server';
import { fixed, median, seconds, table } from './results';

const RUNS = 5;
const TENANTS = 100;

type Server = Awaited<ReturnType<typeof startNewServer>>;

/** The handler against one session that runs the same statements, and against itself when nothing has changed. */
export async function provisioning(): Promise<string> {
  const runs = [];
  let statements = 0;
  for (let run = 0; run < RUNS; run++) {
    const texts: string[] = [];
    let server = await startNewServer();
    const desired = server.tenants(TENANTS);
    const handler = await seconds(() => server.provision(desired, { onStatement: (text) => texts.push(text) }));
    const again = await seconds(() => server.provision(desired));
    await server.stop();

    server = await startNewServer();
    const session = await seconds(() => replay(server, texts));
    await server.stop();
    statements = texts.join(';\n').split(';\n').length;
    runs.push({ handler, session, again });
  }
  const ratio = median(runs.map(({ handler, session }) => handler / session));
  const repeat = median(runs.map(({ handler, again }) => again / handler));
  return [
    `${TENANTS} tenants, three tables (one of each strategy), ${statements} statements, PostgreSQL 17 over TLS, replayed by ${replayer()}:`,
    '',
    table(
      ['run', 'handler, s', 'one session, s', 'ratio', 'handler again, s', 'ratio to first'],
      runs.map(({ handler, session, again }, i) => [
        i + 1,
        fixed(handler),
        fixed(session),
        fixed(handler / session),
        fixed(again),
        fixed(again / handler),
      ]),
    ),
    '',
    `Median: the handler takes ${fixed(ratio)} times what the session takes (target: at most 1.5), and a second run ${fixed(repeat)} of the first (target: at most 0.2).`,
  ].join('\n');
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
      },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const [code] = (await once(psql, 'exit')) as [number];
    if (code !== 0) throw new Error(`psql ended with ${code}`);
  } finally {
    rmSync(directory, { recursive: true });
  }
}
