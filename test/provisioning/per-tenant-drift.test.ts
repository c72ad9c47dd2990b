import { DesiredDatabases } from '../../lib/provisioning/desired-databases';
import {
  reconcileDatabases,
  reconcileStoredDatabases,
} from '../../lib/provisioning/handler/per-tenant/reconcile-databases';
import { Servers, sqlState, startServers } from './per-tenant-servers';

const ACME = { id: 'tk4q9w', loader: true };
const BOLT = { id: 'tz81mm' };

/** What none of the drifts below may leave possible. */
const ATTEMPTS = [
  'INSERT INTO orders VALUES (2)',
  `UPDATE orders SET note = ''`,
  'CREATE TABLE mine (id int)',
  'DROP TABLE orders',
];

describe.each([15, 17] as const)('drift where each tenant has a database, on PostgreSQL %i', (version) => {
  let servers: Servers;
  let desired: DesiredDatabases;
  let log: jest.SpyInstance;

  beforeAll(async () => {
    log = jest.spyOn(console, 'log').mockImplementation(() => undefined);
    servers = await startServers(version, 1);
    desired = servers.desired([ACME, BOLT], { extensions: ['pg_trgm'] });
    await reconcileDatabases(desired);
    await servers.loader(ACME.id, 'CREATE TABLE orders (id int PRIMARY KEY, note text); INSERT INTO orders VALUES (1)');
    await servers.superuser(
      'CREATE TABLE analytics.made (id int); ALTER TABLE analytics.made OWNER TO postgres',
      'tenant_tk4q9w',
    );
    await schedule();
  }, 60_000);
  afterAll(async () => {
    await servers?.stop();
    log.mockRestore();
  });

  const schedule = () => reconcileStoredDatabases(servers.servers());
  const orders = () => servers.tenant(ACME.id, 'SELECT id FROM orders');

  test.each([
    ['may not log in', 'ALTER ROLE tenant_tk4q9w NOLOGIN'],
    ['expired', `ALTER ROLE tenant_tk4q9w VALID UNTIL '2001-01-01'`],
    ['may create databases', 'ALTER ROLE tenant_tk4q9w CREATEDB'],
    ['may create roles', 'ALTER ROLE tenant_tk4q9w CREATEROLE'],
    ['has no connection limit', 'ALTER ROLE tenant_tk4q9w CONNECTION LIMIT -1'],
    ['has another statement timeout', 'ALTER ROLE tenant_tk4q9w SET statement_timeout = 0'],
    ['has a setting in one database', 'ALTER ROLE tenant_tk4q9w IN DATABASE postgres SET work_mem = 1024'],
    ['is a member of another tenant', 'SET ROLE postgres; GRANT tenant_tz81mm TO tenant_tk4q9w'],
    ['is a member of its owner', 'SET ROLE postgres; GRANT tenancy_owner_tk4q9w TO tenant_tk4q9w'],
    ['has a member', 'SET ROLE postgres; GRANT tenant_tk4q9w TO tenant_tz81mm'],
    [
      'may enter another tenant’s database',
      'SET ROLE tenancy_owner_tz81mm; GRANT CONNECT ON DATABASE tenant_tz81mm TO tenant_tk4q9w',
    ],
    ['may enter postgres', 'GRANT CONNECT ON DATABASE postgres TO tenant_tk4q9w'],
    [
      'may make temporary tables',
      'SET ROLE tenancy_owner_tk4q9w; GRANT TEMPORARY ON DATABASE tenant_tk4q9w TO tenant_tk4q9w',
    ],
    [
      'may no longer enter its database',
      'SET ROLE tenancy_owner_tk4q9w; REVOKE CONNECT ON DATABASE tenant_tk4q9w FROM tenant_tk4q9w',
    ],
    [
      '’s database is open to everybody',
      'SET ROLE tenancy_owner_tk4q9w; GRANT ALL ON DATABASE tenant_tk4q9w TO PUBLIC',
    ],
    ['’s database takes one connection', 'ALTER DATABASE tenant_tk4q9w CONNECTION LIMIT 1'],
    ['’s loader may create databases', 'ALTER ROLE tenancy_loader_tk4q9w CREATEDB'],
    ['’s loader is a member of the owner', 'SET ROLE postgres; GRANT tenancy_owner_tk4q9w TO tenancy_loader_tk4q9w'],
    ['’s owner may log in', 'ALTER ROLE tenancy_owner_tk4q9w LOGIN'],
  ])('a tenant that %s heals at the next deployment', async (_, drift) => {
    await servers.superuser(drift);
    expect((await reconcileDatabases(desired)).changes.length).toBeGreaterThan(0);
    expect(await orders()).toEqual([{ id: 1 }]);
    expect(await sqlState(servers.tenant(ACME.id, 'SELECT 1', 'a', 'tenant_tz81mm'))).toBe('42501');
  });

  test.each([
    [
      'a table that the master made is unreadable',
      'REVOKE ALL ON analytics.made FROM tenant_tk4q9w, tenancy_loader_tk4q9w',
    ],
    ['the tenant may write', 'GRANT INSERT ON analytics.orders TO tenant_tk4q9w'],
    ['the tenant may write a column', 'GRANT UPDATE (note) ON analytics.orders TO tenant_tk4q9w'],
    ['everybody may write', 'GRANT ALL ON analytics.orders TO PUBLIC'],
    ['the tenant owns a table', 'ALTER TABLE analytics.orders OWNER TO tenant_tk4q9w'],
    ['the tenant may create', 'GRANT CREATE ON SCHEMA analytics TO tenant_tk4q9w'],
    ['the schema is closed', 'REVOKE ALL ON SCHEMA analytics FROM tenant_tk4q9w, tenancy_loader_tk4q9w'],
    ['the loader owns the schema', 'ALTER SCHEMA analytics OWNER TO tenancy_loader_tk4q9w'],
    ['everybody may use public', 'GRANT ALL ON SCHEMA public TO PUBLIC'],
    [
      'what the loader makes is the tenant’s to write',
      'ALTER DEFAULT PRIVILEGES FOR ROLE tenancy_loader_tk4q9w GRANT ALL ON TABLES TO PUBLIC',
    ],
    [
      'what the loader makes is unreadable',
      'ALTER DEFAULT PRIVILEGES FOR ROLE tenancy_loader_tk4q9w IN SCHEMA analytics REVOKE ALL ON TABLES FROM tenant_tk4q9w',
    ],
    [
      'functions are everybody’s',
      'ALTER DEFAULT PRIVILEGES FOR ROLE tenancy_loader_tk4q9w GRANT EXECUTE ON FUNCTIONS TO PUBLIC',
    ],
    [
      'a function writes for the tenant',
      `SET ROLE tenancy_loader_tk4q9w; CREATE FUNCTION analytics.write() RETURNS void LANGUAGE sql SECURITY DEFINER AS 'DELETE FROM analytics.orders';
       GRANT EXECUTE ON FUNCTION analytics.write() TO tenant_tk4q9w`,
    ],
    [
      'the tenant may use a foreign server',
      `CREATE FOREIGN DATA WRAPPER way; CREATE SERVER out FOREIGN DATA WRAPPER way; ALTER SERVER out OWNER TO tenancy_owner_tk4q9w`,
      `SET ROLE tenancy_owner_tk4q9w; GRANT USAGE ON FOREIGN SERVER out TO PUBLIC; CREATE USER MAPPING FOR PUBLIC SERVER out`,
    ],
    ['the tenant has a large object', `SELECT lo_create(4711); ALTER LARGE OBJECT 4711 OWNER TO tenant_tk4q9w`],
    ['an extension is missing', 'DROP EXTENSION pg_trgm'],
  ])('inside its database, where %s, a tenant heals at the next scheduled run', async (_, drift, more = '') => {
    await servers.superuser(`${drift}; ${more}`, 'tenant_tk4q9w');
    expect((await schedule()).changes.length).toBeGreaterThan(0);
    expect(await orders()).toEqual([{ id: 1 }]);
    expect(await servers.loader(ACME.id, 'INSERT INTO made VALUES (1) RETURNING id')).toEqual([{ id: 1 }]);
    expect(await servers.tenant(ACME.id, 'SELECT DISTINCT id FROM made')).toEqual([{ id: 1 }]);
    const session = await servers.tenantSession(ACME.id);
    for (const attempt of ATTEMPTS) {
      expect([attempt, await sqlState(session.query(`BEGIN READ WRITE; ${attempt}`))]).toEqual([attempt, '42501']);
      await session.query('ROLLBACK');
    }
    await session.end();
  });

  test('what healed stays as it is', async () => {
    expect((await schedule()).changes).toEqual([]);
  });

  test('a membership that only its grantor can end fails the run with the statement that does', async () => {
    await servers.superuser('GRANT tenant_tz81mm TO tenant_tk4q9w');
    const outcome = await schedule().then(
      ({ changes }) => changes.map(({ what }) => what).join(),
      ({ message }: Error) => message,
    );
    // Before 16, whoever may make roles may end it.
    expect(outcome).toContain(
      version === 15
        ? 'memberships ended'
        : 'tenant tk4q9w, roles: tenant_tk4q9w is a member of tenant_tz81mm, as rdsadmin granted: as that role, run ' +
            'REVOKE "tenant_tz81mm" FROM "tenant_tk4q9w"',
    );
    await servers.superuser('REVOKE tenant_tz81mm FROM tenant_tk4q9w');
    await schedule();
  });

  test('what the schedule failed to prove is proved again by a deployment that changes nothing else', async () => {
    await servers.superuser(`CREATE TABLE analytics.strange (id int)`, 'tenant_tk4q9w');
    const reason =
      'tenant tk4q9w, inside the database: analytics.strange belongs to rdsadmin: as that role, run ' +
      'GRANT SELECT ON TABLE "analytics"."strange" TO "tenant_tk4q9w"';
    await expect(schedule()).rejects.toThrow(reason);
    await expect(reconcileDatabases(desired)).rejects.toThrow(reason);
    await servers.superuser(`DROP TABLE analytics.strange`, 'tenant_tk4q9w');
    await schedule();
  });

  test('an unchanged deployment logs in as nobody, and one that adds a tenant as that one only', async () => {
    const proofs = () => servers.master('SELECT id, proved_at::text AS at FROM tenancy.tenant_database ORDER BY id');
    const before = await proofs();
    await reconcileDatabases(desired);
    expect(await proofs()).toEqual(before);
    await reconcileDatabases(servers.desired([ACME, BOLT, { id: 'tnew' }], { extensions: ['pg_trgm'] }));
    expect((await proofs()).filter(({ id }) => id !== 'tnew')).toEqual(before);
    await schedule();
    expect((await proofs()).filter(({ at }) => before.some((row) => row.at === at))).toEqual([]);
  });

  // Once: the handler waits for a free connection first.
  if (version === 17) {
    test('a tenant all of whose connections are in use does not fail a run, and is proved when one is free', async () => {
      const sessions = await Promise.all(Array.from({ length: 10 }, () => servers.tenantSession(BOLT.id)));
      const provedAt = () => servers.master(`SELECT proved_at::text FROM tenancy.tenant_database WHERE id = 'tz81mm'`);
      const before = await provedAt();
      await schedule();
      expect(await provedAt()).toEqual(before);
      await Promise.all(sessions.map((session) => session.end()));
      await schedule();
      expect(await provedAt()).not.toEqual(before);
    });
  }
});
