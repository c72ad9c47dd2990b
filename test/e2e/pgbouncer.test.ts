import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { connect } from '../../local/login';
import { LocalPgBouncer, startPgBouncer } from '../../local/pgbouncer';
import { LocalPostgres, startPostgres } from '../../local/postgres';

describe('the stand-in of RDS Proxy', () => {
  const directory = mkdtempSync(join(tmpdir(), 'tenancy-pgbouncer-test-'));
  let postgres: LocalPostgres;
  let proxy: LocalPgBouncer;

  beforeAll(async () => {
    postgres = await startPostgres({ version: 17, directory: join(directory, 'postgres') });
    const options = { postgres, directory: join(directory, 'proxy'), poolSize: 2, borrowTimeoutSeconds: 1 };
    proxy = await startPgBouncer(options);
    proxy.setUsers([postgres.master]);
  }, 60_000);
  afterAll(async () => {
    await proxy?.stop();
    await postgres?.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  const login = (password = postgres.master.password) =>
    connect({
      username: postgres.master.username,
      password,
      host: proxy.host,
      port: String(proxy.port),
      database: 'analytics',
      caFile: proxy.caFile,
    });
  const pid = async (client: Client) => (await client.query('SELECT pg_backend_pid() AS pid')).rows[0].pid as number;

  test('lets in whom it was told of, with the password it was told', async () => {
    const client = await login();
    expect((await client.query('SELECT session_user AS who')).rows).toEqual([{ who: postgres.master.username }]);
    await client.end();
    await expect(login('another')).rejects.toThrow(/SASL|authentication failed/);
    const superuser = { ...postgres.superuser, host: proxy.host, port: String(proxy.port) };
    await expect(connect({ ...superuser, database: 'analytics', caFile: proxy.caFile })).rejects.toThrow();
  });

  test('takes TLS only', async () => {
    const { username, password } = postgres.master;
    const client = new Client({ host: '127.0.0.1', port: proxy.port, user: username, password, database: 'analytics' });
    await expect(client.connect()).rejects.toThrow(/TLS|SSL/);
  });

  test('gives a connection of the server to a transaction, and takes back what it changed', async () => {
    const clients = await Promise.all([login(), login(), login()]);
    const pids = new Set<number>();
    for (const client of clients) pids.add(await pid(client));
    expect(pids.size).toBeLessThan(clients.length);
    await clients[0].query("SET work_mem = '1MB'");
    expect((await clients[0].query('SHOW work_mem')).rows).not.toEqual([{ work_mem: '1MB' }]);
    await Promise.all(clients.map((client) => client.end()));
  });

  test('lets a query wait for no longer than it was told', async () => {
    const clients = await Promise.all([login(), login(), login()]);
    clients.forEach((client) => client.on('error', () => undefined));
    const [first, second, third] = clients;
    await Promise.all([first.query('BEGIN; SELECT 1'), second.query('BEGIN; SELECT 1')]);
    await expect(third.query('SELECT 1')).rejects.toThrow(/query_wait_timeout|terminated/);
    await Promise.all(clients.map((client) => client.end().catch(() => undefined)));
  });

  test('serves again after a restart', async () => {
    await proxy.restart();
    const client = await login();
    expect(await pid(client)).toBeGreaterThan(0);
    await client.end();
  });
});
