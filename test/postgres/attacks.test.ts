import { attack } from './attack';
import { ATTACKER, AttackedDatabase, VICTIM, startAttackedDatabase } from './attacked-database';
import { ATTACKS } from './attacks';

const ALL = Object.values(ATTACKS).flat();
/** The lock of the provisioner, which PostgreSQL lets anybody take. */
const PROVISIONERS_LOCK = '7316402158';

describe.each([15, 17] as const)('a tenant who types SQL on PostgreSQL %i', (version) => {
  let database: AttackedDatabase;
  let before: string;
  let log: jest.SpyInstance;

  beforeAll(async () => {
    log = jest.spyOn(console, 'log').mockImplementation(() => undefined);
    database = await startAttackedDatabase(version);
    before = await database.state();
  }, 60_000);
  afterAll(async () => {
    await database?.stop();
    log.mockRestore();
  });

  describe.each(Object.entries(ATTACKS))('by %s', (_, attacks) => {
    test.each(attacks.map((one) => [one.name, one] as const))('gets no foreign row: %s', async (_name, one) => {
      const { foreign, ending, text } = await attack(database, one);
      expect({ foreign, text: foreign.length > 0 ? text : '' }).toEqual({ foreign: [], text: '' });
      expect([one.ends].flat().includes(ending) || `${ending}: ${text}`).toBe(true);
      expect(await database.state()).toBe(before);
      expect(await database.victimIsConnected()).toBe(true);
    });
  });

  describe('harms itself only', () => {
    const asAttacker = async (...statements: string[]) => {
      const session = await database.attacker();
      try {
        await session.query('SET default_transaction_read_only = off');
        for (const statement of statements) await session.query(statement);
      } finally {
        await session.end();
      }
    };

    test('a password that it changes locks Superset out until the next scheduled run', async () => {
      await asAttacker(`ALTER ROLE CURRENT_USER PASSWORD 'mine'`);
      await expect(database.attacker()).rejects.toThrow('password authentication failed');
      await database.scheduledRun();
      await asAttacker('SELECT 1');
    });

    test('limits that it changes for good are set again by the next reconcile', async () => {
      const settings = async () =>
        (
          await database.oversee(
            `SELECT setdatabase, setconfig FROM pg_db_role_setting WHERE setrole = '${ATTACKER.role}'::regrole ORDER BY 1`,
          )
        ).rows;
      const original = await settings();
      await asAttacker(
        'ALTER ROLE CURRENT_USER SET statement_timeout = 0',
        `ALTER ROLE CURRENT_USER SET work_mem = '1GB'`,
        `ALTER ROLE CURRENT_USER IN DATABASE ${database.name} SET search_path = public`,
      );
      expect(await settings()).not.toEqual(original);
      await database.reconcile();
      expect(await settings()).toEqual(original);
    });

    test('connections beyond its limit are refused, and others still connect', async () => {
      const sessions = await Promise.all([1, 2, 3].map(() => database.attacker()));
      await expect(database.attacker()).rejects.toThrow('too many connections for role');
      await expect(database.tenant(VICTIM.id, 'SELECT 1')).resolves.toHaveLength(1);
      await Promise.all(sessions.map((session) => session.end()));
    });

    test("holding the provisioner's lock ends its session, and does not keep the provisioner from its work", async () => {
      const session = await database.attacker();
      await session.query(`SELECT pg_advisory_lock(${PROVISIONERS_LOCK})`);
      await database.reconcile();
      await expect(session.query('SELECT 1')).rejects.toThrow();
    }, 30_000);
  });
});

describe('the attack suite itself', () => {
  let database: AttackedDatabase;
  let log: jest.SpyInstance;

  beforeAll(async () => {
    log = jest.spyOn(console, 'log').mockImplementation(() => undefined);
    database = await startAttackedDatabase(17);
  }, 60_000);
  afterAll(async () => {
    await database?.stop();
    log.mockRestore();
  });
  afterEach(() => database.reconcile());

  const leaks = async () => {
    const found: string[] = [];
    for (const one of ALL) {
      if ((await attack(database, one)).foreign.includes(VICTIM.id)) found.push(one.name);
    }
    return found;
  };

  test('makes at least sixty attempts, each with a name of its own', () => {
    expect(new Set(ALL.map(({ name }) => name)).size).toBe(ALL.length);
    expect(ALL.length).toBeGreaterThanOrEqual(60);
  });

  test('sees the leak in rows, messages, notices, copies and plans once row-level security is off', async () => {
    await database.oversee('ALTER TABLE analytics.orders DISABLE ROW LEVEL SECURITY');
    await database.oversee('ALTER TABLE analytics.events DISABLE ROW LEVEL SECURITY');
    expect(await leaks()).toEqual(
      expect.arrayContaining([
        'SET app.current_tenant',
        'SET row_security = off',
        'a plan that prunes no partition',
        "SET ROLE to all tenants' role",
        'COPY of a table TO STDOUT',
        'COPY of a query TO STDOUT',
        'query_to_xml()',
        'a cursor',
        'DO with RAISE',
        'an error that quotes a row: a cast of theirs',
        'rows by ctid',
        'rows by tableoid',
        'pg_stats',
      ]),
    );
  }, 30_000);

  test('sees the leak once the policy believes a session variable', async () => {
    await database.oversee(`ALTER POLICY tenancy_isolation ON analytics.orders
      USING (tenant_id = coalesce(nullif(current_setting('app.current_tenant', true), '')::uuid, '${ATTACKER.value}'))`);
    expect(await leaks()).toEqual(
      expect.arrayContaining([
        'SET app.current_tenant',
        'SET LOCAL app.current_tenant in a transaction',
        'set_config() in a CTE',
      ]),
    );
  }, 30_000);

  test('sees what was left about, once tenants may read it', async () => {
    await database.oversee(`GRANT SELECT ON ALL TABLES IN SCHEMA analytics, tenancy TO tenancy_tenants;
      GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA analytics TO tenancy_tenants;
      GRANT USAGE ON SCHEMA ${VICTIM.schema} TO PUBLIC; GRANT SELECT ON ALL TABLES IN SCHEMA ${VICTIM.schema} TO PUBLIC`);
    expect(await leaks()).toEqual(
      expect.arrayContaining([
        "a view of the tables' owner",
        'a materialised view',
        'a table that was copied',
        'a SECURITY DEFINER function of the loader',
        "the victim's schema",
        "the victim's schema in the search_path",
      ]),
    );
  }, 30_000);

  test('sees a tenant that may act as the loader', async () => {
    await database.oversee(`GRANT tenancy_loader TO ${ATTACKER.role}`);
    const one = { name: '', sql: ['SET ROLE tenancy_loader', 'SELECT body FROM analytics.orders'], ends: '42501' };
    expect((await attack(database, one)).foreign).toContain(VICTIM.id);
    // The provisioner may not take back what a superuser gave: it refuses to go on instead.
    await expect(database.reconcile()).rejects.toThrow('its login role is a member of tenancy_loader');
    await database.oversee(`REVOKE tenancy_loader FROM ${ATTACKER.role}`);
  });
});
