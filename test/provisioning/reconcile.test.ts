import { reconcile, reconcileStored, removeBatch } from '../../lib/provisioning/handler/reconcile';
import { DesiredState } from '../../lib/provisioning/desired-state';
import { beginLoaderMembership } from '../../lib/provisioning/handler/roles';
import { Login, readLogin } from '../../lib/provisioning/handler/secrets';
import { Session } from '../../lib/provisioning/handler/session';
import { verifyTenants } from '../../lib/provisioning/handler/verification';
import { TenantDatabase, startTenantServer } from './tenant-server';

const ACME = { id: 'tk4q9w', value: '0b9cde55-6a0e-4a0e-9d9b-000000000001' };
const BOLT = { id: 'tz81mm', value: '0b9cde55-6a0e-4a0e-9d9b-000000000002' };
const CRUX = { id: 'tp20xd', value: '0b9cde55-6a0e-4a0e-9d9b-000000000003' };

const TABLES: DesiredState['tables'] = [
  { name: 'orders', strategy: 'column' },
  { name: 'events', strategy: 'partitioned' },
  { name: 'notes', strategy: 'schema' },
];

const CREATE_TABLES = `
  CREATE TABLE analytics.orders (id bigint PRIMARY KEY, tenant_id uuid NOT NULL, amount numeric);
  CREATE TABLE analytics.events (tenant_id uuid NOT NULL, at timestamptz, kind text) PARTITION BY LIST (tenant_id);
  CREATE TABLE analytics.notes (id bigint PRIMARY KEY, body text);`;

const CELL = { batch: 'cell' };

