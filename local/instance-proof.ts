import { once } from 'node:events';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { connect as connectTls } from 'node:tls';
import { metadataDatabaseName, tenantDatabaseName } from '../lib/provisioning/desired-databases';
import { AdminLoginSecret } from '../lib/tenant/admin-login-secret';
import { TenantMetadataSecret } from '../lib/tenant/tenant-metadata-secret';
import { Account } from './account';
import { Attempt, failureOf } from './attempts';
import { DemoUser } from './demo-users';
import { ExampleTenant } from './example-environment';
import { Login, connect } from './login';
import { PlatformAdministrator } from './platform-administrator';
import { Superset } from './superset';
import { rowsOf, sqlLab } from './superset-queries';
import { SupersetSession } from './superset-session';
import { whileAsking } from './while-asking';

/** A tenant's own Superset, with who is there. */
export interface Instance {
  readonly tenant: ExampleTenant;
  readonly superset: Superset;
  readonly users: DemoUser[];
  readonly platform: PlatformAdministrator;
  /** The tenant's login in PostgreSQL. */
  readonly login: Login;
  /** Rows that its analyst counts in the table `orders`. */
  readonly orders: number;
}

/** What one instance has that another must not take, and what is wrong. */
export interface InstanceProof {
  readonly tenant: ExampleTenant;
  readonly checks: string[];
  readonly failures: string[];
}

interface Check {
  readonly what: string;
  /** What is wrong, if anything. */
  failure(): Promise<string | undefined>;
}

/** Proves for each instance that what it has of keys, passwords and tokens opens nothing at the next one. */
export async function proveInstances(instances: Instance[], account: Account): Promise<InstanceProof[]> {
  const proofs: InstanceProof[] = [];
  for (const [i, own] of instances.entries()) {
    const other = instances[(i + 1) % instances.length];
    const checks = own === other ? [] : await checksOf(own, other, account);
    const failures: string[] = [];
    for (const { what, failure } of checks) {
      const wrong = await failure().catch((error: Error) => error.message);
      if (wrong) failures.push(`${what}: ${wrong}`);
    }
    proofs.push({ tenant: own.tenant, checks: checks.map(({ what }) => what), failures });
  }
  return proofs;
}

/** Proves that an instance serves while the web server of another is killed and comes back. */
export async function proveCrash(crashing: Instance, serving: Instance, healthPath: string): Promise<InstanceProof> {
  const analyst = await SupersetSession.signIn(serving.superset, analystOf(serving));
  const ask = await askForOrders(serving, analyst);
  let wasDown = false;
  const { right, failed } = await whileAsking(ask, async () => {
    await crashing.superset.tasks.web.kill();
    wasDown = (await SupersetSession.ask(crashing.superset, healthPath)).status >= 500;
    await crashing.superset.healthy(healthPath);
  });
  analyst.close();
  const failures = [
    ...failed.map((failure) => `while ${crashing.tenant.id} was down, it answered ${failure}`),
    ...(wasDown ? [] : [`the web server of ${crashing.tenant.id} was killed, and answered nevertheless`]),
    ...(right < LEAST_ANSWERS ? [`it answered ${right} times only, which proves nothing`] : []),
  ];
  const what = `serve while the web server of ${crashing.tenant.id} is killed and comes back (${right} answers)`;
  return { tenant: serving.tenant, checks: [what], failures };
}

const LEAST_ANSWERS = 10;

/** Asks as an analyst of an instance for the number of its orders; an answer that is not right says why. */
export async function askForOrders(
  { orders }: Instance,
  analyst: SupersetSession,
): Promise<() => Promise<string | undefined>> {
  const [database] = (await analyst.get('/api/v1/database/')).json<{ ids: number[] }>().ids;
  return async () => {
    const answer = await sqlLab(analyst, database, 'SELECT count(*) AS n FROM analytics.orders');
    return rowsOf(answer) === String(orders) ? undefined : rowsOf(answer);
  };
}

/** The analyst of an instance. */
export function analystOf({ tenant, users }: Instance): DemoUser {
  const analyst = users.find(({ role }) => role === 'analyst');
  if (!analyst) {
    throw new Error(`tenant ${tenant.id} has no analyst`);
  }
  return analyst;
}

