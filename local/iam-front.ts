import { readFileSync } from 'node:fs';
import { Socket, connect, createServer } from 'node:net';
import { TLSSocket, connect as connectTls } from 'node:tls';
import { certificateOfLocalhost } from './certificates';
import { AccessKey, tokenProblem } from './iam-token';
import { freePort } from './ports';
import { LocalPostgres } from './postgres';

export interface IamFrontOptions {
  /** The server behind it, which lets members of `rds_iam` in by this front only. */
  readonly postgres: Pick<LocalPostgres, 'host' | 'port' | 'caFile' | 'ownCertificate'>;
  /** Name of the authority of its certificate. */
  readonly name: string;
  readonly region: string;
  /** Who may sign tokens. */
  readonly key: AccessKey;
  /** @default - one that is free */
  readonly port?: number;
}

/**
 * What RDS, and RDS Proxy, do with a member of `rds_iam`: they take a token of IAM for its password, and nothing else. Whoever is
 * none logs in at the server itself, through it.
 */
export interface IamFront {
  readonly host: string;
  readonly port: number;
  /** The authority that signed its certificate, as PEM. */
  readonly authority: string;
  /** Why each token was refused, in order. */
  readonly refusals: string[];
  /** Each token that was taken, in order. */
  readonly taken: string[];
  stop(): Promise<void>;
}

/** Starts a front before a PostgreSQL, on 127.0.0.1, over TLS on both sides. */
export async function startIamFront(options: IamFrontOptions): Promise<IamFront> {
  const port = await freePort('another port', options.port);
  const { authority, certificate, key } = await certificateOfLocalhost(options.name);
  const refusals: string[] = [];
  const taken: string[] = [];
  const sockets = new Set<Socket>();
  const keep = <Kept extends Socket>(socket: Kept): Kept => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.once('close', () => sockets.delete(socket));
    return socket;
  };

  const serve = async (plain: Socket) => {
    const client = await upgraded(new Reader(keep(plain)), certificate, key);
    if (!client) return;
    const asked = new Reader(keep(client));
    const startup = await asked.message(false);
    const server = keep(await connectToServer(options.postgres));
    const answers = new Reader(server);
    server.write(startup);
    const user = userOf(startup);
    if (user !== undefined) {
      const first = await answers.message();
      if (!first.equals(AUTHENTICATED)) {
        client.write(first);
      } else {
        client.write(CLEARTEXT_PASSWORD);
        const answer = await asked.message();
        const token = answer.subarray(5, -1).toString();
        const { region, key: accessKey } = options;
        const problem = tokenProblem(token, { host: 'localhost', port, user, region, key: accessKey });
        if (problem) {
          refusals.push(problem);
          client.end(refusal(user));
          server.destroy();
          return;
        }
        taken.push(token);
        client.write(first);
      }
    }
    asked.pipe(server);
    answers.pipe(client);
  };

  const server = createServer((plain) => void serve(plain).catch(() => plain.destroy()));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: '127.0.0.1', port }, resolve);
  });
  server.unref();
  return {
    host: 'localhost',
    port,
    authority,
    refusals,
    taken,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        sockets.forEach((socket) => socket.destroy());
      }),
  };
}

// PostgreSQL Documentation, "Message Formats".
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);
const PROTOCOL_3 = 196_608;
const AUTHENTICATED = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 0]);
const CLEARTEXT_PASSWORD = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 3]);

/** The message of PostgreSQL, whose `pam` RDS checks tokens by. */
function refusal(user: string): Buffer {
  const fields = { S: 'FATAL', V: 'FATAL', C: '28000', M: `PAM authentication failed for user "${user}"` };
  const text = Object.entries(fields).map(([field, value]) => `${field}${value}\0`);
  const body = Buffer.from(`${text.join('')}\0`);
  const head = Buffer.alloc(5);
  head.write('E');
  head.writeUInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

/** The user of a startup message; undefined for a request to cancel. */
function userOf(startup: Buffer): string | undefined {
  if (startup.readUInt32BE(4) !== PROTOCOL_3) return undefined;
  const words = startup.subarray(8).toString().split('\0');
  return words[words.findIndex((word, index) => index % 2 === 0 && word === 'user') + 1];
}

async function upgraded(reader: Reader, certificate: string, key: string): Promise<TLSSocket | undefined> {
  const request = await reader.message(false);
  if (!request.equals(SSL_REQUEST)) {
    reader.socket.destroy();
    return undefined;
  }
  reader.release();
  reader.socket.write('S');
  const client = new TLSSocket(reader.socket, { isServer: true, cert: certificate, key });
  return client;
}

async function connectToServer({
  host,
  port,
  caFile,
  ownCertificate,
}: IamFrontOptions['postgres']): Promise<TLSSocket> {
  const plain = connect({ host: '127.0.0.1', port });
  plain.setNoDelay(true);
  const reader = new Reader(plain);
  plain.write(SSL_REQUEST);
  if ((await reader.bytes(1)).toString() !== 'S') throw new Error('the server has no TLS');
  reader.release();
  const { certificate, key } = ownCertificate;
  const socket = connectTls({ socket: plain, servername: host, ca: readFileSync(caFile), cert: certificate, key });
  await new Promise<void>((resolve, reject) => {
    socket.once('secureConnect', resolve);
    socket.once('error', reject);
  });
  return socket;
}

/** Messages of PostgreSQL's protocol, from a socket that is piped on afterwards. */
class Reader {
  private received = Buffer.alloc(0);
  private wake: () => void = () => undefined;
  private ended = false;
  private readonly take = (chunk: Buffer) => {
    this.received = Buffer.concat([this.received, chunk]);
    this.wake();
  };

  constructor(readonly socket: Socket) {
    socket.on('data', this.take);
    socket.once('close', () => {
      this.ended = true;
      this.wake();
    });
  }

  async bytes(count: number): Promise<Buffer> {
    while (this.received.length < count) {
      if (this.ended) throw new Error('the connection has ended');
      await new Promise<void>((resolve) => (this.wake = resolve));
    }
    const bytes = this.received.subarray(0, count);
    this.received = this.received.subarray(count);
    return bytes;
  }

  /** One message; the first of a connection has no type. */
  async message(typed = true): Promise<Buffer> {
    const head = await this.bytes(typed ? 5 : 4);
    return Buffer.concat([head, await this.bytes(head.readUInt32BE(head.length - 4) - 4)]);
  }

  release(): void {
    this.socket.off('data', this.take);
  }

  pipe(into: Socket): void {
    this.release();
    into.write(this.received);
    this.socket.pipe(into);
    this.socket.once('close', () => into.destroy());
  }
}
