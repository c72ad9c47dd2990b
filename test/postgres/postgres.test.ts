import { spawn } from 'node:child_process';
import { connect, createServer } from 'node:net';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, ClientConfig } from 'pg';
import { LocalPostgres, PostgresUser, startPostgres } from '../../local/postgres';

async function query<Row>(
  { host, port, caFile }: LocalPostgres,
  { username, password }: PostgresUser,
  text: string,
  options: ClientConfig = {},
): Promise<Row[]> {
  const ssl = { ca: readFileSync(caFile, 'utf8') };
  const client = new Client({ host, port, database: 'analytics', user: username, password, ssl, ...options });
  await client.connect();
  try {
    return (await client.query(text)).rows as Row[];
  } finally {
    await client.end();
  }
}

describe.each([15, 16, 17] as const)('PostgreSQL %i as RDS hands it over', (version) => {
  const directory = mkdtempSync(join(tmpdir(), 'tenancy-test-'));
  let postgres: LocalPostgres;
  beforeAll(async () => {
    postgres = await startPostgres({ version, directory });
  }, 60_000);
  afterAll(async () => {
    await postgres?.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  test('is of the version that was asked for, and keeps what it held over a restart', async () => {
    await query(postgres, postgres.master, 'CREATE TABLE kept AS SELECT 1');
    await postgres.restart();
    const [row] = await query<{ version: string }>(postgres, postgres.master, 'SHOW server_version');
    expect(row).toMatchObject({ server_version: expect.stringMatching(new RegExp(`^${version}\\.`)) });
    await expect(query(postgres, postgres.master, 'SELECT FROM kept')).resolves.toHaveLength(1);
  });

  test('refuses a connection without TLS, and shows a certificate that its authority vouches for', async () => {
    await expect(query(postgres, postgres.master, 'SELECT 1', { ssl: false })).rejects.toThrow('no encryption');
    await expect(query(postgres, postgres.master, 'SELECT 1', { ssl: {} })).rejects.toThrow('certificate');
    await expect(query(postgres, postgres.master, 'SELECT 1', { host: '127.0.0.1' })).resolves.toHaveLength(1);
  });

  test('gives the master user the powers that RDS gives, and no more', async () => {
    const [powers] = await query(
      postgres,
      postgres.master,
      `SELECT rolsuper, rolcreatedb, rolcreaterole, rolbypassrls, rolreplication,
              pg_has_role('rds_superuser', 'USAGE') AS rds_superuser, pg_has_role('pg_monitor', 'USAGE') AS pg_monitor
         FROM pg_roles WHERE rolname = current_user`,
    );
    expect(powers).toEqual({
      rolsuper: false,
      rolcreatedb: true,
      rolcreaterole: true,
      rolbypassrls: false,
      rolreplication: false,
      rds_superuser: true,
      pg_monitor: true,
    });
    await expect(query(postgres, postgres.master, 'ALTER ROLE CURRENT_USER BYPASSRLS')).rejects.toThrow();
    await expect(query(postgres, postgres.master, `COPY (SELECT 1) TO PROGRAM 'true'`)).rejects.toThrow();
    for (const statement of [
      `ALTER ROLE CURRENT_USER SET temp_file_limit = '1GB'`,
      `ALTER SYSTEM SET work_mem = '1MB'`,
      'SELECT FROM pg_authid',
    ]) {
      await expect(query(postgres, postgres.master, statement)).rejects.toThrow('permission denied');
    }
    await expect(query(postgres, postgres.master, 'SELECT 1', { database: 'rdsadmin' })).rejects.toThrow(
      'permission denied for database',
    );
  });

  test('gives the databases to the owners that RDS gives them', async () => {
    const databases = await query<{ name: string; owner: string }>(
      postgres,
      postgres.master,
      `SELECT datname AS name, pg_get_userbyid(datdba) AS owner FROM pg_database ORDER BY 1`,
    );
    expect(Object.fromEntries(databases.map(({ name, owner }) => [name, owner]))).toEqual({
      analytics: 'postgres',
      postgres: 'postgres',
      rdsadmin: 'rdsadmin',
      template0: 'rdsadmin',
      template1: 'postgres',
    });
  });
});

describe('a local PostgreSQL', () => {
  const directory = mkdtempSync(join(tmpdir(), 'tenancy-test-'));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  test('starts again in its directory with the same users and data', async () => {
    const first = await startPostgres({ version: 17, directory });
    await query(first, first.master, 'CREATE TABLE kept AS SELECT 1');
    await first.stop();
    const second = await startPostgres({ version: 17, directory });
    try {
      await expect(query(second, first.master, 'SELECT FROM kept')).resolves.toHaveLength(1);
    } finally {
      await second.stop();
    }
  }, 60_000);

  test('ends with the process that started it, even if that is killed', async () => {
    const script = `require('tsx/cjs');
      require(${JSON.stringify(join(__dirname, '../../local/postgres.ts'))})
        .startPostgres({ version: 17, directory: process.argv[1] }).then(({ port }) => console.log(port));
      setInterval(() => undefined, 1000);`;
    const parent = spawn(process.execPath, ['-e', script, directory], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [said] = (await once(parent.stdout, 'data')) as [Buffer];
    const port = Number(said.toString());
    expect(await listens(port)).toBe(true);
    parent.kill('SIGKILL');
    await once(parent, 'exit');
    while (await listens(port)) await new Promise((resolve) => setTimeout(resolve, 50));
  }, 60_000);

  test('says in one line what keeps it from starting, and leaves nothing behind', async () => {
    const before = readdirSync(tmpdir());
    const busy = createServer().listen(0, '127.0.0.1');
    await once(busy, 'listening');
    const { port } = busy.address() as { port: number };
    const start = startPostgres({ version: 17, directory, port });
    await expect(start).rejects.toThrow(new RegExp(`^Port ${port} is busy\\. .*$`));
    busy.close();
    expect(
      readdirSync(tmpdir()).filter((name) => !before.includes(name) && name.startsWith('tenancy-postgres')),
    ).toEqual([]);
  });
});

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
