import { readFileSync } from 'node:fs';
import { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';
import { Agent, request } from 'node:https';
import { text } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { onLoopback } from './load-balancer';
import { Superset } from './superset';

const ANSWER_SECONDS = 60;

/** What Superset answers. */
export class Answer {
  constructor(
    private readonly request: string,
    public readonly status: number,
    public readonly text: string,
    public readonly headers: IncomingHttpHeaders,
  ) {}

  /** Whether the text is of such a type, `json` or `csv`. */
  public is(type: string): boolean {
    return this.headers['content-type']?.includes(type) ?? false;
  }

  /** What the answer holds; throws with the answer itself, unless it is a success in JSON. */
  public json<Content>(): Content {
    if (this.status >= 300 || !this.is('json')) {
      throw new Error(`Superset answered ${this.request} with ${this}`);
    }
    return JSON.parse(this.text) as Content;
  }

  /** Status and text on one line, for a message. */
  public toString(): string {
    return `${this.status} ${this.text.replaceAll(/\s+/g, ' ').slice(0, 300)}`;
  }
}

/** Somebody at Superset, as a browser: with cookies, a CSRF token and a referrer, over TLS with the certificate verified. */
export class SupersetSession {
  /** Signs in on the page that is there for it. */
  public static async signIn(
    superset: Superset,
    { username, password }: { readonly username: string; readonly password: string },
  ): Promise<SupersetSession> {
    const session = new SupersetSession(superset);
    const answer = await session.fillIn(username, password);
    if ((await session.get('/api/v1/me/')).status !== 200) {
      throw new Error(`${username} cannot sign in to Superset, which answered ${answer}`);
    }
    const { result } = (await session.get('/api/v1/security/csrf_token/')).json<{ result: string }>();
    session.headers['x-csrftoken'] = result;
    return session;
  }

  /** Who somebody is who tries a name and a password on that page: the answer to that question. */
  public static async trySignIn(
    superset: Superset,
    { username, password }: { readonly username: string; readonly password: string },
  ): Promise<Answer> {
    const session = new SupersetSession(superset);
    try {
      await session.fillIn(username, password);
      return await session.get('/api/v1/me/');
    } finally {
      session.close();
    }
  }

  /** A guest, with the token that the embedding page hands it. */
  public static guest(superset: Superset, token: string): SupersetSession {
    const session = new SupersetSession(superset);
    session.headers['x-guesttoken'] = token;
    return session;
  }

  /** The same cookies and tokens, presented to another Superset. */
  public at(superset: Superset): SupersetSession {
    const session = new SupersetSession(superset);
    Object.assign(session.headers, this.headers, { referer: `${superset.url}/` });
    this.cookies.forEach((value, name) => session.cookies.set(name, value));
    return session;
  }

  private readonly agent: Agent;
  private readonly headers: Record<string, string>;
  private readonly cookies = new Map<string, string>();

  private constructor(private readonly superset: Superset) {
    this.agent = new Agent({ ca: readFileSync(superset.caFile), keepAlive: true, lookup: onLoopback });
    this.headers = { referer: `${superset.url}/` };
  }

  public get(path: string): Promise<Answer> {
    return this.send('GET', path);
  }

  public post(path: string, body: object): Promise<Answer> {
    return this.send('POST', path, JSON.stringify(body), 'application/json');
  }

  public postForm(path: string, form: Record<string, string>): Promise<Answer> {
    return this.send('POST', path, new URLSearchParams(form).toString(), 'application/x-www-form-urlencoded');
  }

  public put(path: string, body: object): Promise<Answer> {
    return this.send('PUT', path, JSON.stringify(body), 'application/json');
  }

  public delete(path: string): Promise<Answer> {
    return this.send('DELETE', path);
  }

  /** Closes the connections. */
  public close(): void {
    this.agent.destroy();
  }

  private async fillIn(username: string, password: string): Promise<Answer> {
    const page = await this.get('/login/');
    const csrfToken = /name="csrf_token"[^>]*value="([^"]+)"/.exec(page.text)?.[1] ?? '';
    let answer: Answer;
    do {
      answer = await this.postForm('/login/', { username, password, csrf_token: csrfToken });
    } while (answer.status === 429 && (await pause(1_000, true))); // so many may sign in a second
    return answer;
  }

  private async send(method: string, path: string, body?: string, type?: string): Promise<Answer> {
    const headers: OutgoingHttpHeaders = { ...this.headers };
    if (body !== undefined) {
      headers['content-type'] = type;
      headers['content-length'] = Buffer.byteLength(body);
    }
    if (this.cookies.size > 0) {
      headers.cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    }
    const signal = AbortSignal.timeout(ANSWER_SECONDS * 1_000);
    const outgoing = request(this.superset.url + path, { method, headers, signal, agent: this.agent });
    return new Promise((resolve, reject) => {
      outgoing.once('error', reject);
      outgoing.once('response', (response) => {
        response.headers['set-cookie']?.forEach((cookie) => this.keep(cookie));
        text(response).then(
          (content) => resolve(new Answer(`${method} ${path}`, response.statusCode ?? 0, content, response.headers)),
          reject,
        );
      });
      outgoing.end(body);
    });
  }

  private keep(cookie: string): void {
    const [pair] = cookie.split(';');
    const end = pair.indexOf('=');
    this.cookies.set(pair.slice(0, end), pair.slice(end + 1));
  }
}
