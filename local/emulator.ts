import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { REPOSITORY } from './directories';
import { Problem } from './problem';
import { start } from './processes';

export interface EmulatorOptions {
  /** The Python that has the emulator. */
  readonly python: string;
  /** Directory of this run. */
  readonly directory: string;
  readonly port: number;
  readonly account: string;
  readonly region: string;
  /** Certificates that the Lambda functions trust for the database, in place of those of RDS. */
  readonly databaseCaFile: string;
  /** Whether an agent runs tasks; otherwise one-off tasks are answered as done. */
  readonly hasEcsAgent: boolean;
  /** Seconds for which IAM does not know of a policy that was made or changed. @default 0 */
  readonly freshSeconds?: number;
}

/** The server behind a resource, with a user who may do there what AWS may. */
export interface EmulatedServer {
  readonly host: string;
  readonly port: number;
  readonly caFile: string;
  readonly username: string;
  readonly password: string;
  /** Login of RDS itself, which manages the server. */
  readonly superuser?: { readonly username: string; readonly password: string };
}

/** A call of the AWS API, by a role of the templates. */
export interface RoleCall {
  /** Name of the role. */
  readonly role: string;
  readonly action: string;
  /** ARN, or `*`. */
  readonly resource: string;
}

/** An action that a policy of the templates allows a role, with the names of the templates. */
export interface Right {
  readonly role: string;
  readonly action: string;
  readonly on: string;
  readonly used: boolean;
}

/** Host name of a proxy in the emulated account, for the name of its resource. Nothing answers to it. */
export function proxyHost(logicalId: string): string {
  return `${logicalId.toLowerCase()}.proxy.invalid`;
}

/** An AWS account on loopback. */
export interface Emulator {
  readonly endpoint: string;
  readonly account: string;
  readonly region: string;
  /** Environment of a process that sees this account and no other. */
  readonly environment: Record<string, string>;
  /** The same for the clients of the AWS SDK in this process. */
  readonly sdk: {
    readonly endpoint: string;
    readonly region: string;
    readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  };
  /** Says which server stands behind which RDS instance, proxy or cache, by `<stack>/<logical id>`. */
  setServers(servers: Record<string, EmulatedServer>): void;
  /** `<stack>/<logical id>` of the RDS instances, proxies and caches behind which a server stands. */
  servers(): string[];
  /** Ports of this machine on which they listen, by the same. */
  ports(): Record<string, number>;
  /** ARNs of the secrets whose logins a proxy lets in, by the logical id of the proxy. */
  proxySecrets(): Record<string, string[]>;
  /** ARN of the role of each proxy, by its logical id. */
  proxyRoles(): Record<string, string>;
  /** What IAM has refused so far: role, action and resource. */
  denied(): string[];
  /** The calls of roles so far that IAM has allowed, each once. */
  calls(): RoleCall[];
  /** What the policies of the templates' roles allow, and whether a call has used it. */
  rights(): Right[];
  /** What IAM has refused so far since it did not know of a policy yet: role and action. */
  refusedWhileFresh(): string[];
  /** Logical ids of the proxies whose targets are registered. */
  registeredTargets(): string[];
  /** Says why the target of a proxy is not available, by the logical id of the proxy; an empty text if it is. */
  setTargetHealth(problems: Record<string, string>): void;
  /** Has the first resource whose `<stack>/<type>/<logical id>` a regular expression is found in fail once, when it is made or changed. */
  failOnce(...resources: RegExp[]): void;
  /** Faults that nothing has met so far. */
  pendingFaults(): string[];
  /** What the emulator was asked for and only wrote down, though it does not know it. */
  pretended(): string[];
  /** Resolves when the emulator has ended, whoever ended it. */
  readonly ended: Promise<string>;
  stop(): Promise<void>;
}

const READY_SECONDS = 30;

