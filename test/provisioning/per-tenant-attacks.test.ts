import { DesiredDatabases } from '../../lib/provisioning/desired-databases';
import {
  reconcileDatabases,
  reconcileStoredDatabases,
} from '../../lib/provisioning/handler/per-tenant/reconcile-databases';
import { masterLogin, withSession } from '../../lib/provisioning/handler/master';
import { readTenantLogins } from '../../lib/provisioning/handler/per-tenant/logins';
import { registryOf } from '../../lib/provisioning/handler/per-tenant/place';
import { readTraits } from '../../lib/provisioning/handler/per-tenant/server-traits';
import { verifyDatabases } from '../../lib/provisioning/handler/per-tenant/verification';
import { Servers, sqlState, startServers, tenantSecret } from './per-tenant-servers';

const ACME = { id: 'tk4q9w', loader: true };
const BOLT = { id: 'tz81mm', loader: true };

const DENIED = '42501';

/** What a tenant tries with SQL of its own, in a transaction that it made writable; all is denied. */
const ATTEMPTS = [
  'CREATE TEMPORARY TABLE mine (id int)',
  'CREATE TABLE public.mine (id int)',
  'CREATE TABLE mine (id int)',
  'CREATE TABLE extensions.mine (id int)',
  'CREATE VIEW mine AS SELECT 1',
  'CREATE SCHEMA mine',
  `CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'`,
  'CREATE EXTENSION pg_trgm',
  'CREATE EXTENSION dblink',
  'CREATE LANGUAGE plperlu',
  'CREATE PUBLICATION mine FOR ALL TABLES',
  `CREATE SUBSCRIPTION mine CONNECTION 'dbname=tenant_tz81mm' PUBLICATION mine WITH (connect = false)`,
  'CREATE EVENT TRIGGER mine ON ddl_command_start EXECUTE FUNCTION suppress_redundant_updates_trigger()',
  'CREATE SERVER mine FOREIGN DATA WRAPPER postgres_fdw',
  'CREATE USER MAPPING FOR PUBLIC SERVER other',
  'CREATE FOREIGN DATA WRAPPER mine',
  'IMPORT FOREIGN SCHEMA analytics FROM SERVER other INTO analytics',
  'INSERT INTO orders VALUES (2)',
  'UPDATE orders SET id = 2',
  'DELETE FROM orders',
  'TRUNCATE orders',
  'DROP TABLE orders',
  'ALTER TABLE orders ADD COLUMN mine int',
  'LOCK TABLE orders IN ACCESS EXCLUSIVE MODE',
  'SELECT * FROM orders FOR UPDATE',
  'COMMENT ON TABLE orders IS $$mine$$',
  'REINDEX TABLE orders',
  `COPY (SELECT 1) TO PROGRAM 'id'`,
  `COPY orders FROM PROGRAM 'id'`,
  `COPY (SELECT 1) TO '/tmp/mine'`,
  `SELECT lo_import('/etc/passwd')`,
  `SELECT lo_export(1, '/tmp/mine')`,
  `SELECT pg_read_file('/etc/passwd')`,
  `SELECT pg_ls_dir('/')`,
  `LOAD 'dblink'`,
  'SET ROLE tenancy_owner_tk4q9w',
  'SET ROLE tenancy_loader_tk4q9w',
  'SET ROLE tenant_tz81mm',
  'SET ROLE postgres',
  'SET SESSION AUTHORIZATION tenant_tz81mm',
  `SELECT set_config('role', 'tenant_tz81mm', false)`,
  'GRANT tenant_tz81mm TO tenant_tk4q9w',
  'GRANT pg_read_all_data TO tenant_tk4q9w',
  'ALTER ROLE tenant_tk4q9w CONNECTION LIMIT -1',
  'ALTER ROLE tenant_tk4q9w CREATEDB',
  'ALTER ROLE tenant_tk4q9w SUPERUSER',
  'ALTER ROLE tenant_tk4q9w BYPASSRLS',
  `ALTER ROLE tenant_tz81mm PASSWORD 'mine'`,
  'ALTER ROLE tenancy_owner_tk4q9w LOGIN',
  'CREATE ROLE mine',
  'DROP ROLE tenant_tz81mm',
  'ALTER DATABASE tenant_tk4q9w OWNER TO tenant_tk4q9w',
  'ALTER DATABASE tenant_tk4q9w SET work_mem = 1024',
  'GRANT CONNECT ON DATABASE tenant_tz81mm TO tenant_tk4q9w',
  'SET session_replication_role = replica',
  'SET temp_file_limit = -1',
  `SELECT pg_create_logical_replication_slot('mine', 'pgoutput')`,
  'SELECT * FROM pg_authid',
  'SELECT * FROM pg_user_mapping',
  'SELECT * FROM pg_largeobject',
  'SELECT * FROM pg_subscription',
  `SELECT pg_database_size('tenant_tz81mm')`,
  'SELECT pg_reload_conf()',
  'SELECT pg_stat_reset()',
];

