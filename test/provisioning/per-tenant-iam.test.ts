import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Signer } from '@aws-sdk/rds-signer';
import { Client } from 'pg';
import { DesiredDatabases } from '../../lib/provisioning/desired-databases';
import {
  reconcileDatabases,
  reconcileStoredDatabases,
} from '../../lib/provisioning/handler/per-tenant/reconcile-databases';
import { IamFront, startIamFront } from '../../local/iam-front';
import { Servers, TestTenant, sqlState, startServers, tenantSecret } from './per-tenant-servers';

const REGION = 'eu-central-1';
const KEY = { accessKeyId: 'test', secretAccessKey: 'test' };
const MINUTE = 60_000;

describe.each([15, 17] as const)('tenants that log in with tokens of IAM, on PostgreSQL %i', (version) => {
  let servers: Servers;
  let front: IamFront;
  let caFile: string;
  let log: jest.SpyInstance;

  beforeAll(async () => {
    log = jest.spyOn(console, 'log').mockImplementation(() => undefined);
    servers = await startServers(version, 1);
    front = await startIamFront({ postgres: servers.serverOf('a'), name: `iam-${version}`, region: REGION, key: KEY });
    caFile = join(servers.directory, 'with-front.pem');
    writeFileSync(caFile, `${readFileSync(servers.serverOf('a').caFile, 'utf8')}\n${front.authority}`);
    process.env.DATABASE_CA_FILE = caFile;
  }, 60_000);

  afterEach(() => servers.clear(), 60_000);

  afterAll(async () => {
    await front?.stop();
    await servers?.stop();
    log.mockRestore();
  });

  /** As `desired` of the servers, which are behind the front; `iam` takes the secrets of the tenants away. */
  function desired(tenants: TestTenant[], { iam }: { readonly iam: boolean }): DesiredDatabases {
    const state = servers.desired(tenants, { servers: servers.servers({ port: String(front.port) }) });
    return iam ? { ...state, tenants: state.tenants.map((tenant) => ({ ...tenant, secret: undefined })) } : state;
  }

  interface Signed {
    readonly user?: string;
    readonly host?: string;
    readonly port?: number;
    readonly key?: { readonly accessKeyId: string; readonly secretAccessKey: string; readonly sessionToken?: string };
    /** Milliseconds since it was signed. */
    readonly age?: number;
  }

  async function token({
    user = 'tenant_acme',
    host = 'localhost',
    port = front.port,
    key = KEY,
    age = 0,
  }: Signed = {}) {
    const now = jest.spyOn(Date, 'now').mockReturnValue(Date.now() - age);
    jest.useFakeTimers({ now: Date.now(), doNotFake: ['nextTick', 'setImmediate', 'setTimeout', 'queueMicrotask'] });
    try {
      return await new Signer({
        hostname: host,
        port,
        username: user,
        region: REGION,
        credentials: key,
      }).getAuthToken();
    } finally {
      jest.useRealTimers();
      now.mockRestore();
    }
  }

  async function ask(password: string, { user = 'tenant_acme', database = 'tenant_acme', port = front.port } = {}) {
    const client = new Client({
      host: 'localhost',
      port,
      user,
      password,
      database,
      ssl: { ca: readFileSync(caFile, 'utf8') },
    });
    client.on('error', () => undefined);
    try {
      await client.connect();
      return (await client.query<{ who: string }>('SELECT session_user::text AS who')).rows[0].who;
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  const members = () =>
    servers.superuser<{ member: string }>(
      `SELECT member::regrole::text AS member FROM pg_auth_members
        WHERE roleid = 'rds_iam'::regrole AND NOT admin_option ORDER BY 1`,
    );

  test('are made without a password, and proved by a token of the function', async () => {
    await reconcileDatabases(desired([{ id: 'acme' }, { id: 'bolt' }], { iam: true }));

    expect(await members()).toEqual([{ member: 'tenant_acme' }, { member: 'tenant_bolt' }]);
    const passwords = await servers.superuser(
      `SELECT rolname FROM pg_authid WHERE rolname ~ '^tenant_' AND rolpassword IS NOT NULL`,
    );
    expect(passwords).toEqual([]);
    expect(new Set(front.taken.map((each) => /DBUser=(\w+)/.exec(each)?.[1]))).toEqual(
      new Set(['tenant_acme', 'tenant_bolt']),
    );
    const again = await reconcileDatabases(desired([{ id: 'acme' }, { id: 'bolt' }], { iam: true }));
    expect(again.changes).toEqual([]);
  }, 60_000);

  test('get in with their own token, and with nothing else', async () => {
    const secret = desired([{ id: 'acme' }], { iam: false });
    await reconcileDatabases(desired([{ id: 'acme' }, { id: 'bolt' }], { iam: true }));
    const { password } = servers.secrets.get(secret.tenants[0].secret as string) as { password: string };

    expect(await ask(await token())).toBe('tenant_acme');
    const refused: [word: string, why: RegExp][] = [
      [await token({ age: 16 * MINUTE }), /^it is 96\d.* seconds old$/],
      [await token({ age: -16 * MINUTE }), /^it is -9.* seconds old$/],
      [await token({ user: 'tenant_bolt' }), /^its DBUser is tenant_bolt$/],
      [await token({ host: 'elsewhere.example.com' }), /^it is for elsewhere/],
      [await token({ port: front.port + 1 }), /^it is for localhost:\d+$/],
      [await token({ key: { accessKeyId: 'test', secretAccessKey: 'another' } }), /^its signature is wrong$/],
      [await token({ key: { accessKeyId: 'another', secretAccessKey: 'test' } }), /^its X-Amz-Credential is another/],
      [await token({ key: { ...KEY, sessionToken: 'another' } }), /^it says X-Amz-Security-Token$/],
      [(await token()).replace('X-Amz-Expires=900', 'X-Amz-Expires=899'), /^its signature is wrong$/],
      [(await token()).replace(/&X-Amz-Signature=\w+/, ''), /^its signature is wrong$/],
      [password, /^it is no token$/],
      ['', /^it is no token$/],
    ];
    for (const [word, why] of refused) {
      expect(await sqlState(ask(word))).toBe('28000');
      expect(front.refusals.at(-1)).toMatch(why);
    }
    // At the server itself, too: no password, right or wrong, and no token.
    await servers.superuser(`ALTER ROLE tenant_acme PASSWORD 'a password that somebody set'`);
    const { port } = servers.serverOf('a');
    for (const word of ['a password that somebody set', await token({ port })]) {
      expect(await sqlState(ask(word, { port }))).toBe('28000');
    }
  }, 60_000);

  test('do not get into the database of another with their token', async () => {
    await reconcileDatabases(desired([{ id: 'acme' }, { id: 'bolt' }], { iam: true }));

    expect(await sqlState(ask(await token(), { database: 'tenant_bolt' }))).toBe('42501');
    expect(await sqlState(ask(await token(), { user: 'tenant_bolt', database: 'tenant_bolt' }))).toBe('28000');
  }, 60_000);

  test('keep their rows when they go from secrets to tokens and back', async () => {
    const bySecret = desired([{ id: 'acme', loader: true }], { iam: false });
    const byToken = desired([{ id: 'acme', loader: true }], { iam: true });
    await reconcileDatabases(bySecret);
    await servers.loader('acme', 'CREATE TABLE analytics.orders AS SELECT 7 AS number');
    const read = 'SELECT number FROM analytics.orders';
    expect(await servers.tenant('acme', read)).toEqual([{ number: 7 }]);

    await reconcileDatabases(byToken);
    expect(await sqlState(servers.tenant('acme', read))).toBe('28000');
    expect(await ask(await token())).toBe('tenant_acme');
    expect(await servers.loader('acme', read)).toEqual([{ number: 7 }]);

    await reconcileDatabases(bySecret);
    expect(await members()).toEqual([]);
    expect(await servers.tenant('acme', read)).toEqual([{ number: 7 }]);
    expect(await sqlState(ask(await token()))).toBe('28P01');
  }, 60_000);

  test('are put back to tokens when somebody gave them a password instead', async () => {
    await reconcileDatabases(desired([{ id: 'acme' }], { iam: true }));
    await servers.master(`REVOKE rds_iam FROM tenant_acme; ALTER ROLE tenant_acme PASSWORD 'by hand'`);
    const { port } = servers.serverOf('a');
    expect(await ask('by hand', { port })).toBe('tenant_acme');

    await reconcileStoredDatabases(servers.servers({ port: String(front.port) }));

    expect(await sqlState(ask('by hand', { port }))).toBe('28000');
    expect(await ask(await token())).toBe('tenant_acme');
  }, 60_000);

  test('are refused while the role of IAM has powers of its own', async () => {
    await servers.superuser('GRANT pg_read_all_data TO rds_iam');
    try {
      await expect(reconcileDatabases(desired([{ id: 'acme' }], { iam: true }))).rejects.toThrow(/powers beyond/);
    } finally {
      await servers.superuser('REVOKE pg_read_all_data FROM rds_iam');
    }
  }, 60_000);

  test('are not proved where the server takes no token of the function', async () => {
    const elsewhere = servers.servers({ port: String(servers.serverOf('a').port) });
    const state = { ...desired([{ id: 'acme' }], { iam: true }), servers: elsewhere };

    await expect(reconcileDatabases(state)).rejects.toThrow(/tenant acme/);
  }, 60_000);

  test('do not get in once they are removed, whatever their token says', async () => {
    await reconcileDatabases(desired([{ id: 'acme' }, { id: 'bolt' }], { iam: true }));
    await reconcileDatabases(desired([{ id: 'bolt' }], { iam: true }));

    expect(await sqlState(ask(await token()))).toBe('28000');
    expect(servers.secrets.has(tenantSecret('acme'))).toBe(true);
    expect(await ask(await token({ user: 'tenant_bolt' }), { user: 'tenant_bolt', database: 'tenant_bolt' })).toBe(
      'tenant_bolt',
    );
  }, 60_000);
});

describe.each([15, 16, 17] as const)(
  'tokens of IAM where RDS counts the master as a member, on PostgreSQL %i',
  (version) => {
    let servers: Servers;
    let log: jest.SpyInstance;

    beforeAll(async () => {
      log = jest.spyOn(console, 'log').mockImplementation(() => undefined);
      servers = await startServers(version, 1);
      // PostgreSQL's own rule for a group of pg_hba.conf: whoever is a member in any way, and has created it.
      await servers.serverOf('a').refuseLogins('all', '+tenancy_iam_trial');
    }, 60_000);

    afterAll(async () => {
      await servers?.stop();
      log.mockRestore();
    });

    test('are refused before anything is granted, and the provisioner can still log in', async () => {
      const desired = servers.desired([{ id: 'acme' }]);
      const byToken = { ...desired, tenants: desired.tenants.map((tenant) => ({ ...tenant, secret: undefined })) };
      const refusal =
        version === 15 ? /tenant acme/ : /server a, (connection, )?iam: RDS refuses the password of the master user/;

      await expect(reconcileDatabases(byToken)).rejects.toThrow(refusal);

      const members = await servers.superuser(
        `SELECT member::regrole::text FROM pg_auth_members WHERE roleid = 'rds_iam'::regrole AND NOT admin_option AND member::regrole::text ~ '^tena'`,
      );
      expect(members).toEqual(version === 15 ? [{ member: 'tenant_acme' }] : []);
      expect(await servers.superuser(`SELECT FROM pg_roles WHERE rolname = 'tenancy_iam_trial'`)).toEqual([]);
      await expect(servers.master('SELECT 1')).resolves.toHaveLength(1);
      if (version > 15) expect((await reconcileDatabases(desired)).changes).not.toEqual([]);
    }, 60_000);
  },
);
