import { DesiredDatabases } from '../../lib/provisioning/desired-databases';
import { onDatabasesEvent } from '../../lib/provisioning/handler';
import {
  reconcileDatabases,
  reconcileStoredDatabases,
  removeDatabases,
} from '../../lib/provisioning/handler/per-tenant/reconcile-databases';
import { Servers, TestTenant, loaderSecret, sqlState, startServers, tenantSecret } from './per-tenant-servers';

const ACME = { id: 'tk4q9w', loader: true };
const BOLT = { id: 'tz81mm' };
const CRUX = { id: 'tp20xd' };

describe.each([15, 17] as const)('a database for each tenant, on PostgreSQL %i as the RDS master user', (version) => {
  let servers: Servers;
  let log: jest.SpyInstance;

  beforeAll(async () => {
    log = jest.spyOn(console, 'log').mockImplementation(() => undefined);
    servers = await startServers(version, 2);
  }, 60_000);
  afterAll(async () => {
    await servers?.stop();
    log.mockRestore();
  });
  afterEach(() => servers.clear());

  const run = (desired: DesiredDatabases) => reconcileDatabases(desired);
  const failure = (promise: Promise<unknown>) =>
    promise.then(
      () => 'no failure',
      (error: Error) => error.message,
    );
  const schedule = () => reconcileStoredDatabases(servers.servers());

  /** Two tenants, one of which has an ETL that made a table. */
  async function twoTenants(options: Partial<DesiredDatabases> = {}) {
    const desired = servers.desired([ACME, BOLT], options);
    await run(desired);
    await servers.loader(
      ACME.id,
      `CREATE TABLE orders (id int PRIMARY KEY, note text); INSERT INTO orders VALUES (1, 'acme')`,
    );
    return desired;
  }

  const maxConnections = async () => Number((await servers.master('SHOW max_connections'))[0].max_connections);

  const orders = (id: string, server = 'a') => servers.tenant(id, 'SELECT id FROM orders', server);

  test('a tenant reads what its ETL writes, from the moment that a table exists; a second run changes nothing', async () => {
    const desired = await twoTenants({ extensions: ['pg_trgm'] });
    expect(await orders(ACME.id)).toEqual([{ id: 1 }]);
    expect(await servers.tenant(BOLT.id, `SELECT current_database() AS name, similarity('a', 'a') AS same`)).toEqual([
      { name: 'tenant_tz81mm', same: 1 },
    ]);
    expect((await run(desired)).changes).toEqual([]);
    expect((await schedule()).changes).toEqual([]);
  });

  test('limits are what was asked for, and temporary files are limited where the master user may', async () => {
    await run(
      servers.desired([
        { ...BOLT, connections: '2', statementTimeoutSeconds: '7', workMemMiB: '5', parallelWorkers: '3' },
      ]),
    );
    const settings = () =>
      servers.tenant(
        BOLT.id,
        `SELECT name, current_setting(name) AS value
           FROM unnest(ARRAY['statement_timeout', 'idle_in_transaction_session_timeout', 'work_mem', 'search_path',
                             'max_parallel_workers_per_gather', 'default_transaction_read_only', 'temp_file_limit']) AS name`,
      );
    const expected = {
      statement_timeout: '7s',
      idle_in_transaction_session_timeout: '1min',
      work_mem: '5MB',
      search_path: 'analytics, extensions',
      max_parallel_workers_per_gather: '3',
      default_transaction_read_only: 'on',
    };
    const asObject = (rows: Record<string, unknown>[]) =>
      Object.fromEntries(rows.map(({ name, value }) => [name, value]));
    expect(asObject(await settings())).toEqual({ ...expected, temp_file_limit: '-1' });

    const sessions = await Promise.all([1, 2].map(() => servers.tenantSession(BOLT.id)));
    expect(await sqlState(servers.tenantSession(BOLT.id))).toBe('53300');
    await Promise.all(sessions.map((session) => session.end()));

    await servers.superuser('GRANT SET ON PARAMETER temp_file_limit TO postgres');
    try {
      await schedule();
      expect(asObject(await settings())).toMatchObject({ temp_file_limit: '512MB' });
      expect((await schedule()).changes).toEqual([]);
    } finally {
      await servers.superuser('REVOKE SET ON PARAMETER temp_file_limit FROM postgres');
    }
    expect((await schedule()).changes).toEqual([]);
  });

  test('a changed limit is set, for that tenant only and without a look into the databases of others', async () => {
    await twoTenants();
    const { changes } = await run(servers.desired([ACME, { ...BOLT, connections: '3' }]));
    expect(changes).toEqual([{ step: 'roles', tenant: BOLT.id, what: 'role tenant_tz81mm mended' }]);
  });

  test('sessions of a stranger in a database that was open are ended', async () => {
    const desired = await twoTenants();
    await servers.superuser('GRANT CONNECT ON DATABASE tenant_tk4q9w TO PUBLIC');
    const stranger = await servers.connect('a', servers.secretOf(tenantSecret(BOLT.id)), 'tenant_tk4q9w');
    expect((await stranger.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    await run(desired);
    await expect(stranger.query('SELECT 1')).rejects.toThrow();
  });

  test('a rotated secret works after the next deployment, and a password that the tenant changed after the next scheduled run', async () => {
    const desired = await twoTenants();
    for (const secret of [tenantSecret(ACME.id), loaderSecret(ACME.id)]) {
      Object.assign(servers.secrets.get(secret) as object, { password: 'rotated-0123456789', version: 'rotated' });
    }
    expect((await run(desired)).changes).toEqual([
      { step: 'verification', what: 'password set to the secret', tenant: ACME.id },
      { step: 'verification', what: 'password set to the secret', tenant: ACME.id },
    ]);
    expect(await orders(ACME.id)).toEqual([{ id: 1 }]);
    expect(await servers.loader(ACME.id, 'SELECT id FROM orders')).toEqual([{ id: 1 }]);

    await servers.tenant(ACME.id, `BEGIN READ WRITE; ALTER ROLE tenant_tk4q9w PASSWORD 'mine'; COMMIT`);
    expect(await sqlState(orders(ACME.id))).toBe('28P01');
    await schedule();
    expect(await orders(ACME.id)).toEqual([{ id: 1 }]);
  });

  test('an ETL that is taken away is thrown out, and its tables stay readable', async () => {
    await twoTenants();
    const etl = await servers.connect('a', servers.secretOf(loaderSecret(ACME.id)), 'tenant_tk4q9w');
    await etl.query('SELECT 1');
    const without = servers.desired([{ id: ACME.id }, BOLT]);
    await run(without);
    await expect(etl.query('SELECT 1')).rejects.toThrow();
    expect(await sqlState(servers.loader(ACME.id, 'SELECT 1'))).toBe('28P01');
    expect(await orders(ACME.id)).toEqual([{ id: 1 }]);
    expect((await run(without)).changes).toEqual([]);
    expect((await schedule()).changes).toEqual([]);

    await run(servers.desired([ACME, BOLT]));
    expect(await servers.loader(ACME.id, 'INSERT INTO orders VALUES (2) RETURNING id')).toEqual([{ id: 2 }]);
  });

  test('an ETL makes and writes tables in the schema, and does nothing else', async () => {
    await twoTenants();
    const states: Record<string, string | undefined> = {};
    for (const attempt of [
      'CREATE TABLE public.mine (id int)',
      'CREATE SCHEMA mine',
      'CREATE TEMPORARY TABLE mine (id int)',
      'CREATE EXTENSION pg_trgm SCHEMA analytics',
      'SET ROLE tenancy_owner_tk4q9w',
      'SET ROLE postgres; GRANT tenancy_owner_tk4q9w TO tenancy_loader_tk4q9w',
      'ALTER DATABASE tenant_tk4q9w SET work_mem = 1024',
      'ALTER SCHEMA analytics OWNER TO tenancy_loader_tk4q9w',
      'ALTER ROLE tenant_tk4q9w PASSWORD NULL',
      'ALTER DEFAULT PRIVILEGES FOR ROLE tenancy_owner_tk4q9w GRANT ALL ON TABLES TO PUBLIC',
    ]) {
      states[attempt] = await sqlState(servers.loader(ACME.id, attempt));
    }
    expect(new Set(Object.values(states))).toEqual(new Set(['42501']));
    // No errors, and no effect: it has the rights, but may not pass them on.
    await servers.loader(ACME.id, 'GRANT ALL ON SCHEMA analytics TO PUBLIC');
    await servers.loader(ACME.id, 'GRANT CONNECT ON DATABASE tenant_tk4q9w TO PUBLIC');
    expect((await schedule()).changes).toEqual([]);

    await servers.loader(
      ACME.id,
      `CREATE FUNCTION open() RETURNS void LANGUAGE sql SECURITY DEFINER AS 'DELETE FROM analytics.orders'`,
    );
    expect(await sqlState(servers.tenant(ACME.id, 'SELECT analytics.open()'))).toBe('42501');
    for (const database of ['postgres', 'tenancy', 'tenant_tz81mm', 'template1']) {
      expect(await sqlState(servers.loader(ACME.id, 'SELECT 1', 'a', database))).toBe('42501');
    }
  });

  describe('a tenant that is removed', () => {
    test('is thrown out, and its database is there when it comes back', async () => {
      await twoTenants();
      const session = await servers.tenantSession(ACME.id);
      await session.query('SELECT 1');
      await run(servers.desired([BOLT]));
      await expect(session.query('SELECT 1')).rejects.toThrow();
      expect(await sqlState(orders(ACME.id))).toBe('28P01');
      expect(await sqlState(servers.loader(ACME.id, 'SELECT 1'))).toBe('28P01');
      expect((await schedule()).changes).toEqual([]);

      await run(servers.desired([ACME, BOLT]));
      expect(await orders(ACME.id)).toEqual([{ id: 1 }]);
    });

    test('is destroyed if it was deployed so, and nobody else is touched', async () => {
      await twoTenants();
      const doomed: TestTenant = { ...ACME, removalPolicy: 'destroy' };
      await run(servers.desired([doomed, BOLT]));
      const session = await servers.tenantSession(ACME.id);
      await run(servers.desired([{ ...BOLT, removalPolicy: 'retain' }]));
      await session.end().catch(() => undefined);
      expect(
        await servers.master(
          `SELECT datname FROM pg_database WHERE datname LIKE 'tenant\\_%' UNION ALL SELECT rolname FROM pg_roles WHERE rolname LIKE '%tk4q9w'
            UNION ALL SELECT id FROM tenancy.tenant_database WHERE id = 'tk4q9w'`,
        ),
      ).toEqual([{ datname: 'tenant_tz81mm' }]);
      expect(await servers.tenant(BOLT.id, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    });

    test('by a deployment that fails is not destroyed', async () => {
      await twoTenants();
      await run(servers.desired([{ ...ACME, removalPolicy: 'destroy' }, BOLT]));
      await failure(run(servers.desired([BOLT, { ...CRUX, secret: 'no/such/secret' }])));
      await run(servers.desired([ACME, BOLT]));
      expect(await orders(ACME.id)).toEqual([{ id: 1 }]);
    });

    test('by a rollback of the deployment that brought it is not destroyed', async () => {
      await twoTenants();
      await run(servers.desired([BOLT]));
      const back: TestTenant[] = [{ ...ACME, removalPolicy: 'destroy' }, BOLT, { ...CRUX, secret: 'no/such/secret' }];
      await failure(run(servers.desired(back)));
      await run(servers.desired([BOLT]));
      await run(servers.desired([ACME, BOLT]));
      expect(await orders(ACME.id)).toEqual([{ id: 1 }]);
    });

    test('together with its batch ends, and other batches do not', async () => {
      const desired = await twoTenants();
      const other = servers.desired([CRUX], { batch: 'tenants5' });
      await run(other);
      await removeDatabases(desired);
      expect(await sqlState(orders(ACME.id))).toBe('28P01');
      expect(await servers.tenant(CRUX.id, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
      expect((await run(other)).changes).toEqual([]);
      await run(desired);
      expect(await orders(ACME.id)).toEqual([{ id: 1 }]);
    });
  });

  describe('a tenant whose server changes', () => {
    const moved = { ...ACME, server: 'b' };
    /** Stands for dump and restore. */
    const restore = () =>
      servers
        .master('CREATE DATABASE tenant_tk4q9w', 'postgres', 'b')
        .then(() =>
          servers.master(
            'CREATE SCHEMA analytics; CREATE TABLE analytics.orders AS SELECT 1 AS id',
            'tenant_tk4q9w',
            'b',
          ),
        );

    test('gets no empty database, is told the remedy, and goes on where it was', async () => {
      const before = await twoTenants();
      const message = await failure(run(servers.desired([moved, BOLT])));
      expect(message).toBe(
        'tenant tk4q9w, placement: its database tenant_tk4q9w is on server a, and b has none. Set its shard back to a; ' +
          'or, to move it, dump tenant_tk4q9w there, restore it on b, and deploy again',
      );
      servers.desired([ACME]);
      expect(await orders(ACME.id)).toEqual([{ id: 1 }]);
      expect((await schedule()).changes).toEqual([]);
      expect((await run(before)).changes).toEqual([]);
      expect(await servers.master(`SELECT FROM pg_database WHERE datname LIKE 'tenant\\_%'`, 'postgres', 'b')).toEqual(
        [],
      );
    });

    test('goes on there with the database that was restored, and its old one stays, closed', async () => {
      await twoTenants();
      await run(servers.desired([{ ...ACME, removalPolicy: 'destroy' }, BOLT]));
      await restore();
      const after = servers.desired([{ ...moved, removalPolicy: 'destroy' }, BOLT]);
      await run(after);
      expect(await orders(ACME.id, 'b')).toEqual([{ id: 1 }]);
      expect(await servers.loader(ACME.id, 'INSERT INTO orders VALUES (2) RETURNING id', 'b')).toEqual([{ id: 2 }]);
      expect(await sqlState(orders(ACME.id, 'a'))).toBe('28P01');
      expect(await servers.superuser('SELECT id FROM analytics.orders', 'tenant_tk4q9w', 'a')).toEqual([{ id: 1 }]);
      expect((await run(after)).changes).toEqual([]);
      expect((await schedule()).changes).toEqual([]);
    });

    test('is refused, too, while the other server cannot be asked; who has a database is not', async () => {
      await run(servers.desired([BOLT]));
      const [a, b] = servers.servers();
      const message = await failure(
        run({ ...servers.desired([BOLT, CRUX]), servers: [a, { ...b, host: 'gone.invalid' }] }),
      );
      expect(message).toMatch(/^2 failed: /);
      expect(message).toContain(
        'tenant tp20xd, placement: server b cannot be asked whether it has database tenant_tp20xd',
      );
      expect(message).toContain('server b, connection: ');
      expect(await servers.tenant(BOLT.id, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    });
  });

  test('a database that was lost is not replaced by an empty one', async () => {
    const desired = await twoTenants();
    await servers.superuser('DROP DATABASE tenant_tk4q9w');
    const reason = 'its database tenant_tk4q9w is gone from server a. Restore it';
    expect(await failure(schedule())).toContain(`tenant tk4q9w, placement: ${reason}`);
    const message = await failure(run(desired));
    expect(message).toContain(reason);
    await servers.master(/run (DELETE .*?) in database/.exec(message)?.[1] as string);
    await run(desired);
    expect(await sqlState(orders(ACME.id))).toBe('42P01');
  });

  test('a server that takes fewer connections than the budget needs fails the deployment, with the sum', async () => {
    const max = await maxConnections();
    const desired = servers.desired([BOLT], { servers: servers.servers({ connections: String(max + 30) }) });
    expect(await failure(run(desired))).toContain(
      `server a, connections: max_connections is ${max}, and what is placed on it needs ${max + 30}: 30 too few. Take a larger`,
    );
    expect((await run(servers.desired([BOLT]))).connections).toEqual([`a: ${max}`]);
  });

  test('one failing tenant is named; the others are made, on its server and on others', async () => {
    const desired = servers.desired([ACME, { ...BOLT, secret: 'no/such/secret' }, { ...CRUX, server: 'b' }]);
    expect(await failure(run(desired))).toBe('tenant tz81mm, secret: no secret no/such/secret');
    expect(await servers.tenant(ACME.id, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    expect(await servers.tenant(CRUX.id, 'SELECT 1 AS one', 'b')).toEqual([{ one: 1 }]);
  });

  test('rights that the master user cannot take away fail the run with tenant or database', async () => {
    const desired = await twoTenants();
    await servers.superuser(`GRANT CONNECT ON DATABASE rdsadmin TO tenant_tz81mm; ALTER ROLE tenant_tk4q9w BYPASSRLS`);
    try {
      const message = await failure(run(desired));
      expect(message).toContain(
        'server a, databases: tenant_tz81mm has CONNECT on database rdsadmin, which rdsadmin owns',
      );
      expect(message).toContain('run REVOKE CONNECT ON DATABASE "rdsadmin" FROM "tenant_tz81mm"');
      expect(message).toContain('tenant tk4q9w, roles: role tenant_tk4q9w is a superuser, may replicate or bypasses');
    } finally {
      await servers.superuser('REVOKE CONNECT ON DATABASE rdsadmin FROM tenant_tz81mm');
    }
  });

  describe('what CloudFormation and the schedule ask of the function', () => {
    const send = (RequestType: 'Create' | 'Update' | 'Delete', State: Partial<DesiredDatabases>) =>
      onDatabasesEvent({ RequestType, ResourceProperties: { State: State as DesiredDatabases } });

    test('has one physical id from creation to deletion, and comes without empty lists', async () => {
      const { extensions, ...state } = servers.desired([BOLT]);
      expect(extensions).toEqual([]);
      const PhysicalResourceId = 'superset-tenancy/databases/tenants0';
      expect(await send('Create', state)).toEqual({
        PhysicalResourceId,
        Data: { Changes: expect.stringMatching(/^\d+$/), Connections: `a: ${await maxConnections()}` },
      });
      expect(await send('Update', state)).toMatchObject({ PhysicalResourceId, Data: { Changes: '0' } });
      await servers.master('ALTER ROLE tenant_tz81mm NOLOGIN');
      const healed = await onDatabasesEvent({ reconcile: 'stored', servers: state.servers });
      expect(healed).toMatchObject({ Changes: '1' });
      const { tenants, ...nobody } = state;
      expect(tenants).toHaveLength(1);
      expect(await send('Delete', nobody)).toEqual({ PhysicalResourceId });
      expect(await sqlState(servers.tenant(BOLT.id, 'SELECT 1'))).toBe('28P01');
      expect(await send('Delete', state)).toEqual({ PhysicalResourceId });
    });

    test('ends where the server is gone, and goes on where it is not', async () => {
      const state = servers.desired([BOLT]);
      await send('Create', state);
      const [a, b] = servers.servers();
      expect(await send('Delete', { ...state, servers: [{ ...b, host: 'gone.invalid' }, a] })).toEqual({
        PhysicalResourceId: 'superset-tenancy/databases/tenants0',
      });
      expect(await sqlState(servers.tenant(BOLT.id, 'SELECT 1'))).toBe('28P01');
    });

    test('fails in a message that CloudFormation takes', async () => {
      const error = jest.spyOn(console, 'error').mockImplementation(() => undefined);
      const tenants = Array.from({ length: 100 }, (_, i) => ({ id: `tmany${i}`, secret: 'no/such/secret' }));
      const message = await failure(send('Create', servers.desired(tenants)));
      expect(message).toMatch(/^100 failed: tenant tmany\d+, secret: no secret no\/such\/secret/);
      expect(Buffer.byteLength(message)).toBeLessThan(3000);
      error.mockRestore();
    });
  });

  test('two deployments at once wait for each other', async () => {
    const desired = servers.desired([ACME, BOLT]);
    const [first, second] = await Promise.all([run(desired), run(desired)]);
    expect([first.changes.length, second.changes.length].filter((n) => n === 0)).toHaveLength(1);
  });

  test('no password is part of a statement, a log line or an error, and no membership of the master’s outlives a run', async () => {
    const statements: string[] = [];
    log.mockClear();
    await reconcileDatabases(servers.desired([ACME, BOLT]), (text) => statements.push(text));
    const desired = servers.desired([ACME, BOLT]);
    servers.secrets.set(tenantSecret(BOLT.id), { username: 'tenant_x', password: 'hush' });
    const message = await failure(run(desired));
    expect(statements.join()).toContain('SCRAM-SHA-256$');
    const seen = [...statements, ...log.mock.calls.flat(), message].join('\n');
    for (const { password } of servers.secrets.values()) expect(seen).not.toContain(password);
    expect(
      await servers.master(
        `SELECT rolname FROM pg_roles WHERE rolname ~ '^tenan' AND (pg_has_role(oid, 'USAGE')
            OR pg_has_role(oid, '${version >= 16 ? 'SET' : 'MEMBER'}'))`,
      ),
    ).toEqual([]);
  });
});
