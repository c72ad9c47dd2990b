import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeRunDirectory } from './directories';
import { Emulator, proxyHost, startEmulator } from './emulator';
import { freePort } from './ports';
import { LoadBalancer, startLoadBalancer } from './load-balancer';
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
  /** Of the first load balancer. @default - one that is free */
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

/** A Superset of a template. */
export interface SupersetInTemplate {
  /** Name of its stack. */
  readonly stack: string;
  /** The tenant that it is for. @default - all */
  readonly tenant?: string;
  /** Name of the ECS cluster that its tasks run in. @default - they are all of the account's */
  readonly cluster?: string;
  /** Host name by which a load balancer tells it from others. @default - it has one for itself, as localhost */
  readonly hostName?: string;
}

/** A load balancer of a template, with the stacks whose Superset it hands requests on to. */
export interface EntranceInTemplate {
  readonly stack: string;
  /** In the order of their priorities. */
  readonly rules: { readonly hosts: string[]; readonly to: string }[];
  /** What becomes of a request that no rule is for: a stack, or the status of its answer. */
  readonly otherwise: string | number;
}

/** One Superset, and one load balancer for it, of a template that is not there yet. */
const ANY_STACK = '';
const ONE_SUPERSET: SupersetInTemplate[] = [{ stack: ANY_STACK }];
const ONE_ENTRANCE: EntranceInTemplate[] = [{ stack: ANY_STACK, rules: [], otherwise: ANY_STACK }];

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
  private readonly runningValkeys = new Map<string, LocalValkey>();
  private runningEmulator?: Emulator;
  private readonly runningSupersets = new Map<string, Superset>();
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

  /** The cache of a stack. */
  public valkeyOf(stack: string): LocalValkey {
    return started(this.runningValkeys.get(stack) ?? this.runningValkeys.get(ANY_STACK), 'Valkey');
  }

  public get emulator(): Emulator {
    return started(this.runningEmulator, 'the emulator');
  }

  /** The Superset, or the first of several. */
  public get superset(): Superset {
    return started(this.supersets[0], 'Superset');
  }

  public get supersets(): Superset[] {
    return [...this.runningSupersets.values()];
  }

  /** The Superset of a tenant, its own or everybody's. */
  public supersetOf(tenant: string): Superset {
    return started(
      this.supersets.find(({ isFor }) => isFor === undefined || isFor === tenant),
      `Superset of ${tenant}`,
    );
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

  /** Starts a Valkey for each Superset, with the program that came with the Python environment of the emulator. */
  public async startValkey(templates = ONE_SUPERSET): Promise<void> {
    const python = started(this.emulatorPython, 'the Python environment');
    const starting = templates.map(async ({ stack, tenant }) => {
      const directory = join(this.directory, tenant ? `valkey-${tenant}` : 'valkey');
      const valkey = await this.keep(startValkey({ python, directory }));
      this.watch('Valkey', valkey.ended);
      this.runningValkeys.set(stack, valkey);
    });
    await Promise.all(starting);
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

  /** Begins to run the tasks that a deployment will ask for, behind the load balancers of the template. */
  public async startSuperset(templates = ONE_SUPERSET, entrances = ONE_ENTRANCE): Promise<void> {
    const caFile = join(this.directory, 'authorities.pem');
    const proxies = [...this.proxies];
    const metadata = this.runningMetadataPostgres ? [this.runningMetadataPostgres] : [];
    writeFileSync(
      caFile,
      authoritiesOf([
        ...this.shards,
        ...proxies.map(([, proxy]) => proxy),
        ...metadata,
        ...this.runningValkeys.values(),
      ]),
    );
    const doors = new Map<string, LoadBalancer>();
    for (const entrance of entrances) {
      const door = await this.startEntrance(entrance, templates, doors.size === 0 ? this.options.webPort : undefined);
      [entrance.otherwise, ...entrance.rules.map(({ to }) => to)]
        .filter((stack) => typeof stack === 'string')
        .forEach((stack) => doors.set(stack, door));
    }
    for (const { stack, tenant, cluster, hostName } of templates) {
      const directory = tenant ? join(this.directory, tenant) : this.directory;
      mkdirSync(directory, { recursive: true });
      const superset = startSuperset(
        { isFor: tenant, hostName, entrance: started(doors.get(stack), `the load balancer of ${stack}`) },
        {
          emulator: this.emulator,
          cluster,
          image: { python: started(this.supersetPython, "Superset's Python environment"), caFile },
          directory,
          // RDS Proxy always listens on this port, of a host that is not here.
          replaced: proxies.map(([id, { host, port: real }]) => [`${proxyHost(id)}:5432`, `${host}:${real}`]),
          onDeath: this.reportDeath,
        },
      );
      void this.keep(Promise.resolve(superset));
      this.runningSupersets.set(stack, superset);
    }
  }

  private async startEntrance(
    { stack, rules, otherwise }: EntranceInTemplate,
    templates: SupersetInTemplate[],
    wantedPort?: number,
  ): Promise<LoadBalancer> {
    const directory = join(this.directory, stack ? `entrance-${stack}` : 'entrance');
    mkdirSync(directory, { recursive: true });
    const hostNames = templates.flatMap(({ hostName }) => hostName ?? []);
    const port = await freePort('--web-port', wantedPort);
    return this.keep(
      startLoadBalancer({ directory, port, hostNames }, (host) => {
        const to = rules.find(({ hosts }) => hosts.includes(host))?.to ?? otherwise;
        return typeof to === 'number' ? { status: to } : { port: this.runningSupersets.get(to)?.webPort() };
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