/** Not allowed in the transaction in which the attempts above run. */
const OUTSIDE = [
  'CREATE DATABASE mine',
  'DROP DATABASE tenant_tz81mm',
  'ALTER SYSTEM SET work_mem = 1024',
  'REINDEX DATABASE tenant_tk4q9w',
];

describe.each([15, 17] as const)('a tenant with a database of its own that types SQL, on PostgreSQL %i', (version) => {
  let servers: Servers;
  let desired: DesiredDatabases;
  let log: jest.SpyInstance;

  beforeAll(async () => {
    log = jest.spyOn(console, 'log').mockImplementation(() => undefined);
    servers = await startServers(version, 1);
    desired = servers.desired([ACME, BOLT]);
    await reconcileDatabases(desired);
    await servers.loader(ACME.id, 'CREATE TABLE orders (id int PRIMARY KEY); INSERT INTO orders VALUES (1)');
    await servers.loader(BOLT.id, `CREATE TABLE orders (id int PRIMARY KEY); INSERT INTO orders VALUES (7)`);
    // An operator's, by hand.
    await servers.superuser(
      `CREATE EXTENSION postgres_fdw SCHEMA public; CREATE SERVER other FOREIGN DATA WRAPPER postgres_fdw OPTIONS (dbname 'tenant_tz81mm')`,
      'tenant_tk4q9w',
    );
    await schedule();
  }, 60_000);
  afterAll(async () => {
    await servers?.stop();
    log.mockRestore();
  });

  const schedule = () => reconcileStoredDatabases(servers.servers());
  const failure = (promise: Promise<unknown>) =>
    promise.then(
      () => 'no failure',
      (error: Error) => error.message,
    );

  test('is denied all that is not reading its own', async () => {
    const session = await servers.tenantSession(ACME.id);
    const states: Record<string, string | undefined> = {};
    for (const attempt of ATTEMPTS) {
      await session.query('BEGIN READ WRITE');
      states[attempt] = await sqlState(session.query(attempt));
      await session.query('ROLLBACK');
    }
    for (const attempt of OUTSIDE) {
      await session.query('SET default_transaction_read_only = off');
      states[attempt] = await sqlState(session.query(attempt));
    }
    await session.end();
    expect(states).toEqual(Object.fromEntries([...ATTEMPTS, ...OUTSIDE].map((attempt) => [attempt, DENIED])));
  });

  test('the same statements are not denied to a superuser, so that the list proves something', async () => {
    const session = await servers.connect('a', servers.superuserOf('a'), 'tenant_tk4q9w');
    await session.query('SET search_path = analytics');
    for (const attempt of ATTEMPTS) {
      await session.query('BEGIN READ WRITE');
      expect([attempt, await sqlState(session.query(attempt))]).not.toEqual([attempt, DENIED]);
      await session.query('ROLLBACK');
    }
    await session.end();
  });

  test('reads its own rows, and enters no other database', async () => {
    expect(await servers.tenant(ACME.id, 'SELECT id FROM orders')).toEqual([{ id: 1 }]);
    for (const database of ['tenant_tz81mm', 'tenancy', 'postgres', 'template1', 'analytics', 'rdsadmin']) {
      expect(await sqlState(servers.tenant(ACME.id, 'SELECT 1', 'a', database))).toBe(DENIED);
      expect(await sqlState(servers.loader(ACME.id, 'SELECT 1', 'a', database))).toBe(DENIED);
    }
  });

  test('ends no session of another tenant, and does not see what it asks', async () => {
    const other = await servers.tenantSession(BOLT.id);
    const [{ pid }] = (await other.query('SELECT pg_backend_pid() AS pid')).rows;
    expect(await sqlState(servers.tenant(ACME.id, `SELECT pg_terminate_backend(${pid})`))).toBe(DENIED);
    expect(await sqlState(servers.tenant(ACME.id, `SELECT pg_cancel_backend(${pid})`))).toBe(DENIED);
    expect(await servers.tenant(ACME.id, `SELECT query FROM pg_stat_activity WHERE pid = ${pid}`)).toEqual([
      { query: '<insufficient privilege>' },
    ]);
    expect((await other.query('SELECT id FROM orders')).rows).toEqual([{ id: 7 }]);
    await other.end();
  });

  describe('is seen by the verification, where nothing was healed before it, if it', () => {
    test.each([
      [
        'may enter another database',
        'SET ROLE tenancy_owner_tz81mm; GRANT CONNECT ON DATABASE tenant_tz81mm TO tenant_tk4q9w',
        ['tenant_tk4q9w may connect to database tenant_tz81mm', 'tenant_tk4q9w can connect to database tenant_tz81mm'],
      ],
      [
        'may enter another database by its ETL',
        'SET ROLE tenancy_owner_tz81mm; GRANT CONNECT ON DATABASE tenant_tz81mm TO tenancy_loader_tk4q9w',
        [
          'tenancy_loader_tk4q9w may connect to database tenant_tz81mm',
          'tenancy_loader_tk4q9w can connect to database tenant_tz81mm',
        ],
      ],
      ['cannot read a table', 'REVOKE SELECT ON analytics.orders FROM tenant_tk4q9w', ['it cannot read orders']],
      ['may write', 'GRANT DELETE ON analytics.orders TO tenant_tk4q9w', ['it may change analytics.orders']],
      [
        'may write a column',
        'GRANT UPDATE (id) ON analytics.orders TO tenant_tk4q9w',
        ['it may change analytics.orders'],
      ],
      [
        'may create',
        'GRANT CREATE ON SCHEMA extensions TO PUBLIC',
        ['it may create objects in schema extensions', 'its loader may create objects in schema extensions'],
      ],
      [
        'may make temporary tables',
        'GRANT TEMPORARY ON DATABASE tenant_tk4q9w TO PUBLIC',
        ['it may create objects in temporary tables', 'its loader may create objects in temporary tables'],
      ],
      [
        'may call what writes',
        'SET ROLE tenancy_loader_tk4q9w; CREATE PROCEDURE analytics.write() SECURITY DEFINER LANGUAGE sql AS $$ DELETE FROM analytics.orders $$; GRANT EXECUTE ON PROCEDURE analytics.write() TO tenant_tk4q9w',
        ['it may call analytics.write()'],
      ],
      [
        'may use a wrapper',
        'GRANT USAGE ON FOREIGN DATA WRAPPER postgres_fdw TO PUBLIC',
        ['it may use foreign-data wrapper postgres_fdw', 'its loader may use foreign-data wrapper postgres_fdw'],
      ],
      [
        'has a user mapping',
        `CREATE USER MAPPING FOR tenant_tk4q9w SERVER other OPTIONS (password_required 'false')`,
        ['it may use user mapping of other'],
      ],
      ['has powers', 'ALTER ROLE tenant_tk4q9w CREATEROLE', ['tenant_tk4q9w has powers beyond its database']],
      [
        'is a member of another role',
        'GRANT tenancy_owner_tk4q9w TO tenancy_loader_tk4q9w',
        ['tenancy_loader_tk4q9w has powers beyond its database, or is a member'],
      ],
    ])('%s', async (_, hole, reasons) => {
      const database = 'tenant_tk4q9w';
      await servers.superuser(hole, database);
      const seen = await verify();
      for (const reason of reasons) expect(seen.join('\n')).toContain(`tenant tk4q9w, verification: ${reason}`);
      await servers.superuser(
        `DROP PROCEDURE IF EXISTS analytics.write(); DROP USER MAPPING IF EXISTS FOR tenant_tk4q9w SERVER other;
         REVOKE ALL ON FOREIGN DATA WRAPPER postgres_fdw FROM PUBLIC; REVOKE tenancy_owner_tk4q9w FROM tenancy_loader_tk4q9w`,
        database,
      );
      await schedule();
      expect(await verify()).toEqual([]);
    });

    /** Failures of the verification alone. */
    async function verify(): Promise<string[]> {
      const [server] = servers.servers();
      const logins = readTenantLogins(desired.tenants);
      return withSession(await masterLogin(registryOf(server)), async (master) => {
        const traits = await readTraits(master, desired);
        const address = { host: server.host, port: Number(server.port) };
        const { failures } = await verifyDatabases(master, desired.tenants.slice(0, 1), logins, address, traits);
        return failures.map(({ message }) => message);
      });
    }
  });

  test('gets nowhere with dblink, with neither its own nor another’s credentials', async () => {
    await servers.superuser('CREATE EXTENSION dblink SCHEMA public', 'tenant_tk4q9w');
    await schedule();
    const { host, port } = servers.serverOf('a');
    for (const id of [ACME.id, BOLT.id]) {
      const { user, password } = servers.secretOf(tenantSecret(id));
      const target = `host=${host} port=${port} dbname=tenant_tz81mm user=${user} password=${password} sslmode=require`;
      const call = (schema: string) =>
        `SELECT * FROM ${schema}dblink('${target}', 'SELECT id FROM analytics.orders') AS t (id int)`;
      expect(await sqlState(servers.tenant(ACME.id, call('public.')))).toBe(DENIED);
      expect(await sqlState(servers.tenant(ACME.id, call('')))).toBe('42883');
      expect(await sqlState(servers.loader(ACME.id, call('public.')))).toBe(DENIED);
    }
    // The way is there, for who is let in.
    const { user, password } = servers.secretOf(tenantSecret(BOLT.id));
    const target = `host=${host} port=${port} dbname=tenant_tz81mm user=${user} password=${password} sslmode=require`;
    expect(
      await servers.superuser(
        `SELECT * FROM dblink('${target}', 'SELECT id FROM analytics.orders') AS t (id int)`,
        'tenant_tk4q9w',
      ),
    ).toEqual([{ id: 7 }]);
    await servers.superuser('DROP EXTENSION dblink', 'tenant_tk4q9w');
  });

  test('dblink that a superuser installed by hand is out of the tenant’s reach after the next scheduled run', async () => {
    const call = `SELECT * FROM public.dblink_get_connections()`;
    await servers.superuser(
      'CREATE EXTENSION dblink SCHEMA public; GRANT USAGE ON SCHEMA public TO PUBLIC',
      'tenant_tk4q9w',
    );
    expect(await sqlState(servers.tenant(ACME.id, call))).toBe('no error');
    await schedule();
    const names = await servers.superuser<{ call: string }>(
      `SELECT DISTINCT 'public.' || proname || '(' ||
              (SELECT coalesce(string_agg('NULL::' || format_type(t, NULL), ', '), '') FROM unnest(proargtypes) t) || ')' AS call
         FROM pg_proc WHERE proname LIKE 'dblink%' AND prorettype <> 'fdw_handler'::regtype`,
      'tenant_tk4q9w',
    );
    expect(names.length).toBeGreaterThan(20);
    for (const { call: each } of names) expect(await sqlState(servers.tenant(ACME.id, `SELECT ${each}`))).toBe('42501');
    await servers.superuser('DROP EXTENSION dblink', 'tenant_tk4q9w');
  });

  test('dblink among the extensions closes them to the tenant and fails the run with the statement that mends it', async () => {
    await servers.superuser('CREATE EXTENSION dblink SCHEMA extensions', 'tenant_tk4q9w');
    expect(await sqlState(servers.tenant(ACME.id, 'SELECT extensions.dblink_get_connections()'))).toBe('no error');
    const message = await failure(schedule());
    expect(message).toMatch(
      /^tenant tk4q9w, inside the database: extension dblink has \d+ function\(s\) that reach out/,
    );
    expect(message).toContain('run DROP EXTENSION "dblink"');
    expect(await sqlState(servers.tenant(ACME.id, 'SELECT extensions.dblink_get_connections()'))).toBe('42501');
    await servers.superuser('DROP EXTENSION dblink', 'tenant_tk4q9w');
    await schedule();
    expect(await servers.tenant(ACME.id, 'SELECT id FROM orders')).toEqual([{ id: 1 }]);
  });

  test('a function of a superuser’s that the tenant may call is seen', async () => {
    await servers.superuser(
      `CREATE FUNCTION analytics.secrets() RETURNS text LANGUAGE sql SECURITY DEFINER AS $$ SELECT rolpassword FROM pg_authid LIMIT 1 $$`,
      'tenant_tk4q9w',
    );
    expect(await failure(schedule())).toContain(
      'tenant tk4q9w, inside the database: the tenant may call analytics.secrets() with the rights of rdsadmin',
    );
    await servers.superuser('DROP FUNCTION analytics.secrets()', 'tenant_tk4q9w');
  });

  test('an aggregate of its ETL’s, which calls with the ETL’s rights, is taken from it by the next scheduled run', async () => {
    await servers.loader(
      ACME.id,
      `CREATE FUNCTION write(int, int) RETURNS int LANGUAGE sql SECURITY DEFINER
         AS 'INSERT INTO analytics.orders VALUES ($2) RETURNING id';
       CREATE AGGREGATE total(int) (sfunc = write, stype = int);
       GRANT EXECUTE ON FUNCTION total(int) TO tenant_tk4q9w`,
    );
    const call = 'BEGIN READ WRITE; SELECT total(2)';
    expect(await sqlState(servers.tenant(ACME.id, call))).toBe('no error');
    await schedule();
    expect(await sqlState(servers.tenant(ACME.id, call))).toBe(DENIED);
    expect(await servers.loader(ACME.id, 'SELECT total(3)')).toEqual([{ total: 3 }]);
    await servers.loader(
      ACME.id,
      'DROP AGGREGATE total(int); DROP FUNCTION write(int, int); DELETE FROM orders WHERE id > 1',
    );
  });

  test('an extension that reaches out of the database is refused', async () => {
    expect(
      await failure(reconcileDatabases({ ...desired, extensions: ['dblink'], tenants: desired.tenants.slice(1) })),
    ).toBe(
      'tenant tz81mm, inside the database: extension dblink leads out of the database, or runs in the server what a tenant likes: leave it out of the extensions',
    );
  });
});
