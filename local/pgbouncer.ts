import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { certificateOfLocalhost } from './certificates';
import { freePort } from './ports';
import { LocalPostgres, PostgresUser } from './postgres';
import { Problem } from './problem';
import { chown, serverAccount } from './server-account';
import { ServerProcess, startServer } from './server-process';

export interface PgBouncerOptions {
  /** The server behind it. */
  readonly postgres: Pick<LocalPostgres, 'host' | 'port' | 'caFile'>;
  /** Where it keeps its log, and the authority of its certificate. */
  readonly directory: string;
  /** Connections to the server, of each user to each database. */
  readonly poolSize: number;
  /** Seconds that a query waits for one of them. */
  readonly borrowTimeoutSeconds: number;
  /** Port for clients. @default - one that is free */
  readonly port?: number;
}

/**
 * A PgBouncer on loopback as RDS Proxy hands one over: TLS only, a connection of the server for each transaction, and only
 * users whose passwords it was told. A session that changed something is pinned by RDS Proxy; here it is reset after each
 * transaction, so that nothing that needs a session works by accident.
 */
export interface LocalPgBouncer {
  readonly host: string;
  readonly port: number;
  /** The authority that signed its certificate. */
  readonly caFile: string;
  /** Who may ask its console, the database `pgbouncer`. */
  readonly administrator: PostgresUser;
  /** Resolves when it has ended, whoever ended it; not when it is restarted. */
  readonly ended: Promise<string>;
  /** Whom it lets in from now on, and with which password it logs in for them. */
  setUsers(users: PostgresUser[]): void;
  stop(): Promise<void>;
  restart(): Promise<void>;
}

/** Starts a PgBouncer, and waits until it answers. */
export async function startPgBouncer(options: PgBouncerOptions): Promise<LocalPgBouncer> {
  const { directory } = options;
  const port = await freePort('another port', options.port);
  const account = serverAccount();
  // A home directory of root's would let the server's account in to nothing.
  const home = mkdtempSync(join(tmpdir(), 'tenancy-pgbouncer-'));
  chown(home, account);
  const caFile = join(directory, 'ca.pem');
  const files = {
    configuration: join(home, 'pgbouncer.ini'),
    users: join(home, 'users.txt'),
    certificate: join(home, 'server.crt'),
    key: join(home, 'server.key'),
  };
  const administrator = { username: 'proxyadmin', password: randomBytes(18).toString('base64url') };
  mkdirSync(directory, { recursive: true });
  const { authority, certificate, key } = await certificateOfLocalhost(basename(directory));
  writeFileSync(caFile, authority);
  const write = (file: string, content: string) => {
    writeFileSync(file, content, { mode: 0o600 });
    chown(file, account);
  };
  write(files.certificate, certificate);
  write(files.key, key);
  write(files.configuration, configuration(options, port, files, administrator.username));
  const writeUsers = (users: PostgresUser[]) => write(files.users, [administrator, ...users].map(userLine).join(''));
  writeUsers([]);
  const program = {
    name: 'PgBouncer',
    command: programPath(),
    args: [files.configuration],
    directory: home,
    log: join(directory, 'pgbouncer.log'),
    port,
    account,
  };

  let reportEnd!: (how: string) => void;
  const ended = new Promise<string>((resolve) => (reportEnd = resolve));
  let running: ServerProcess | undefined;
  const begin = async () => {
    const server = await startServer(program);
    void server.ended.then((how) => server === running && reportEnd(how));
    return server;
  };
  running = await begin();
  return {
    host: 'localhost',
    port,
    caFile,
    administrator,
    ended,
    setUsers(users) {
      writeUsers(users);
      if (running) process.kill(running.pid, 'SIGHUP');
    },
    async stop() {
      await running?.stop();
      rmSync(home, { recursive: true, force: true });
    },
    async restart() {
      const old = running;
      running = undefined;
      await old?.stop();
      running = await begin();
    },
  };
}

interface Files {
  readonly users: string;
  readonly certificate: string;
  readonly key: string;
}

function configuration(options: PgBouncerOptions, port: number, files: Files, administrator: string): string {
  const { postgres, poolSize, borrowTimeoutSeconds } = options;
  const settings: Record<string, string | number> = {
    listen_addr: '127.0.0.1',
    listen_port: port,
    unix_socket_dir: '',
    auth_type: 'scram-sha-256',
    auth_file: files.users,
    admin_users: administrator,
    client_tls_sslmode: 'require',
    client_tls_cert_file: files.certificate,
    client_tls_key_file: files.key,
    server_tls_sslmode: 'verify-full',
    server_tls_ca_file: postgres.caFile,
    pool_mode: 'transaction',
    default_pool_size: poolSize,
    max_client_conn: 5000,
    query_wait_timeout: borrowTimeoutSeconds,
    server_reset_query: 'DISCARD ALL',
    server_reset_query_always: 1,
    server_login_retry: 1,
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${value}`);
  return `[databases]\n* = host=${postgres.host} port=${postgres.port}\n\n[pgbouncer]\n${lines.join('\n')}\n`;
}

function userLine({ username, password }: PostgresUser): string {
  const quoted = [username, password].map((text) => `"${text.replaceAll('"', '""')}"`);
  return `${quoted.join(' ')}\n`;
}

/** The program, from the package of the operating system. */
function programPath(): string {
  try {
    const path = `${process.env.PATH}:/usr/sbin:/usr/local/sbin`;
    return execFileSync('sh', ['-c', 'command -v pgbouncer'], { encoding: 'utf8', env: { PATH: path } }).trim();
  } catch {
    throw new Problem('There is no PgBouncer.', 'Install it: apt-get install pgbouncer, or brew install pgbouncer.');
  }
}
