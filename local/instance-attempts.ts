import { connect as connectByTls } from 'node:tls';
import { metadataDatabaseName } from '../lib/provisioning/desired-databases';
import { TenantMetadataSecret } from '../lib/tenant/tenant-metadata-secret';
import { Account } from './account';
import { DemoUser } from './demo-users';
import { ExampleTenant } from './example-environment';
import { LocalCloud } from './local-cloud';
import { Login, connect } from './login';
import { PlatformAdministrator } from './platform-administrator';
import { Superset } from './superset';
import { guestToken } from './superset-proof';
import { SupersetSession } from './superset-session';

/** What the instance of one tenant, and its people, tried at that of another. */
export interface InstanceProof {
  readonly tenant: ExampleTenant;
  readonly victim: ExampleTenant;
  readonly attempts: string[];
  /** What is wrong. */
  readonly failures: string[];
}

/** A tenant with its own Superset, somebody who is signed in there, a guest, and what its tasks hold. */
interface Inhabitant {
  readonly tenant: ExampleTenant;
  readonly superset: Superset;
  readonly user: DemoUser;
  readonly analyst: SupersetSession;
  readonly guest: SupersetSession;
  readonly dashboard: number;
  readonly environment: Record<string, string>;
  readonly metadata: Login;
}

/** Proves that what opens one instance opens no other: cookies, guest tokens, passwords, keys, and the logins of its servers. */
export async function proveApart(
  cloud: LocalCloud,
  account: Account,
  tenants: ExampleTenant[],
  users: DemoUser[],
  platforms: ReadonlyMap<Superset, PlatformAdministrator>,
): Promise<InstanceProof[]> {
  const inhabitants = await Promise.all(
    tenants.map((tenant) => move(cloud, account, tenant, users, platforms.get(cloud.supersetOf(tenant.id))!)),
  );
  try {
    const proofs = inhabitants.map(async (me, index) => {
      const victim = inhabitants[(index + 1) % inhabitants.length];
      const outcomes = await Promise.all(
        Object.entries(ATTEMPTS).map(async ([what, attempt]) => ({
          what,
          failure: await failureOf(attempt, me, victim),
        })),
      );
      return {
        tenant: me.tenant,
        victim: victim.tenant,
        attempts: outcomes.map(({ what }) => what),
        failures: outcomes.flatMap(({ what, failure }) => (failure ? [`the attempt to ${what}: ${failure}`] : [])),
      };
    });
    return await Promise.all(proofs);
  } finally {
    inhabitants.forEach(({ analyst, guest }) => [analyst, guest].forEach((session) => session.close()));
  }
}

async function move(
  cloud: LocalCloud,
  account: Account,
  tenant: ExampleTenant,
  users: DemoUser[],
  platform: PlatformAdministrator,
): Promise<Inhabitant> {
  const superset = cloud.supersetOf(tenant.id);
  const user = users.find((each) => each.tenant === tenant.id && each.role === 'analyst')!;
  const analyst = await SupersetSession.signIn(superset, user);
  const { ids } = (await analyst.get('/api/v1/dashboard/')).json<{ ids: number[] }>();
  const administrator = await SupersetSession.signIn(superset, platform);
  const guest = SupersetSession.guest(superset, await guestToken(administrator, ids[0]));
  administrator.close();
  const login = await account.databaseSecret(TenantMetadataSecret.nameFor(tenant.id));
  if (!login) throw new Error(`the Superset of tenant ${tenant.id} has no login to its metadata`);
  const environment = await superset.environment();
  const metadata = { ...login, caFile: cloud.shardsCaFile };
  return { tenant, superset, user, analyst, guest, dashboard: ids[0], environment, metadata };
}

/** Answers what is wrong, if anything. Each shows first that it works at home: what works nowhere proves nothing. */
type Attempt = (me: Inhabitant, victim: Inhabitant) => Promise<string | undefined>;

const ATTEMPTS: Record<string, Attempt> = {
  'present the cookie of its analyst here': (me, victim) => presented(victim.analyst, me.superset, '/api/v1/me/'),
  'present the token of its guest here': (me, victim) =>
    presented(victim.guest, me.superset, `/api/v1/dashboard/${victim.dashboard}`),
  'sign in here with its password': async (me, { user }) => {
    try {
      (await SupersetSession.signIn(me.superset, user)).close();
      return 'it is signed in';
    } catch (error) {
      return /cannot sign in/.test((error as Error).message) ? undefined : String(error);
    }
  },
  'have the keys that it has': async ({ environment: own }, { environment: its }) => {
    const same = KEYS.filter((name) => !own[name] || own[name] === its[name]);
    return same.length > 0 ? `${same.join(', ')} of both are the same` : undefined;
  },
  'enter its cache with the own token': async ({ environment: own }, { environment: its }) => {
    const home = await enterCache(its, its.SUPERSET_CACHE_TOKEN);
    if (!home.startsWith('+OK')) return `its own token is refused, too (${home})`;
    const answer = await enterCache(its, own.SUPERSET_CACHE_TOKEN);
    return answer.startsWith('-WRONGPASS') ? undefined : `the cache answers ${answer}`;
  },
  'enter its metadata with the own login': (me, victim) =>
    entered(
      { ...me.metadata, host: victim.metadata.host, port: victim.metadata.port },
      metadataDatabaseName(victim.tenant.id),
      me.metadata,
    ),
};

const KEYS = [
  'SUPERSET_SECRET_KEY',
  'SUPERSET_GUEST_TOKEN_SECRET',
  'SUPERSET_ASYNC_QUERIES_SECRET',
  'SUPERSET_CACHE_TOKEN',
];

function failureOf(attempt: Attempt, me: Inhabitant, victim: Inhabitant): Promise<string | undefined> {
  return attempt(me, victim).catch((error: Error) => `it ended with ${error.message}`);
}

async function presented(session: SupersetSession, elsewhere: Superset, path: string): Promise<string | undefined> {
  const home = await session.get(path);
  if (home.status !== 200) return `at home it is refused, too (${home})`;
  const stranger = session.at(elsewhere);
  const answer = await stranger.get(path);
  stranger.close();
  return [401, 403, 404].includes(answer.status) ? undefined : `the answer is ${answer}`;
}

/** What a cache answers to a token. */
function enterCache(
  { SUPERSET_CACHE_HOST: host, SUPERSET_CACHE_PORT: port }: Record<string, string>,
  token: string,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connectByTls({ host, port: Number(port), rejectUnauthorized: false }, () =>
      socket.write(`AUTH ${token}\r\n`),
    );
    socket.setEncoding('utf8').once('data', (answer) => {
      socket.destroy();
      resolve(String(answer).trim());
    });
    socket.once('error', reject);
  });
}

async function entered(login: Login, database: string, home: Login): Promise<string | undefined> {
  await (await connect(home)).end();
  try {
    await (await connect({ ...login, database })).end();
    return `it is in database ${database}`;
  } catch (error) {
    const { code } = error as { code?: string };
    // Not this role's to enter; or, on a server of another instance, nobody of that name.
    return ['42501', '28P01', '28000'].includes(code ?? '') ? undefined : `it ended with ${(error as Error).message}`;
  }
}
