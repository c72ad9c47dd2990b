import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeRunDirectory } from './directories';
import { Emulator, proxyHost, startEmulator } from './emulator';
import { freePort } from './ports';
import { connect } from './login';
import { LocalPgBouncer, startPgBouncer } from './pgbouncer';
import { LocalPostgres, startPostgres } from './postgres';
import { Problem } from './problem';
import { stopAll } from './processes';
import { ProxyAgent } from './proxy-agent';
import { ensureEmulatorPython, ensureSupersetPython, findPython } from './python';
import { Superset, startSuperset } from './superset';
import { LocalValkey, startValkey } from './valkey';

export interface LocalCloudOptions {
  readonly account: string;
  readonly region: string;
  /** @default - one that is free */
  readonly emulatorPort?: number;
  /** Of the first server of tenants. @default - one that is free */
  readonly postgresPort?: number;
  /** Servers of tenants. @default 1 */
  readonly shardCount?: number;
  /** @default - one that is free */
  readonly webPort?: number;
  /** @default false - ECS tasks are only written down, the metadata server and the cache too, and the migration is answered as done */
  readonly runsSuperset?: boolean;
}

/** A proxy of a template, with what it is to be. */
export interface ProxyInTemplate {
  readonly logicalId: string;
  /** Which of the servers it stands before. */
  readonly shard: number;
  readonly poolSize: number;
  readonly borrowTimeoutSeconds: number;
}

/** An AWS account and its servers on loopback, for as long as one run lasts. */
export class LocalCloud {
  /** Directory of the run: logs, data, and what the CDK CLI writes. */
  public readonly directory = makeRunDirectory();
  /** Rejects as soon as a part dies that nobody asked to stop. */
  public readonly died: Promise<never>;
  private reportDeath!: (problem: Problem) => void;
  private readonly starting: Promise<{ stop(): Promise<void> }>[] = [];
  private runningShards: LocalPostgres[] = [];
  private runningProxies?: ReadonlyMap<string, LocalPgBouncer>;
  private runningMetadataPostgres?: LocalPostgres;
  private runningValkey?: LocalValkey;
  private runningEmulator?: Emulator;
  private runningSuperset?: Superset;
  private emulatorPython?: string;
  private supersetPython?: string;
  private stopping?: Promise<void>;

  constructor(public readonly options: LocalCloudOptions) {
    this.died = new Promise((_, reject) => (this.reportDeath = reject));
    this.died.catch(() => undefined);
  }

  /** The tenants' server, or the first of several. */
  public get postgres(): LocalPostgres {
    return started(this.runningShards[0], 'PostgreSQL');
  }

  /** All servers of tenants. */
  public get shards(): LocalPostgres[] {
    return this.runningShards;
  }

  /** The proxies of the deployed template, by the logical ids of their resources. */
  public get proxies(): ReadonlyMap<string, LocalPgBouncer> {
    return this.runningProxies ?? new Map();
  }

  /** Authorities that signed the certificates of the tenants' servers. */
  public get shardsCaFile(): string {
    return join(this.directory, 'shards.pem');
  }

  /** The server of Superset's metadata. */
  public get metadataPostgres(): LocalPostgres {
    return started(this.runningMetadataPostgres, "the metadata's PostgreSQL");
  }

  public get valkey(): LocalValkey {
    return started(this.runningValkey, 'Valkey');
  }

  public get emulator(): Emulator {
    return started(this.runningEmulator, 'the emulator');
  }

  public get superset(): Superset {
    return started(this.runningSuperset, 'Superset');
  }

  /** Path of a log of this run. */
  public log(name: string): string {
    return join(this.directory, `${name}.log`);
  }

  /** Starts the servers of tenants. */
  public async startPostgres(): Promise<void> {
    const { postgresPort, shardCount = 1 } = this.options;
    const port = await freePort('--postgres-port', postgresPort);
    const directories = [...Array(shardCount).keys()].map((index) => join(this.directory, `postgres${index || ''}`));
    this.runningShards = await Promise.all(
      directories.map((directory, index) =>
        this.keep(
          startPostgres({
            version: 17,
            directory,
            port: index === 0 ? port : undefined,
            maxConnections: MOST_CONNECTIONS,
          }),
        ),
      ),
    );
    writeFileSync(this.shardsCaFile, authoritiesOf(this.runningShards));
    this.runningShards.forEach((postgres) => this.watch('PostgreSQL', connectionLost(postgres)));
  }

  /** Starts a proxy before each server that the template has one for. */
  public async startProxies(templates: ProxyInTemplate[]): Promise<void> {
    const entries = templates.map(async ({ logicalId, shard, ...limits }) => {
      const directory = join(this.directory, `proxy-${logicalId}`);
      const proxy = await this.keep(startPgBouncer({ postgres: this.shards[shard], directory, ...limits }));
      this.watch('A proxy', proxy.ended);
      return [logicalId, proxy] as const;
    });
    this.runningProxies = new Map(await Promise.all(entries));
    const agent = new ProxyAgent(this.emulator, this.runningProxies);
    agent.start();
    void this.keep(Promise.resolve(agent));
  }