describe.each([15, 17] as const)('on PostgreSQL %i, as the RDS master user', (version) => {
  let server: Awaited<ReturnType<typeof startTenantServer>>;
  let db: TenantDatabase;
  let log: jest.SpyInstance;

  beforeAll(async () => {
    log = jest.spyOn(console, 'log').mockImplementation(() => undefined);
    server = await startTenantServer(version);
  }, 60_000);
  afterAll(async () => {
    await server?.stop();
    log.mockRestore();
  });
  beforeEach(async () => {
    db = await server.newDatabase();
  });
  afterEach(() => db.drop());

  const run = (desired: DesiredState) => reconcile(desired, db.environment);
  const failure = (desired: DesiredState) =>
    run(desired).then(
      () => 'no failure',
      (error: Error) => error.message,
    );

  /** Two tenants, three tables, and rows of each tenant in each table. */
  async function twoTenants() {
    await run(db.desired([], TABLES, CELL));
    await db.loader(CREATE_TABLES);
    const desired = db.desired([ACME, BOLT], TABLES);
    await run(desired);
    await db.loader(`
      INSERT INTO analytics.orders VALUES (1, '${ACME.value}', 10), (2, '${ACME.value}', 20), (3, '${BOLT.value}', 30);
      INSERT INTO analytics.events VALUES ('${ACME.value}', now(), 'a'), ('${BOLT.value}', now(), 'b'), ('${BOLT.value}', now(), 'c');
      INSERT INTO tenant_${ACME.id}.notes VALUES (1, 'acme');
      INSERT INTO tenant_${BOLT.id}.notes VALUES (1, 'bolt'), (2, 'bolt'), (3, 'bolt');`);
    return desired;
  }

  async function counts(id: string) {
    const [row] = await db.tenant<Record<string, string>>(
      id,
      `SELECT (SELECT count(*) FROM orders) AS orders, (SELECT count(*) FROM events) AS events, (SELECT count(*) FROM notes) AS notes`,
    );
    return [row.orders, row.events, row.notes].map(Number);
  }

  test('each tenant reads its own rows of every strategy, and a second run changes nothing', async () => {
    const desired = await twoTenants();
    expect(await counts(ACME.id)).toEqual([2, 1, 1]);
    expect(await counts(BOLT.id)).toEqual([1, 2, 3]);

    expect((await run(desired)).changes).toEqual([]);
    expect((await run(db.desired([], TABLES, CELL))).changes).toEqual([]);
  });
  test('a table that does not exist yet is reported, unreadable when it appears, and readable after the next reconcile', async () => {
    const created = await run(db.desired([ACME, BOLT], TABLES));
    expect(created.pending).toEqual(['analytics.orders', 'analytics.events', 'notes in 2 tenant schema(s)']);

    await db.loader(CREATE_TABLES);
    await db.loader(`INSERT INTO analytics.orders VALUES (1, '${ACME.value}', 10)`);
    await expect(db.tenant(ACME.id, 'SELECT * FROM orders')).rejects.toThrow('permission denied for table orders');

    const healed = await reconcileStored(db.environment);
    expect(healed.pending).toEqual([]);
    expect(await db.tenant(ACME.id, 'SELECT id FROM orders')).toEqual([{ id: '1' }]);
    expect(await db.tenant(BOLT.id, 'SELECT id FROM orders')).toEqual([]);
  });

  test('a plain table that was declared as partitioned is left alone, and the error gives the steps', async () => {
    await run(db.desired([], TABLES, CELL));
    await db.loader('CREATE TABLE analytics.events (tenant_id uuid NOT NULL)');
    const message = await failure(db.desired([ACME], TABLES));
    expect(message).toContain('table analytics.events is not partitioned BY LIST ("tenant_id")');
    expect(message).toContain('1. ALTER TABLE "analytics"."events" RENAME TO "events_old"');
    expect(await db.loader(`SELECT relkind FROM pg_class WHERE relname = 'events'`)).toEqual([{ relkind: 'r' }]);
  });

  test.each([
    ['has no tenant column', 'id int', 'has no column tenant_id: add it as uuid'],
    ['has another type in it', 'tenant_id text', 'has tenant_id as text, but the file says uuid'],
  ])('a declared table that %s is refused', async (_, columns, message) => {
    await run(db.desired([], TABLES, CELL));
    await db.loader(`CREATE TABLE analytics.orders (${columns})`);
    expect(await failure(db.desired([ACME], TABLES))).toContain(message);
  });

  test('what no policy protects is unreadable, whatever was granted on it, and is reported', async () => {
    const desired = await twoTenants();
    await db.loader(`
      CREATE TABLE analytics.scratch AS SELECT * FROM analytics.orders;
      CREATE VIEW analytics.plain_view AS SELECT * FROM analytics.orders;
      CREATE VIEW analytics.invoker_view WITH (security_invoker = true) AS SELECT * FROM analytics.orders;
      CREATE MATERIALIZED VIEW analytics.frozen AS SELECT * FROM analytics.orders;
      CREATE FUNCTION analytics.all_orders() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM analytics.orders';
      GRANT EXECUTE ON FUNCTION analytics.all_orders() TO PUBLIC, tenant_${ACME.id};
      GRANT SELECT ON analytics.scratch, analytics.plain_view, analytics.frozen TO PUBLIC;
      GRANT SELECT (amount) ON analytics.scratch TO tenant_${ACME.id};
      GRANT INSERT ON analytics.orders TO tenancy_tenants`);
    await db.master(`CREATE TABLE public.leak (tenant_id uuid); GRANT SELECT ON public.leak TO PUBLIC;
      GRANT USAGE ON SCHEMA tenancy_partitions, tenant_${BOLT.id} TO PUBLIC; GRANT CREATE ON SCHEMA analytics TO tenancy_tenants`);

    const { unreadable, changes } = await run(desired);
    expect(unreadable).toEqual(['analytics.frozen', 'analytics.plain_view', 'analytics.scratch']);
    expect(changes.length).toBeGreaterThan(0);
    for (const relation of ['analytics.scratch', 'analytics.plain_view', 'analytics.frozen', 'public.leak']) {
      await expect(db.tenant(ACME.id, `SELECT * FROM ${relation}`)).rejects.toThrow('permission denied');
    }
    await expect(db.tenant(ACME.id, 'SELECT amount FROM scratch')).rejects.toThrow('permission denied');
    await expect(db.tenant(ACME.id, 'SELECT analytics.all_orders()')).rejects.toThrow('permission denied');
    await expect(db.tenant(ACME.id, `SELECT * FROM tenant_${BOLT.id}.notes`)).rejects.toThrow('permission denied');
    await expect(
      db.tenant(ACME.id, `BEGIN READ WRITE; INSERT INTO orders VALUES (9, '${ACME.value}', 1)`),
    ).rejects.toThrow('permission denied');
    expect(await db.tenant(ACME.id, 'SELECT count(*)::int AS n FROM invoker_view')).toEqual([{ n: 2 }]);
    expect(await counts(ACME.id)).toEqual([2, 1, 1]);
    expect((await run(desired)).changes).toEqual([]);
  });

  test.each([
    ['lost its policy', 'DROP POLICY tenancy_isolation ON analytics.orders'],
    ['lost row-level security', 'ALTER TABLE analytics.orders DISABLE ROW LEVEL SECURITY'],
    ['no longer forces it', 'ALTER TABLE analytics.orders NO FORCE ROW LEVEL SECURITY'],
    ['got a policy that lets everybody in', 'CREATE POLICY open ON analytics.orders USING (true)'],
    ['got its policy rewritten', 'ALTER POLICY tenancy_isolation ON analytics.orders USING (true)'],
    ['lost its index', 'DROP INDEX analytics.tenancy_tenant_idx'],
    ['lost the tenants’ right', 'REVOKE SELECT ON analytics.orders FROM tenancy_tenants'],
    ['lost the loader’s policy', 'DROP POLICY tenancy_loader ON analytics.orders'],
  ])('a table that %s heals', async (_, drift) => {
    const desired = await twoTenants();
    const [{ index }] = await db.loader<{ index: string }>(
      `SELECT indexrelid::regclass::text AS index FROM pg_index WHERE indrelid = 'analytics.orders'::regclass AND NOT indisprimary`,
    );
    await db.loader(drift.replace('analytics.tenancy_tenant_idx', index));
    expect((await run(desired)).changes.length).toBeGreaterThan(0);
    expect(await counts(ACME.id)).toEqual([2, 1, 1]);
    expect(await counts(BOLT.id)).toEqual([1, 2, 3]);
    expect((await run(desired)).changes).toEqual([]);
  });

  test.each([
    ['may not log in', 'ALTER ROLE tenant_tk4q9w NOLOGIN'],
    ['expired', `ALTER ROLE tenant_tk4q9w VALID UNTIL '2001-01-01'`],
    ['may create databases', 'ALTER ROLE tenant_tk4q9w CREATEDB'],
    ['may create roles', 'ALTER ROLE tenant_tk4q9w CREATEROLE'],
    ['has no connection limit', 'ALTER ROLE tenant_tk4q9w CONNECTION LIMIT -1'],
    ['has another statement timeout', 'ALTER ROLE tenant_tk4q9w SET statement_timeout = 0'],
    ['has a setting in one database', 'ALTER ROLE tenant_tk4q9w IN DATABASE postgres SET work_mem = 1024'],
    ['is a member of another tenant', 'GRANT tenant_tz81mm TO tenant_tk4q9w'],
    ['is a member of the loader', 'GRANT tenancy_loader TO tenant_tk4q9w'],
    ['lost its rights', 'REVOKE tenancy_tenants FROM tenant_tk4q9w'],
    ['lost its mapping', `DELETE FROM tenancy.tenant WHERE id = 'tk4q9w'`],
    ['lost its schema’s right', 'REVOKE ALL ON SCHEMA tenant_tk4q9w FROM tenant_tk4q9w'],
  ])('a tenant whose role %s heals', async (_, drift) => {
    const desired = await twoTenants();
    await db.master(drift);
    expect((await run(desired)).changes.length).toBeGreaterThan(0);
    expect(await counts(ACME.id)).toEqual([2, 1, 1]);
    expect((await run(desired)).changes).toEqual([]);
    const [role] = await db.master(
      `SELECT rolcanlogin, rolcreatedb, rolcreaterole, rolconnlimit, rolconfig,
              (SELECT array_agg(roleid::regrole::text) FROM pg_auth_members WHERE member = pg_roles.oid) AS groups
         FROM pg_roles WHERE rolname = 'tenant_tk4q9w'`,
    );
    expect(role).toEqual({
      rolcanlogin: true,
      rolcreatedb: false,
      rolcreaterole: false,
      rolconnlimit: 10,
      groups: ['tenancy_tenants'],
      rolconfig: [
        'statement_timeout=60s',
        'idle_in_transaction_session_timeout=60s',
        'work_mem=16MB',
        'max_parallel_workers_per_gather=1',
        'default_transaction_read_only=on',
        'search_path=tenant_tk4q9w, analytics',
      ],
    });
  });

  test('temporary files are limited where the master user may', async () => {
    const desired = await twoTenants();
    const limit = async () => (await db.tenant<{ temp_file_limit: string }>(ACME.id, 'SHOW temp_file_limit'))[0];
    expect(await limit()).toEqual({ temp_file_limit: '-1' });

    const [{ master }] = await db.master<{ master: string }>('SELECT current_user AS master');
    await db.superuser(`GRANT SET ON PARAMETER temp_file_limit TO ${master}`);
    try {
      await run(desired);
      expect(await limit()).toEqual({ temp_file_limit: '2GB' });
      expect((await run(desired)).changes).toEqual([]);
    } finally {
      await db.superuser(`REVOKE SET ON PARAMETER temp_file_limit FROM ${master}`);
    }
    expect((await run(desired)).changes).toEqual([]);
  });

  test('a tenant that changed its own password is let in again by the next scheduled run', async () => {
    await twoTenants();
    await db.tenant(ACME.id, `BEGIN READ WRITE; ALTER ROLE tenant_tk4q9w PASSWORD 'mine'; COMMIT`);
    await expect(counts(ACME.id)).rejects.toThrow('password authentication failed');
    await reconcileStored(db.environment);
    expect(await counts(ACME.id)).toEqual([2, 1, 1]);
  });

  test('a half-made tenant is completed', async () => {
    await twoTenants();
    await db.master(`CREATE ROLE tenant_${CRUX.id}; CREATE SCHEMA tenant_${CRUX.id}`);
    await db.loader(`CREATE TABLE tenancy_partitions.events_${CRUX.id} (LIKE analytics.events)`);
    await run(db.desired([ACME, BOLT, CRUX], TABLES));
    await db.loader(`INSERT INTO analytics.events VALUES ('${CRUX.value}', now(), 'x')`);
    expect(await counts(CRUX.id)).toEqual([0, 1, 0]);
  });

  test('a role that bypasses row-level security fails the run with the tenant’s name and the statement that mends it', async () => {
    const desired = await twoTenants();
    await db.superuser(`ALTER ROLE tenant_${BOLT.id} BYPASSRLS`);
    const message = await failure(desired);
    expect(message).toContain(
      `tenant ${BOLT.id}, login role: role tenant_${BOLT.id} is a superuser, may replicate or bypasses`,
    );
    expect(message).toContain(`ALTER ROLE "tenant_${BOLT.id}" NOSUPERUSER NOREPLICATION NOBYPASSRLS`);
    expect(message).not.toContain(ACME.id);
  });

  test('a database that another role opened to everybody fails the run with its name', async () => {
    await db.superuser('CREATE ROLE operator');
    await db.superuser('CREATE DATABASE strangers OWNER operator');
    try {
      expect(await failure(db.desired([], TABLES, CELL))).toContain(
        'every role may connect to database strangers, which operator owns: as its owner, run REVOKE CONNECT, TEMPORARY ON DATABASE "strangers" FROM PUBLIC',
      );
    } finally {
      await db.superuser('DROP DATABASE strangers');
      await db.superuser('DROP ROLE operator');
    }
  });

  test('no tenant may connect to any other database, or make temporary tables', async () => {
    await twoTenants();
    const rows = await db.tenant(
      ACME.id,
      `SELECT datname FROM pg_database WHERE datallowconn AND has_database_privilege(oid, 'CONNECT') AND datname <> current_database()
        UNION ALL SELECT 'temporary' WHERE has_database_privilege(current_database(), 'TEMPORARY')`,
    );
    expect(rows).toEqual([]);
  });

  test('one failing tenant is named; the others are done, and it heals when the cause is gone', async () => {
    await run(db.desired([], TABLES, CELL));
    await db.loader(CREATE_TABLES);
    await db.loader(`
      CREATE TABLE analytics.events_rest PARTITION OF analytics.events DEFAULT;
      INSERT INTO analytics.events VALUES ('${BOLT.value}', now(), 'b')`);
    const desired = db.desired([ACME, BOLT], TABLES);
    const message = await failure(desired);
    expect(message).toMatch(new RegExp(`^tenant ${BOLT.id}, login role: .*events_rest.* would be violated`));
    expect(await db.tenant(ACME.id, 'SELECT * FROM events')).toEqual([]);
    await expect(db.tenant(BOLT.id, 'SELECT 1')).rejects.toThrow('password authentication failed');

    await db.loader('DELETE FROM analytics.events');
    await run(desired);
    expect(await counts(BOLT.id)).toEqual([0, 0, 0]);
  });

  test('rows that a tenant should read and cannot fail the run, with tenant and table', async () => {
    const desired = await twoTenants();
    await db.loader('CREATE POLICY hide ON analytics.orders AS RESTRICTIVE TO tenancy_tenants USING (amount > 25)');
    expect(await failure(desired)).toBe(`tenant ${ACME.id}, verification: table orders: it cannot read its own rows`);
  });

  test.each([
    ['orders', 'ALTER TABLE analytics.orders DISABLE ROW LEVEL SECURITY'],
    ['events', 'CREATE POLICY open ON analytics.events USING (true)'],
    ['notes', `GRANT USAGE ON SCHEMA tenant_${BOLT.id} TO tenancy_tenants`],
  ])(
    'rows of another that a tenant can read are seen by the verification, with tenant and table %s',
    async (table, hole) => {
      const desired = await twoTenants();
      await (table === 'notes' ? db.master(hole) : db.loader(hole));
      const logins = new Map(
        await Promise.all(
          desired.tenants.map(async ({ id, secret }) => [id, await readLogin(secret)] as [string, Login]),
        ),
      );
      const master = await Session.open({
        ...(db.environment as unknown as Login),
        host: db.environment.DATABASE_HOST,
        port: Number(db.environment.DATABASE_PORT),
        database: db.name,
        username: server.postgres.master.username,
        password: server.postgres.master.password,
      });
      await beginLoaderMembership(master);
      const verified = verifyTenants(master, desired, logins, false).finally(() => master.close());
      await expect(verified).rejects.toThrow(
        `tenant ${ACME.id}, verification: table ${table}: it can read rows of another tenant`,
      );
    },
  );

  test('rights beyond reading are seen by the verification, with the tenant', async () => {
    const desired = await twoTenants();
    await db.superuser(
      `GRANT TEMPORARY ON DATABASE ${db.name} TO tenant_${ACME.id}; GRANT CONNECT ON DATABASE rdsadmin TO tenant_${BOLT.id}`,
    );
    try {
      const message = await failure(desired);
      expect(message).toContain(`tenant ${ACME.id}, verification: it may create temporary tables`);
      expect(message).toContain(`tenant ${BOLT.id}, verification: it may connect to database rdsadmin`);
    } finally {
      await db.superuser(`REVOKE CONNECT ON DATABASE rdsadmin FROM tenant_${BOLT.id}`);
    }
  });

  test('a removed tenant is thrown out and cannot log in again, and its rows are still there', async () => {
    await twoTenants();
    const session = await db.tenantSession(BOLT.id);
    await session.query('SELECT 1');
    await run(db.desired([ACME], TABLES));

    await expect(session.query('SELECT 1')).rejects.toThrow();
    await expect(db.tenant(BOLT.id, 'SELECT 1')).rejects.toThrow(
      /not permitted to log in|password authentication failed/,
    );
    expect(await db.loader('SELECT count(*)::int AS n FROM analytics.events')).toEqual([{ n: 3 }]);

    await run(db.desired([ACME, BOLT], TABLES));
    expect(await counts(BOLT.id)).toEqual([1, 2, 3]);
  });

  test('a tenant that was deployed with destroy is gone after its removal, and nobody else is touched', async () => {
    await twoTenants();
    await run(db.desired([ACME, { ...BOLT, removalPolicy: 'destroy' }], TABLES));
    await run(db.desired([ACME], TABLES));
    expect(await db.loader('SELECT DISTINCT tenant_id FROM analytics.orders')).toEqual([{ tenant_id: ACME.value }]);
    expect(await db.loader('SELECT DISTINCT tenant_id FROM analytics.events')).toEqual([{ tenant_id: ACME.value }]);
    expect(
      await db.master(
        `SELECT 'role' AS left FROM pg_roles WHERE rolname = 'tenant_${BOLT.id}'
          UNION ALL SELECT nspname FROM pg_namespace WHERE nspname = 'tenant_${BOLT.id}'
          UNION ALL SELECT relname FROM pg_class WHERE relname = 'events_${BOLT.id}'`,
      ),
    ).toEqual([]);
    expect(await counts(ACME.id)).toEqual([2, 1, 1]);
  });

  test('deleting a batch ends its tenants only', async () => {
    await twoTenants();
    const other = db.desired([CRUX], TABLES, { batch: 'tenants5' });
    await run(other);
    await removeBatch(db.desired([ACME, BOLT], TABLES), db.environment);
    await expect(db.tenant(ACME.id, 'SELECT 1')).rejects.toThrow();
    expect(await counts(CRUX.id)).toEqual([0, 0, 0]);
    expect(await db.loader('SELECT count(*)::int AS n FROM analytics.orders')).toEqual([{ n: 3 }]);
  });

  test('a changed limit is set, and nothing else', async () => {
    await twoTenants();
    const { changes } = await run(db.desired([ACME, { ...BOLT, connections: '3' }], TABLES));
    expect(changes).toEqual([{ step: 'login role', tenant: BOLT.id, what: 'login role mended' }]);
    const sessions = await Promise.all([1, 2, 3].map(() => db.tenantSession(BOLT.id)));
    await expect(db.tenantSession(BOLT.id)).rejects.toThrow('too many connections for role');
    await Promise.all(sessions.map((session) => session.end()));
  });

  test('a rotated secret works after the next reconcile', async () => {
    const desired = await twoTenants();
    const secret = server.secrets.get(`superset/tenant/${ACME.id}/db_credentials`) as Record<string, string>;
    secret.password = 'rotated-0123456789';
    secret.version = 'rotated';
    expect((await run(desired)).changes).toEqual([
      { step: 'verification', what: 'password set to the secret', tenant: ACME.id },
    ]);
    expect(await counts(ACME.id)).toEqual([2, 1, 1]);
  });

  test('a tenant’s value and the type of the tenant column are for good', async () => {
    await twoTenants();
    expect(await failure(db.desired([{ ...ACME, value: CRUX.value }, BOLT], TABLES))).toContain(
      `tenant ${ACME.id}, login role: its value is ${CRUX.value}, but it was made with ${ACME.value}, which is for good`,
    );
    expect(
      await failure(db.desired([ACME, BOLT], TABLES, { tenantColumn: { name: 'tenant_id', type: 'text' } })),
    ).toContain('this server was made with uuid, which is for good');
  });

  test.each([
    ['bigint', '17', '9007199254740993'],
    ['text', `o'hara "\\ %s`, 'öko-straße'],
  ] as const)('the tenant column may be %s', async (type, first, second) => {
    const options = { tenantColumn: { name: 'tenant', type } };
    await run(db.desired([], TABLES, { ...CELL, ...options }));
    await db.loader(`
      CREATE TABLE analytics.orders (tenant ${type} NOT NULL);
      CREATE TABLE analytics.events (tenant ${type} NOT NULL) PARTITION BY LIST (tenant)`);
    const desired = db.desired(
      [
        { id: 'tfirst', value: first },
        { id: 'tsecond', value: second },
      ],
      TABLES.slice(0, 2),
      options,
    );
    await run(desired);
    const quoted = [first, second].map((value) => `'${value.replaceAll("'", "''")}'`);
    await db.loader(`INSERT INTO analytics.orders VALUES (${quoted[0]}), (${quoted[1]}), (${quoted[1]});
                     INSERT INTO analytics.events SELECT * FROM analytics.orders`);
    const count = 'SELECT (SELECT count(*)::int FROM orders) AS orders, (SELECT count(*)::int FROM events) AS events';
    expect(await db.tenant('tfirst', count)).toEqual([{ orders: 1, events: 1 }]);
    expect(await db.tenant('tsecond', count)).toEqual([{ orders: 2, events: 2 }]);
    expect((await run(desired)).changes).toEqual([]);

    const doomed = desired.tenants.map((tenant) => ({ ...tenant, removalPolicy: 'destroy' as const }));
    await run({ ...desired, tenants: doomed });
    await run({ ...desired, tenants: doomed.slice(1) });
    expect(
      await db.loader(
        `${count}, (SELECT count(*)::int FROM pg_class WHERE relname = 'events_tfirst') AS partitions`
          .replaceAll('FROM orders', 'FROM analytics.orders')
          .replaceAll('FROM events', 'FROM analytics.events'),
      ),
    ).toEqual([{ orders: 2, events: 2, partitions: 0 }]);
  });

  test('the tenant condition is an index condition, and prunes partitions', async () => {
    await twoTenants();
    await db.loader(
      `INSERT INTO analytics.orders SELECT i, gen_random_uuid(), i FROM generate_series(10, 20000) i; ANALYZE analytics.orders`,
    );
    const plan = async (query: string) =>
      (
        await db.tenant<{ 'QUERY PLAN': string }>(
          ACME.id,
          `EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) ${query}`,
        )
      )
        .map((row) => row['QUERY PLAN'])
        .join('\n');
    expect(await plan('SELECT sum(amount) FROM orders')).toMatch(/Index Cond: \(tenant_id = /);
    expect(await plan('SELECT * FROM events')).toMatch(/Seq Scan on events_tz81mm[^\n]*\(never executed\)/);
  });

  test('two runs at once wait for each other', async () => {
    await run(db.desired([], TABLES, CELL));
    await db.loader(CREATE_TABLES);
    const desired = db.desired([ACME, BOLT], TABLES);
    const [first, second] = await Promise.all([run(desired), run(desired)]);
    expect([first.changes.length, second.changes.length].filter((n) => n === 0)).toHaveLength(1);
  });

  test('no password is ever part of a statement, a log line or an error', async () => {
    const statements: string[] = [];
    log.mockClear();
    const desired = db.desired([ACME, BOLT], TABLES);
    await reconcile(desired, db.environment, { onStatement: (text) => statements.push(text) });
    server.secrets.set(`superset/tenant/${BOLT.id}/db_credentials`, { username: 'tenant_x', password: 'hush' });
    const message = await failure(desired);
    expect(statements.join()).toContain('SCRAM-SHA-256$');
    const seen = [...statements, ...log.mock.calls.flat(), message].join('\n');
    for (const { password } of server.secrets.values()) expect(seen).not.toContain(password);
    expect([...log.mock.calls.flat(), message].join('\n')).not.toContain('SCRAM');
  });
});
