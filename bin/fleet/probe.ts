import { Agent, request } from 'node:https';
import { text } from 'node:stream/consumers';
import { Deployments } from './deployed';
import { InstanceStack } from './fleet-stacks';

/** What a probe of an instance found: why it does not serve, or what it could not look at. */
export interface Probed {
  readonly fault?: string;
  readonly note?: string;
}

/** Whether an instance serves; a rollout asks it again and again. */
export type Probe = (instance: Pick<InstanceStack, 'url' | 'tenant' | 'name' | 'region'>) => Promise<Probed>;

/** What a probe and the alarms say together. */
export function faultsOf(fault: string | undefined, ringing: string[]): string[] {
  return [...(fault ? [fault] : []), ...ringing.map((alarm) => `alarm ${alarm} rings`)];
}

const SECONDS = 20;

/**
 * Asks for health, signs in as the tenant's first administrator, and runs a query in the tenant's database.
 *
 * @param agent how to connect. @default - as Node.js does
 */
export function synthetic(deployments: Pick<Deployments, 'adminLogin'>, agent?: Agent): Probe {
  return async ({ url, ...stack }) => {
    try {
      const visitor = new Visitor(url, agent);
      return await visit(visitor, await deployments.adminLogin(stack));
    } catch (error) {
      return { fault: (error as Error).message };
    }
  };
}

async function visit(
  visitor: Visitor,
  { username, password }: { username: string; password: string },
): Promise<Probed> {
  await visitor.expect('GET', '/health');
  const page = await visitor.expect('GET', '/login/');
  const token = /name="csrf_token"[^>]*value="([^"]+)"/.exec(page)?.[1] ?? '';
  await visitor.ask('POST', '/login/', new URLSearchParams({ username, password, csrf_token: token }));
  if ((await visitor.ask('GET', '/api/v1/me/')).status === 401) {
    return { note: 'not signed in: its administrator has another password than the secret' };
  }
  const { ids } = JSON.parse(await visitor.expect('GET', '/api/v1/database/')) as { ids: number[] };
  const { result } = JSON.parse(await visitor.expect('GET', '/api/v1/security/csrf_token/')) as { result: string };
  const query = { database_id: ids[0], sql: 'SELECT 1 AS one', runAsync: false, client_id: `p${Date.now() % 1e9}` };
  await visitor.expect('POST', '/api/v1/sqllab/execute/', query, result);
  return {};
}

/** Somebody at Superset, with cookies. */
class Visitor {
  private readonly cookies = new Map<string, string>();

  constructor(
    private readonly url: string,
    private readonly agent?: Agent,
  ) {}

  /** What it answers; throws unless that is a success. */
  public async expect(method: string, path: string, body?: object, csrfToken?: string): Promise<string> {
    const { status, content } = await this.ask(method, path, body, csrfToken);
    if (status === 200) return content;
    throw new Error(`${path} answers ${status} ${content.replaceAll(/\s+/g, ' ').slice(0, 200)}`);
  }

  public ask(method: string, path: string, body?: object, csrfToken?: string) {
    const isForm = body instanceof URLSearchParams;
    const headers = {
      referer: `${this.url}/`,
      cookie: [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; '),
      ...(body && { 'content-type': isForm ? 'application/x-www-form-urlencoded' : 'application/json' }),
      ...(csrfToken && { 'x-csrftoken': csrfToken }),
    };
    const signal = AbortSignal.timeout(SECONDS * 1_000);
    return new Promise<{ status: number; content: string }>((resolve, reject) => {
      const outgoing = request(`${this.url}${path}`, { method, headers, signal, agent: this.agent }, (response) => {
        response.headers['set-cookie']?.forEach((cookie) => this.keep(cookie));
        text(response).then((content) => resolve({ status: response.statusCode ?? 0, content }), reject);
      });
      outgoing.once('error', reject);
      outgoing.end(body && (isForm ? body.toString() : JSON.stringify(body)));
    });
  }

  private keep(cookie: string): void {
    const [pair] = cookie.split(';');
    const end = pair.indexOf('=');
    this.cookies.set(pair.slice(0, end), pair.slice(end + 1));
  }
}
