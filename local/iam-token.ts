import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

/** Of whom a token may be. */
export interface AccessKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Of temporary credentials, as tasks of ECS and functions of Lambda have them. */
  readonly sessionToken?: string;
}

/** What a token must have been signed for. */
export interface TokenUse {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly region: string;
  readonly key: AccessKey;
  /** @default - now */
  readonly at?: Date;
}

/** RDS User Guide, "IAM database authentication": a token lives for 15 minutes. */
const LONGEST_SECONDS = 15 * 60;

/**
 * What is wrong with a token of IAM database authentication, or undefined: a GET of `https://<host>:<port>/?Action=connect&DBUser=…`
 * that was signed in advance (IAM User Guide, "Create a signed AWS API request"), without its scheme.
 */
export function tokenProblem(token: string, use: TokenUse): string | undefined {
  const [, authority, query] = /^([^/?]+)\/\?(.*)$/s.exec(token) ?? [];
  if (authority === undefined) return 'it is no token';
  const given = new URLSearchParams(query);
  const at = given.get('X-Amz-Date') ?? '';
  const day = at.slice(0, 8);
  const scope = `${day}/${use.region}/rds-db/aws4_request`;
  const expected: Record<string, string> = {
    Action: 'connect',
    DBUser: use.user,
    'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
    'X-Amz-Credential': `${use.key.accessKeyId}/${scope}`,
    'X-Amz-SignedHeaders': 'host',
    ...(use.key.sessionToken !== undefined && { 'X-Amz-Security-Token': use.key.sessionToken }),
  };
  if (authority !== `${use.host}:${use.port}`) return `it is for ${authority}`;
  for (const [name, value] of Object.entries(expected)) {
    if (given.get(name) !== value) return `its ${name} is ${given.get(name)}`;
  }
  const allowed = [...Object.keys(expected), 'X-Amz-Date', 'X-Amz-Expires', 'X-Amz-Signature'];
  const odd = [...given.keys()].find((name) => !allowed.includes(name) || given.getAll(name).length > 1);
  if (odd) return `it says ${odd}`;
  const age = ((use.at ?? new Date()).getTime() - instantOf(at)) / 1000;
  const lifetime = Number(given.get('X-Amz-Expires'));
  if (!(lifetime > 0 && lifetime <= LONGEST_SECONDS)) return `it lives for ${given.get('X-Amz-Expires')} seconds`;
  if (!(age >= -LONGEST_SECONDS / 3 && age <= lifetime)) return `it is ${age} seconds old`;
  const signature = Buffer.from(given.get('X-Amz-Signature') ?? '', 'hex');
  given.delete('X-Amz-Signature');
  const right = signatureOf(given, authority, at, scope, use.key.secretAccessKey);
  return signature.length === right.length && timingSafeEqual(signature, right) ? undefined : 'its signature is wrong';
}

function signatureOf(query: URLSearchParams, host: string, at: string, scope: string, secret: string): Buffer {
  const sorted = [...query].map((pair) => pair.map(encoded).join('=')).sort();
  const request = ['GET', '/', sorted.join('&'), `host:${host}`, '', 'host', sha256('')].join('\n');
  const key = scope.split('/').reduce<Buffer>(hmac, Buffer.from(`AWS4${secret}`));
  return hmac(key, ['AWS4-HMAC-SHA256', at, scope, sha256(request)].join('\n'));
}

function instantOf(at: string): number {
  return Date.parse(at.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
}

function encoded(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