/** Starts the emulator, and waits until it answers. */
export async function startEmulator(options: EmulatorOptions): Promise<Emulator> {
  const { directory, port, account, region } = options;
  const endpoint = `http://127.0.0.1:${port}`;
  const log = join(directory, 'emulator.log');
  const servers = join(directory, 'servers.json');
  writeFileSync(servers, '{}');
  const faults = join(directory, 'faults.json');
  const environment = isolatedEnvironment(directory, endpoint, account, region);
  const emulator = start(options.python, [join(__dirname, 'emulator.py'), directory], log, {
    cwd: directory,
    env: {
      ...environment,
      BIND_HOST: '127.0.0.1',
      MINISTACK_HOST: '127.0.0.1',
      GATEWAY_PORT: String(port),
      MINISTACK_REGION: region,
      LAMBDA_EXECUTOR: 'local',
      LOG_LEVEL: 'WARNING',
      NODE_PATH: join(REPOSITORY, 'node_modules'),
      // Each call is judged by the policies of the template.
      AUTH: 'true',
      DATABASE_CA_FILE: options.databaseCaFile,
      ...(options.hasEcsAgent ? { ECS_AGENT: 'true' } : {}),
      FRESH_SECONDS: String(options.freshSeconds ?? 0),
      PYTHONDONTWRITEBYTECODE: '1',
    },
  });
  await Promise.race([answers(endpoint), emulator.ended.then((how) => Promise.reject(died(how, log)))]).catch(
    async (error) => {
      await emulator.stop();
      throw error;
    },
  );
  return {
    endpoint,
    account,
    region,
    environment,
    sdk: { endpoint, region, credentials: { accessKeyId: account, secretAccessKey: 'local' } },
    setServers: (map) => writeFileSync(servers, JSON.stringify(map)),
    servers: () => Object.keys(JSON.parse(readFileSync(servers, 'utf8')) as object),
    ports: () => {
      const known = Object.entries(JSON.parse(readFileSync(servers, 'utf8')) as Record<string, EmulatedServer>);
      return Object.fromEntries(known.map(([id, { port }]) => [id, port]));
    },
    proxySecrets: () => read<Record<string, string[]>>(join(directory, 'proxies.json'), {}),
    proxyRoles: () => read<Record<string, string>>(join(directory, 'proxy-roles.json'), {}),
    denied: () => read<string[]>(join(directory, 'denied.json'), []),
    calls: () => lines(join(directory, 'calls.jsonl')).map((line) => JSON.parse(line) as RoleCall),
    rights: () => read<Right[]>(join(directory, 'rights.json'), []),
    refusedWhileFresh: () => read<string[]>(join(directory, 'fresh.json'), []),
    registeredTargets: () => read<string[]>(join(directory, 'targets.json'), []),
    setTargetHealth: (problems) => {
      const file = join(directory, 'target-health.json');
      // The emulator may read it at any moment.
      writeFileSync(`${file}.new`, JSON.stringify(problems));
      renameSync(`${file}.new`, file);
    },
    failOnce: (...resources) => writeFileSync(faults, JSON.stringify(resources.map(({ source }) => source))),
    pendingFaults: () => read<string[]>(faults, []),
    pretended: () => read<string[]>(join(directory, 'pretended.json'), []),
    ended: emulator.ended,
    stop: emulator.stop,
  };
}

/** Nothing of the user's own AWS set-up, and no way to an address that is not the emulator's. */
function isolatedEnvironment(directory: string, endpoint: string, account: string, region: string) {
  return {
    PATH: [dirname(process.execPath), process.env.PATH].join(':'),
    HOME: join(directory, 'home'),
    TMPDIR: join(directory, 'tmp'),
    LANG: 'C.UTF-8',
    AWS_ENDPOINT_URL: endpoint,
    AWS_ENDPOINT_URL_S3: endpoint,
    // The emulator takes an access key of twelve digits for the account.
    AWS_ACCESS_KEY_ID: account,
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
    CDK_DISABLE_VERSION_CHECK: '1',
    CDK_DISABLE_CLI_TELEMETRY: 'true',
    // `npm test` validates the template; here it would take longer than the deployment.
    CDK_VALIDATION: 'false',
  };
}

async function answers(endpoint: string): Promise<void> {
  const deadline = Date.now() + READY_SECONDS * 1_000;
  for (;;) {
    try {
      if ((await fetch(`${endpoint}/_ministack/health`)).ok) {
        return;
      }
    } catch {
      // Not listening yet.
    }
    if (Date.now() > deadline) {
      throw new Problem(`The emulator does not answer within ${READY_SECONDS} s.`, 'Try again on a less busy machine.');
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function died(how: string, log: string): Problem {
  const lines = readFileSync(log, 'utf8').trimEnd().split('\n');
  return new Problem(`The emulator did not start (${how}: ${lines.at(-1)}).`, 'Delete .local and try again.');
}

function read<Content>(file: string, otherwise: Content): Content {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Content;
  } catch {
    return otherwise; // not written yet, or being written
  }
}

/** The finished lines of a file; none if it is not written yet. */
function lines(file: string): string[] {
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : [];
}