async function checksOf(own: Instance, other: Instance, account: Account): Promise<Check[]> {
  const [ownVariables, otherVariables] = await Promise.all([own.superset.environment(), other.superset.environment()]);
  return [
    ...KEYS.map((name) => ({
      what: `has a ${name} of its own`,
      failure: async () => sameKey(name, ownVariables, otherVariables),
    })),
    {
      what: "opens its own cache, and not the other's, with its token",
      failure: () => wrongCache(ownVariables, otherVariables),
    },
    ...(await loginsOf(own, account)).map(({ whose, ...login }) => ({
      what: `knows its ${whose}, whom the other does not know`,
      failure: () => wrongPlace(login, own.superset, other.superset),
    })),
    ...(await onMetadata(own, other, account)),
  ];
}

/** Variables of each task whose values are secrets of the instance. */
const KEYS = [
  'SUPERSET_SECRET_KEY',
  'SUPERSET_GUEST_TOKEN_SECRET',
  'SUPERSET_ASYNC_QUERIES_SECRET',
  'SUPERSET_CACHE_TOKEN',
] as const;

type Variables = Record<string, string | undefined>;

function sameKey(name: (typeof KEYS)[number], own: Variables, others: Variables): string | undefined {
  const fingerprint = (variables: Variables, key: string) =>
    createHash('sha256')
      .update(variables[key] ?? '')
      .digest('hex');
  const isKey = (own[name] ?? '').length >= 32;
  const taken = KEYS.filter((each) => fingerprint(others, each) === fingerprint(own, name));
  return isKey && taken.length === 0 ? undefined : `it is ${isKey ? `the other's ${taken.join()}` : 'none'}`;
}

async function wrongCache(own: Variables, others: Variables): Promise<string | undefined> {
  const token = own.SUPERSET_CACHE_TOKEN ?? '';
  const here = await authenticate(own, token);
  const there = await authenticate(others, token);
  return here === '+OK' && there.startsWith('-WRONGPASS') ? undefined : `answered ${here} here and ${there} there`;
}

/** What a cache answers to a token. */
async function authenticate(variables: Variables, token: string): Promise<string> {
  const { SUPERSET_CACHE_HOST: host, SUPERSET_CACHE_PORT: port, SSL_CERT_FILE: caFile = '' } = variables;
  const socket = connectTls({ host, port: Number(port), ca: readFileSync(caFile) });
  try {
    await once(socket, 'secureConnect');
    socket.write(`AUTH ${token}\r\n`);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    return answer.toString().trim();
  } finally {
    socket.destroy();
  }
}

async function loginsOf({ tenant, users, platform }: Instance, account: Account) {
  const administrator = await account.databaseSecret(AdminLoginSecret.nameFor(tenant.id));
  if (!administrator) {
    throw new Error(`tenant ${tenant.id} has no administrator's login`);
  }
  const logins = [
    { whose: "tenant's administrator", ...administrator },
    { whose: "platform's administrator", ...platform },
  ];
  return [...logins, ...users.map((user) => ({ whose: user.role, ...user }))].map(({ whose, username, password }) => ({
    whose,
    username,
    password,
  }));
}

async function wrongPlace(
  login: { readonly username: string; readonly password: string },
  own: Superset,
  other: Superset,
): Promise<string | undefined> {
  const here = await SupersetSession.trySignIn(own, login);
  const there = await SupersetSession.trySignIn(other, login);
  return here.status === 200 && there.status === 401 ? undefined : `answered ${here} here and ${there} there`;
}

/** The login of Superset itself, with which it keeps its metadata. */
async function onMetadata(own: Instance, other: Instance, account: Account): Promise<Check[]> {
  const secret = await account.databaseSecret(TenantMetadataSecret.nameFor(own.tenant.id));
  if (!secret) {
    throw new Error(`the Superset of ${own.tenant.id} has no login for its metadata`);
  }
  const login = { ...secret, caFile: own.login.caFile };
  const { host, port } = other.login;
  const attempts: Attempt[] = [
    { what: "open the other's metadata", as: { host, port, database: metadataDatabaseName(other.tenant.id) } },
    { what: "open the other's data", as: { host, port, database: tenantDatabaseName(other.tenant.id) } },
    { what: "open the tenant's data", as: { database: tenantDatabaseName(own.tenant.id) } },
    { what: 'open the books of the provisioner', as: { database: 'tenancy' } },
  ].map((attempt) => ({ ...attempt, sql: 'SELECT 1', mustBe: 'refused' }));
  return [
    { what: 'Superset opens its own metadata with its login', failure: () => opens(login) },
    ...attempts.map((attempt) => ({
      what: `Superset cannot ${attempt.what} with it`,
      failure: () => failureOf(attempt, login),
    })),
  ];
}

async function opens(login: Login): Promise<undefined> {
  const client = await connect(login);
  await client.end();
}
