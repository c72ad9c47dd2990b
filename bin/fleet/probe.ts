import { Deployments } from './deployed';
import { InstanceStack } from './fleet-stacks';

/** What a probe of an instance found: why it does not serve, or what it could not look at. */
export interface Probed {
  readonly fault?: string;
  readonly note?: string;
}

/** Whether an instance serves; a rollout asks it again and again. */
export type Probe = (instance: InstanceStack) => Promise<Probed>;

const SECONDS = 20;

/** Asks for health, signs in as the tenant's first administrator, and runs a query in the tenant's database. */
export function synthetic(deployments: Deployments): Probe {
  return async (instance) => {
    try {
      return await probe(instance, deployments);
    } catch (error) {
      return { fault: error instanceof Error ? (error.cause ?? error.message).toString() : String(error) };
    }
  };
}

async function probe({ url, tenant, region }: InstanceStack, deployments: Deployments): Promise<Probed> {
  const health = await ask(`${url}/health`);
  if (health.status !== 200) return { fault: `/health answers ${health.status}` };
  const page = await ask(`${url}/login/`);
  const token = /name="csrf_token"[^>]*value="([^"]+)"/.exec(await page.text())?.[1];
  if (page.status !== 200 || !token) return { fault: `/login/ answers ${page.status}` };
  const { username, password } = await deployments.adminLogin(tenant, region);
  const signedIn = await ask(`${url}/login/`, {
    method: 'POST',
    headers: { cookie: cookieOf(page), referer: `${url}/` },
    body: new URLSearchParams({ username, password, csrf_token: token }),
  });
  const headers = { cookie: cookieOf(signedIn), referer: `${url}/`, 'content-type': 'application/json' };
  const me = await ask(`${url}/api/v1/me/`, { headers });
  if (me.status === 401) return { note: 'not signed in: its administrator has another password than the secret' };
  if (me.status !== 200) return { fault: `/api/v1/me/ answers ${me.status}` };
  const databases = await ask(`${url}/api/v1/database/`, { headers });
  const { ids = [] } = (await databases.json()) as { ids?: number[] };
  const csrf = await ask(`${url}/api/v1/security/csrf_token/`, { headers });
  const { result } = (await csrf.json()) as { result?: string };
  const query = await ask(`${url}/api/v1/sqllab/execute/`, {
    method: 'POST',
    headers: { ...headers, 'x-csrftoken': result ?? '' },
    body: JSON.stringify({
      database_id: ids[0],
      sql: 'SELECT 1 AS one',
      runAsync: false,
      client_id: `p${Date.now() % 1e9}`,
    }),
  });
  return query.status === 200
    ? {}
    : { fault: `a query answers ${query.status}: ${(await query.text()).slice(0, 200)}` };
}

function ask(url: string, init: RequestInit = {}): Promise<Response> {
  return fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(SECONDS * 1_000), ...init });
}

function cookieOf(response: Response): string {
  return response.headers
    .getSetCookie()
    .map((cookie) => cookie.split(';')[0])
    .join('; ');
}
