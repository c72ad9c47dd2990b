import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect as connectByTls } from 'node:tls';
import { REGISTRY_DATABASE, metadataDatabaseName, tenantDatabaseName } from '../lib/provisioning/desired-databases';
import { AdminLoginSecret } from '../lib/tenant/admin-login-secret';
import { TenantMetadataSecret } from '../lib/tenant/tenant-metadata-secret';
import { Account } from './account';
import { failureOf as failureInPostgres } from './attempts';
import { DemoUser } from './demo-users';
import { ExampleTenant } from './example-environment';
import { LocalCloud } from './local-cloud';
import { DatabaseSecret, Login, connect } from './login';
import { PlatformAdministrator } from './platform-administrator';
import { Superset } from './superset';
import { SupersetSession } from './superset-session';

/** What the instance of one tenant tried with its own keys, passwords and logins at that of another. */
export interface InstanceProof {
  readonly tenant: ExampleTenant;
  readonly victim: ExampleTenant;
  readonly attempts: string[];
  /** What is wrong. */
  readonly failures: string[];
}

/** A tenant's own Superset, with what it and its people know. */
interface Household {
  readonly tenant: ExampleTenant;
  readonly superset: Superset;
  /** Names and passwords, by whose they are. */
  readonly people: Record<string, { readonly username: string; readonly password: string }>;
  /** The variables of its tasks. */
  readonly variables: Record<string, string>;
  /** Login of Superset to its metadata. */
  readonly metadata: Login;
}

/** Proves that the keys, passwords and logins of one instance are good for no other. */
export async function proveApart(
  cloud: LocalCloud,
  account: Account,
  tenants: ExampleTenant[],
  users: DemoUser[],
  platforms: ReadonlyMap<Superset, PlatformAdministrator>,
): Promise<InstanceProof[]> {
  const households = await Promise.all(
    tenants.map((tenant) => householdOf(cloud, account, tenant, users, platforms.get(cloud.supersetOf(tenant.id))!)),
  );
  const proofs = households.map(async (me, index) => {
    const victim = households[(index + 1) % households.length];
    const attempts = me === victim ? [] : attemptsOf(me, victim);
    const failures: string[] = [];
    for (const { what, failure } of attempts) {
      const wrong = await failure().catch((error: Error) => `it ended with ${error.message}`);
      if (wrong) failures.push(`the attempt to ${what}: ${wrong}`);
    }
    return { tenant: me.tenant, victim: victim.tenant, attempts: attempts.map(({ what }) => what), failures };
  });
  return Promise.all(proofs);
}

async function householdOf(
  cloud: LocalCloud,
  account: Account,
  tenant: ExampleTenant,
  users: DemoUser[],
  platform: PlatformAdministrator,
): Promise<Household> {
  const superset = cloud.supersetOf(tenant.id);
  const administrator = await secretOf(account, AdminLoginSecret.nameFor(tenant.id));
  const metadata = await secretOf(account, TenantMetadataSecret.nameFor(tenant.id));
  const own = users.filter((user) => user.tenant === tenant.id).map((user) => [user.role, user] as const);
  return {
    tenant,
    superset,
    people: { administrator, ...Object.fromEntries(own), "platform's administrator": platform },
    variables: await superset.environment(),
    metadata: { ...metadata, caFile: cloud.shardsCaFile },
  };
}

async function secretOf(account: Account, name: string): Promise<DatabaseSecret> {
  const secret = await account.databaseSecret(name);
  if (!secret) throw new Error(`there is no secret ${name}`);
  return secret;
}

/** What works nowhere proves nothing: each shows that it works at home, too. */
interface Attempt {
  readonly what: string;
  /** What is wrong, if anything. */
  failure(): Promise<string | undefined>;
}

function attemptsOf(me: Household, victim: Household): Attempt[] {
  return [
    ...Object.entries(me.people).map(([whose, person]) => ({
      what: `sign in there with the password of its ${whose}`,
      failure: () => signedIn(person, me.superset, victim.superset),
    })),
    ...KEYS.map((key) => ({
      what: `find its own ${key} there`,
      failure: async () => foundKey(me.variables[key], victim.variables),
    })),
    { what: 'enter its cache with the own token', failure: () => enteredCache(me.variables, victim.variables) },
    ...asSuperset(me, victim),
  ];
}

async function signedIn(
  person: { readonly username: string; readonly password: string },
  own: Superset,
  other: Superset,
): Promise<string | undefined> {
  const home = await SupersetSession.trySignIn(own, person);
  if (home.status !== 200) return `at home it is refused, too (${home})`;
  const answer = await SupersetSession.trySignIn(other, person);
  return answer.status === 401 ? undefined : `the answer is ${answer}`;
}

/** Variables of tasks whose values are secrets of the instance. */
const KEYS = [
  'SUPERSET_SECRET_KEY',
  'SUPERSET_GUEST_TOKEN_SECRET',
  'SUPERSET_ASYNC_QUERIES_SECRET',
  'SUPERSET_CACHE_TOKEN',
];

const KEY_LENGTH = 32;

function foundKey(key: string | undefined, its: Record<string, string>): string | undefined {
  if (!key || key.length < KEY_LENGTH) return 'the own one is none';
  const same = Object.keys(its).filter((name) => its[name] === key);
  return same.length > 0 ? `it is the other's ${same.join(', ')}` : undefined;
}

async function enteredCache(own: Record<string, string>, its: Record<string, string>): Promise<string | undefined> {
  const home = await authenticate(own, own.SUPERSET_CACHE_TOKEN);
  if (home !== '+OK') return `at home it is refused, too (${home})`;
  const answer = await authenticate(its, own.SUPERSET_CACHE_TOKEN);
  return answer.startsWith('-WRONGPASS') ? undefined : `the cache answers ${answer}`;
}

/** What a cache answers to a token. */
async function authenticate(variables: Record<string, string>, token: string): Promise<string> {
  const { SUPERSET_CACHE_HOST: host, SUPERSET_CACHE_PORT: port, SSL_CERT_FILE: caFile } = variables;
  const socket = connectByTls({ host, port: Number(port), ca: readFileSync(caFile) });
  try {
    await once(socket, 'secureConnect');
    socket.write(`AUTH ${token}\r\n`);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    return answer.toString().trim();
  } finally {
    socket.destroy();
  }
}

/** With the login by which Superset keeps its metadata. */
function asSuperset({ tenant, metadata }: Household, victim: Household): Attempt[] {
  const { host, port } = victim.metadata;
  const places: [string, Partial<Login>][] = [
    ["the other's metadata", { host, port, database: metadataDatabaseName(victim.tenant.id) }],
    ["the other's data", { host, port, database: tenantDatabaseName(victim.tenant.id) }],
    ["the own tenant's data", { database: tenantDatabaseName(tenant.id) }],
    ['the books of the provisioner', { database: REGISTRY_DATABASE }],
  ];
  return places.map(([what, as]) => ({
    what: `enter ${what} with the login to the own metadata`,
    failure: async () => {
      await (await connect(metadata)).end();
      return failureInPostgres({ what, as, sql: 'SELECT 1', mustBe: 'refused' }, metadata);
    },
  }));
}
