import {
  reconcileDatabases,
  reconcileStoredDatabases,
  removeDatabases,
} from '../../lib/provisioning/handler/per-tenant/reconcile-databases';
import { Servers, metadataSecret, sqlState, startServers, tenantSecret } from './per-tenant-servers';

const ACME = { id: 'tk4q9w', loader: true, metadata: true };
const BOLT = { id: 'tz81mm', loader: true, metadata: true };
const CRUX = { id: 'tp20xd' };

const DENIED = '42501';
const WRONG_PASSWORD = '28P01';
const NO_LOGIN = '28000';

describe.each([15, 17] as const)("metadata of tenants' own Supersets, on PostgreSQL %i", (version) => {
  let servers: Servers;
  let log: jest.SpyInstance;

  beforeAll(async () => {
    log = jest.spyOn(console, 'log').mockImplementation(() => undefined);
    servers = await startServers(version, 1);
  }, 60_000);
  afterAll(async () => {
    await servers?.stop();
    log.mockRestore();
  });
  afterEach(() => servers.clear());

  const deploy = (...tenants: Parameters<Servers['desired']>[0]) => reconcileDatabases(servers.desired(tenants));
  const heal = () => reconcileStoredDatabases(servers.servers());
  const failure = (promise: Promise<unknown>) =>
    promise.then(
      () => 'no failure',
      (error: Error) => error.message,
    );

  test('Superset makes its tables in a database of its own, with as many connections as it was given', async () => {
    await deploy(ACME, BOLT, CRUX);

    await servers.metadata(ACME.id, 'CREATE TABLE ab_user (id serial PRIMARY KEY); INSERT INTO ab_user DEFAULT VALUES');
    expect(await servers.metadata(ACME.id, 'SELECT id, current_database() AS name FROM ab_user')).toEqual([
      { id: 1, name: 'superset_tk4q9w' },
    ]);
    expect(await servers.master(`SELECT rolconnlimit FROM pg_roles WHERE rolname = 'superset_tk4q9w'`)).toEqual([
      { rolconnlimit: 20 },
    ]);
    expect(
      await servers.master(`SELECT datname::text FROM pg_database WHERE datname ~ '^superset_' ORDER BY 1`),
    ).toEqual([{ datname: 'superset_tk4q9w' }, { datname: 'superset_tz81mm' }]);
  });

  test('a second run changes nothing, nor does that of the schedule', async () => {
    await deploy(ACME, BOLT);

    expect((await deploy(ACME, BOLT)).changes).toEqual([]);
    expect((await heal()).changes).toEqual([]);
  });

  describe('nobody else gets in, and its login gets nowhere else', () => {
    beforeEach(() => deploy(ACME, BOLT));

    const OTHERS = ['superset_tz81mm', 'tenant_tz81mm', 'tenant_tk4q9w', 'tenancy', 'postgres', 'template1'];

    test.each(OTHERS)('the login of a Superset, in database %s', async (database) => {
      expect(await sqlState(servers.metadata(ACME.id, 'SELECT 1', 'a', database))).toBe(DENIED);
    });

    test.each(['superset_tk4q9w', 'superset_tz81mm'])('a tenant and its ETL, in database %s', async (database) => {
      expect(await sqlState(servers.tenant(ACME.id, 'SELECT 1', 'a', database))).toBe(DENIED);
      expect(await sqlState(servers.loader(ACME.id, 'SELECT 1', 'a', database))).toBe(DENIED);
    });

    test.each([
      'CREATE DATABASE mine',
      'CREATE ROLE mine',
      'SET ROLE tenant_tk4q9w',
      'SET ROLE tenancy_owner_tk4q9w',
      'GRANT tenant_tk4q9w TO superset_tk4q9w',
      'ALTER ROLE superset_tk4q9w CREATEDB',
      'ALTER ROLE superset_tk4q9w CONNECTION LIMIT -1',
      'ALTER ROLE superset_tz81mm PASSWORD NULL',
    ])('the login of a Superset may not %s', async (statement) => {
      expect(await sqlState(servers.metadata(ACME.id, statement))).toBe(DENIED);
    });

    test('what its login opens to others is closed again', async () => {
      await servers.metadata(
        ACME.id,
        'GRANT CONNECT ON DATABASE superset_tk4q9w TO PUBLIC; GRANT CONNECT ON DATABASE superset_tk4q9w TO tenant_tz81mm',
      );
      expect(await servers.tenant(BOLT.id, 'SELECT 1 AS one', 'a', 'superset_tk4q9w')).toEqual([{ one: 1 }]);

      expect((await heal()).changes.length).toBeGreaterThan(0);

      expect(await sqlState(servers.tenant(BOLT.id, 'SELECT 1', 'a', 'superset_tk4q9w'))).toBe(DENIED);
      expect(await servers.metadata(ACME.id, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    });
  });

  describe('what its login did to its own database is mended:', () => {
    beforeEach(() => deploy(ACME, BOLT));

    test.each([
      ['no way in for itself', 'REVOKE ALL ON DATABASE superset_tk4q9w FROM superset_tk4q9w'],
      ['a setting', 'ALTER DATABASE superset_tk4q9w SET default_transaction_read_only = on'],
      ['another setting', 'ALTER DATABASE superset_tk4q9w SET search_path = elsewhere'],
      ['a template', 'ALTER DATABASE superset_tk4q9w IS_TEMPLATE true'],
    ])('%s', async (_title, statement) => {
      await servers.metadata(ACME.id, statement);

      expect((await heal()).changes.length).toBeGreaterThan(0);

      expect((await heal()).changes).toEqual([]);
      expect(
        await servers.metadata(
          ACME.id,
          `CREATE TABLE ab_user (id int);
           SELECT current_setting('search_path') AS path, datistemplate AS template FROM pg_database
            WHERE datname = current_database()`,
        ),
      ).toEqual([{ path: '"$user", public', template: false }]);
    });
  });

  test('a setting that only a superuser can reset is no change of each run', async () => {
    await deploy(ACME);
    await servers.superuser('ALTER DATABASE superset_tk4q9w SET log_statement = ddl');

    await heal();

    expect((await heal()).changes).toEqual([]);
  });

  describe('what was changed by hand is mended:', () => {
    beforeEach(() => deploy(ACME, BOLT));

    test.each([
      [
        'attributes',
        'ALTER ROLE superset_tk4q9w CREATEDB CREATEROLE CONNECTION LIMIT 3 NOINHERIT VALID UNTIL $$2001-01-01$$',
      ],
      ['a setting', `ALTER ROLE superset_tk4q9w SET search_path = elsewhere`],
      [
        'a setting in one database',
        `ALTER ROLE superset_tk4q9w IN DATABASE superset_tk4q9w SET search_path = elsewhere`,
      ],
      ['a membership in the tenant', 'GRANT tenant_tz81mm TO superset_tk4q9w'],
      ['a right on another database', 'GRANT CONNECT ON DATABASE postgres TO superset_tk4q9w'],
      ['a right on a tenant’s database', 'GRANT CONNECT ON DATABASE tenant_tz81mm TO superset_tk4q9w'],
      ['a limit of the database', 'ALTER DATABASE superset_tk4q9w CONNECTION LIMIT 1'],
      ['a closed database', 'ALTER DATABASE superset_tk4q9w ALLOW_CONNECTIONS false'],
      ['no login', 'ALTER ROLE superset_tk4q9w NOLOGIN'],
      ['another password', `ALTER ROLE superset_tk4q9w PASSWORD 'other'`],
    ])('%s', async (_title, statement) => {
      const asMaster = servers.masterOf('a').user;
      await servers
        .superuser(/^GRANT [a-z]+_\w+ TO/.test(statement) ? `${statement} GRANTED BY ${asMaster}` : statement)
        .catch(() => servers.superuser(statement));

      const mended = await heal();

      expect(mended.changes.length).toBeGreaterThan(0);
      expect((await heal()).changes).toEqual([]);
      expect(await servers.metadata(ACME.id, `SELECT current_setting('search_path') AS path`)).toEqual([
        { path: '"$user", public' },
      ]);
    });
  });

  test('powers that only a superuser gives are refused, with what to run', async () => {
    await deploy(ACME);
    await servers.superuser('ALTER ROLE superset_tk4q9w BYPASSRLS');

    expect(await failure(deploy(ACME))).toContain(
      'tenant tk4q9w, roles: role superset_tk4q9w is a superuser, may replicate or bypasses row-level security',
    );
  });

  test('metadata that were lost are not replaced by empty ones in silence', async () => {
    await deploy(ACME);
    await servers.superuser('DROP DATABASE superset_tk4q9w WITH (FORCE)');

    expect(await failure(deploy(ACME))).toContain('database superset_tk4q9w, are gone from server a. Restore them');

    await servers.master(`UPDATE tenancy.tenant_database SET metadata_made = false WHERE id = 'tk4q9w'`);
    await deploy(ACME);
    expect(await servers.metadata(ACME.id, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  test('a tenant whose Superset goes elsewhere keeps the database, and the login ends with its sessions', async () => {
    await deploy(ACME);
    await servers.metadata(ACME.id, 'CREATE TABLE kept (id int)');
    const session = await servers.connect('a', servers.secretOf(metadataSecret(ACME.id)), 'superset_tk4q9w');

    await deploy({ ...ACME, metadata: false });

    expect(await sqlState(session.query('SELECT 1'))).not.toBe('no error');
    expect([NO_LOGIN, WRONG_PASSWORD]).toContain(await sqlState(servers.metadata(ACME.id, 'SELECT 1')));
    expect(await servers.superuser(`SELECT count(*)::int AS tables FROM kept`, 'superset_tk4q9w')).toEqual([
      { tables: 0 },
    ]);
    expect(await servers.tenant(ACME.id, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    await session.end().catch(() => undefined);

    await deploy(ACME);
    expect(await servers.metadata(ACME.id, 'SELECT count(*)::int AS rows FROM kept')).toEqual([{ rows: 0 }]);
  });

  test('removal ends the login and keeps the metadata; with policy destroy both databases go', async () => {
    const destroyed = { ...BOLT, removalPolicy: 'destroy' as const };
    await deploy(ACME, destroyed);

    await deploy();

    expect([NO_LOGIN, WRONG_PASSWORD]).toContain(await sqlState(servers.metadata(ACME.id, 'SELECT 1')));
    expect(
      await servers.master(`SELECT datname::text FROM pg_database WHERE datname ~ '^(tenant|superset)_' ORDER BY 1`),
    ).toEqual([{ datname: 'superset_tk4q9w' }, { datname: 'tenant_tk4q9w' }]);
    expect(await servers.master(`SELECT rolname FROM pg_roles WHERE rolname ~ 'tz81mm'`)).toEqual([]);
  });

  test('its login cannot keep its database from being destroyed', async () => {
    await deploy({ ...ACME, removalPolicy: 'destroy' });
    await servers.metadata(ACME.id, 'ALTER DATABASE superset_tk4q9w IS_TEMPLATE true');

    await deploy();

    expect(await servers.master(`SELECT datname FROM pg_database WHERE datname ~ 'tk4q9w'`)).toEqual([]);
    expect(await servers.master(`SELECT rolname FROM pg_roles WHERE rolname ~ 'tk4q9w'`)).toEqual([]);
  });

  test('the end of its stack ends its logins, and its neighbours on the server go on', async () => {
    const desired = servers.desired([ACME], { batch: 'tk4q9w' });
    await reconcileDatabases(desired);
    await reconcileDatabases(servers.desired([BOLT], { batch: 'tz81mm' }));

    await removeDatabases(desired);

    expect([NO_LOGIN, WRONG_PASSWORD]).toContain(await sqlState(servers.metadata(ACME.id, 'SELECT 1')));
    expect(await servers.metadata(BOLT.id, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    expect((await heal()).changes).toEqual([]);
  });

  test('a secret that names another user or database is refused', async () => {
    const desired = servers.desired([ACME]);
    servers.secrets.set(metadataSecret(ACME.id), {
      ...(servers.secrets.get(tenantSecret(ACME.id)) as Record<string, string>),
    });

    expect(await failure(reconcileDatabases(desired))).toContain(
      'tenant tk4q9w, verification: its secret names database tenant_tk4q9w, not superset_tk4q9w',
    );
  });
});
