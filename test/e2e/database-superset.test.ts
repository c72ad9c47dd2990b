import { DescribeKeyCommand, DisableKeyCommand, EnableKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { escapeIdentifier as identifier, escapeLiteral as literal } from 'pg';
import { EnvironmentFile } from '../../lib/environment/environment-file';
import { TenantKey } from '../../lib/tenant/tenant-key';
import { tenantSecretName } from '../../local/deployment';
import { REPOSITORY } from '../../local/directories';
import { withExampleData } from '../../local/example-environment';
import { LocalCloud } from '../../local/local-cloud';
import { connect } from '../../local/login';
import { Progress, deployAndProve } from '../../local/steps';
import { rowsOf } from '../../local/superset-queries';
import { SupersetSession } from '../../local/superset-session';
import { stopUnrefused } from './environment-under-test';

// The example with a database for each tenant, deployed and proved once; then it is hurt while two tenants go on asking.

jest.setTimeout(600_000);

const EXAMPLE = join(REPOSITORY, 'examples', 'database-per-tenant');
const environment = withExampleData(EnvironmentFile.load(join(EXAMPLE, 'environments', 'demo.yaml')));
const [one, two] = ['tz81mm', 'tq7b3x'];

const cloud = LocalCloud.for(environment, 'Superset-demo');
const sessions = new Map<string, SupersetSession>();
let progress: Progress;

beforeAll(async () => {
  progress = await deployAndProve(EXAMPLE, 'demo', { environment, cloud });
  for (const user of progress.users.filter(({ role }) => role === 'analyst')) {
    sessions.set(user.tenant, await SupersetSession.signIn(cloud.superset, user));
  }
});

afterAll(async () => {
  sessions.forEach((session) => session.close());
  await stopUnrefused(cloud, { example: environment.model });
});

const analyst = (tenant: string) => sessions.get(tenant) as SupersetSession;
const ordersOf = (tenant: string) => progress.proofs.find((proof) => proof.tenant.id === tenant)!.counted.orders;

/** The charts that all tenants share, by name. */
async function chartsOf(tenant: string): Promise<Map<string, number>> {
  const answer = await analyst(tenant).get('/api/v1/chart/?q=(page_size:100)');
  const { result } = answer.json<{ result: { id: number; slice_name: string }[] }>();
  return new Map(result.map(({ id, slice_name: name }) => [name, id]));
}

/** Asks for a tenant's number of orders again and again while something happens; answers what went wrong. */
async function whileAsking(tenants: string[], happening: () => Promise<void>) {
  const seen = { right: 0, failed: [] as string[], wrong: [] as string[] };
  let stopped = false;
  const asking = tenants.map(async (tenant) => {
    const chart = (await chartsOf(tenant)).get('Orders');
    while (!stopped) {
      const answer = await analyst(tenant).get(`/api/v1/chart/${chart}/data/?force=true`);
      if (answer.status !== 200) seen.failed.push(`${tenant}: ${answer}`);
      else if (rowsOf(answer) !== String(ordersOf(tenant))) seen.wrong.push(`${tenant}: ${rowsOf(answer)}`);
      else seen.right++;
    }
  });
  await pause(1_000);
  await happening();
  await pause(2_000);
  stopped = true;
  await Promise.all(asking);
  return seen;
}

async function asSuperuser<Row>(sql: string): Promise<Row[]> {
  const { host, port, caFile, superuser } = cloud.postgres;
  const client = await connect({ ...superuser, host, port: String(port), database: 'postgres', caFile });
  try {
    return (await client.query(sql)).rows as Row[];
  } finally {
    await client.end();
  }
}

test('each tenant reads its own rows by every way, and every attempt on another fails', () => {
  const failures = [...progress.proofs, ...progress.supersetProofs].flatMap((proof) => proof.failures);

  expect(failures).toEqual([]);
  expect(progress.supersetProofs.map(({ read }) => read.dashboard)).toEqual(
    progress.proofs.flatMap(({ counted }) => {
      const rows = Object.values(counted).reduce((sum, each) => sum + each);
      return [rows, rows, rows];
    }),
  );
});

test('the content that was designed over shared tables serves a tenant from its own database', async () => {
  for (const tenant of [one, two]) {
    const charts = await chartsOf(tenant);
    expect([...charts.keys()]).toEqual(expect.arrayContaining(['Orders', 'Revenue by month', 'Latest notes']));
    for (const [name, id] of charts) {
      const answer = await analyst(tenant).get(`/api/v1/chart/${id}/data/?force=true`);
      expect([name, answer.status]).toEqual([name, 200]);
    }
    const answer = await analyst(tenant).get(`/api/v1/chart/${charts.get('Orders')}/data/?force=true`);
    expect(rowsOf(answer)).toBe(String(ordersOf(tenant)));
  }
  expect(ordersOf(one)).not.toBe(ordersOf(two));
});

test('Superset comes by the proxies only, with no more connections than a tenant may have', async () => {
  const sessions = await asSuperuser<{ role: string; port: number; most: number }>(
    `SELECT usename AS role, client_port AS port, rolconnlimit AS most
       FROM pg_stat_activity JOIN pg_roles ON rolname = usename WHERE usename LIKE 'tenant\\_%'`,
  );
  const roles = [...new Set(sessions.map(({ role }) => role))].sort();
  expect(roles).toEqual([`tenant_${two}`, `tenant_${one}`]);
  for (const role of roles) {
    const own = sessions.filter((session) => session.role === role);
    expect(own.length).toBeLessThanOrEqual(own[0].most);
  }
  const ofProxies = await portsOfProxies();
  expect(sessions.filter(({ port }) => !ofProxies.has(port))).toEqual([]);
});

/** Ports that the proxies connect to their servers from. */
async function portsOfProxies(): Promise<Set<number>> {
  const ports = [...cloud.proxies.values()].map(async ({ host, port, caFile, administrator }) => {
    const client = await connect({ ...administrator, host, port: String(port), database: 'pgbouncer', caFile });
    try {
      return (await client.query<{ local_port: number }>('SHOW SERVERS')).rows.map((row) => row.local_port);
    } finally {
      await client.end();
    }
  });
  return new Set((await Promise.all(ports)).flat());
}

test('a secret that is rotated costs no failed query beyond the one in flight', async () => {
  const secrets = new SecretsManagerClient(cloud.emulator.sdk);
  const seen = await whileAsking([one, two], async () => {
    const login = progress.logins.get(one)!;
    const password = randomBytes(18).toString('base64url');
    await asSuperuser(`ALTER ROLE ${identifier(login.username)} PASSWORD ${literal(password)}`);
    const { username, host, port, database } = login;
    await secrets.send(
      new PutSecretValueCommand({
        SecretId: tenantSecretName(one),
        SecretString: JSON.stringify({ username, password, host, port, database }),
      }),
    );
    // New connections to the server, as a failover would make them.
    await asSuperuser(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = ${literal(login.username)} AND state = 'idle'`,
    );
  });

  expect(seen.wrong).toEqual([]);
  expect(seen.failed.filter((failure) => failure.startsWith(two))).toEqual([]);
  expect(seen.failed.length).toBeLessThanOrEqual(1);
  expect(seen.right).toBeGreaterThan(10);
});

test('a proxy that is restarted is used again, and nobody sees a foreign row meanwhile', async () => {
  const seen = await whileAsking([one, two], async () => {
    await Promise.all([...cloud.proxies.values()].map((proxy) => proxy.restart()));
  });

  expect(seen.wrong).toEqual([]);
  expect(seen.right).toBeGreaterThan(10);
  const after = await whileAsking([one, two], () => pause(500));
  expect(after.failed).toEqual([]);
});

test("a tenant's key that is disabled cuts this tenant off and no other, until it is enabled again", async () => {
  const owner = 'tk4q9w';
  const kms = new KMSClient(cloud.emulator.sdk);
  const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId: TenantKey.aliasFor(owner) }));
  const { KeyId } = KeyMetadata!;
  const orders = (await chartsOf(owner)).get('Orders');
  const ask = () => analyst(owner).get(`/api/v1/chart/${orders}/data/?force=true`);
  expect(rowsOf(await ask())).toBe(String(ordersOf(owner)));

  const seen = await whileAsking([one, two], async () => {
    await kms.send(new DisableKeyCommand({ KeyId }));
    // Within the minute that a login is kept for.
    const cutOff = await until(ask, ({ status }) => status !== 200);
    expect(cutOff.text).toContain("Access to your organisation's data is switched off");
  });
  expect(seen).toMatchObject({ failed: [], wrong: [] });
  expect(seen.right).toBeGreaterThan(10);

  await kms.send(new EnableKeyCommand({ KeyId }));
  const again = await until(ask, ({ status }) => status === 200);
  expect(rowsOf(again)).toBe(String(ordersOf(owner)));
});

async function until<Answer>(ask: () => Promise<Answer>, isIt: (answer: Answer) => boolean): Promise<Answer> {
  for (const deadline = Date.now() + 120_000; ; await pause(1_000)) {
    const answer = await ask();
    if (isIt(answer) || Date.now() > deadline) return answer;
  }
}