  public async startMetadataPostgres(): Promise<void> {
    this.runningMetadataPostgres = await this.keep(
      startPostgres({ version: 17, directory: join(this.directory, 'metadata') }),
    );
    this.watch("The metadata's PostgreSQL", connectionLost(this.runningMetadataPostgres));
  }

  /** Starts the Valkey that came with the Python environment of the emulator. */
  public async startValkey(): Promise<void> {
    const python = started(this.emulatorPython, 'the Python environment');
    this.runningValkey = await this.keep(startValkey({ python, directory: join(this.directory, 'valkey') }));
    this.watch('Valkey', this.runningValkey.ended);
  }

  /** Makes the Python environment of the emulator, unless the last run has left it. */
  public async prepareEmulatorPython(): Promise<void> {
    this.emulatorPython = await ensureEmulatorPython(findPython(), this.log('emulator-python'));
  }

  /** Makes Superset's Python environment, unless the last run has left it. */
  public async prepareSupersetPython(): Promise<void> {
    const emulatorPython = started(this.emulatorPython, 'the Python environment');
    this.supersetPython = await ensureSupersetPython(findPython(), emulatorPython, this.log('superset-python'));
  }

  /** Starts the emulator, whose Lambda functions trust the certificates of the PostgreSQL. */
  public async startEmulator(): Promise<void> {
    const { account, region, emulatorPort } = this.options;
    const port = await freePort('--emulator-port', emulatorPort);
    this.runningEmulator = await startEmulator({
      python: started(this.emulatorPython, 'the Python environment'),
      directory: this.directory,
      port,
      account,
      region,
      databaseCaFile: this.shardsCaFile,
      hasEcsAgent: this.options.runsSuperset ?? false,
    });
    this.watch('The emulator', this.runningEmulator.ended);
  }

  /** Begins to run the tasks that a deployment will ask for. */
  public async startSuperset(): Promise<void> {
    const port = await freePort('--web-port', this.options.webPort);
    const caFile = join(this.directory, 'authorities.pem');
    const proxies = [...this.proxies];
    writeFileSync(
      caFile,
      authoritiesOf([...this.shards, ...proxies.map(([, proxy]) => proxy), this.metadataPostgres, this.valkey]),
    );
    this.runningSuperset = await this.keep(
      startSuperset(port, {
        emulator: this.emulator,
        image: { python: started(this.supersetPython, "Superset's Python environment"), caFile },
        directory: this.directory,
        // RDS Proxy always listens on this port, of a host that is not here.
        replaced: proxies.map(([id, { host, port: real }]) => [`${proxyHost(id)}:5432`, `${host}:${real}`]),
        onDeath: this.reportDeath,
      }),
    );
  }

  /** Ends all that was started, and removes what it left on disk. */
  public stop(): Promise<void> {
    this.stopping ??= this.end();
    return this.stopping;
  }

  private async end(): Promise<void> {
    const parts = this.starting.map((part) =>
      part.then(
        (started) => started.stop(),
        () => undefined,
      ),
    );
    await Promise.all([stopAll(), ...parts]);
    await stopAll(); // what was about to start
    rmSync(this.directory, { recursive: true, force: true, maxRetries: 3 });
  }

  /** Has a part stopped at the end, even if that comes while it starts. */
  private keep<Part extends { stop(): Promise<void> }>(part: Promise<Part>): Promise<Part> {
    this.starting.push(part);
    return part;
  }

  private watch(part: string, ended: Promise<string>): void {
    void ended.then((how) => {
      if (!this.stopping) {
        this.reportDeath(new Problem(`${part} has died (${how}).`, 'Start again; nothing was kept of this run.'));
      }
    });
  }
}

/** A connection that nobody uses, and that lasts as long as the server; resolves when it is lost. */
async function connectionLost({ host, port, caFile, superuser }: LocalPostgres): Promise<string> {
  try {
    const client = await connect({ ...superuser, host, port: String(port), database: 'postgres', caFile });
    return await new Promise((resolve) => client.once('end', () => resolve('connection lost')));
  } catch (error) {
    return (error as Error).message;
  }
}

/** As many as a small instance class has. */
const MOST_CONNECTIONS = 350;

function authoritiesOf(servers: { readonly caFile: string }[]): string {
  return servers.map(({ caFile }) => readFileSync(caFile, 'utf8')).join('\n');
}

function started<Part>(part: Part | undefined, name: string): Part {
  if (part === undefined) {
    throw new Error(`${name} was not started`);
  }
  return part;
}
