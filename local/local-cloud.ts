import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Environment, TenancyModel } from '../lib/environment/environment';
import { instancePlans, stackPart } from '../lib/environment/instance-plan';
import { InstanceSharing } from '../lib/tenant/tenant-instance';
import { makeRunDirectory } from './directories';
import { TaskEngine, processEngine } from './ecs-task';
import { Emulator, proxyHost, startEmulator } from './emulator';
import { BuiltImage } from './image/build';
import { ContainerEngine } from './image/container-engine';
import { TaskUsage } from './image/task-usage';
import { LoadBalancer, startLoadBalancer } from './load-balancer';
import { freePort } from './ports';
import { connect } from './login';
import { ConnectionRecord } from './network/record';
import { RecordedTasks } from './network/recorded-tasks';
import { LocalPgBouncer, startPgBouncer } from './pgbouncer';
import { LocalPostgres, PostgresMajor, startPostgres } from './postgres';
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
  /** PostgreSQL of Superset's metadata. @default 17 */
  readonly metadataVersion?: PostgresMajor;
  /** Of the first load balancer. @default - one that is free */
  readonly webPort?: number;
  /** Each Superset that is for one tenant, by the tenant's id. @default - one Superset for all */
  readonly instances?: ReadonlyMap<string, Instance>;
  /** Image that Superset's tasks run from. @default - they are processes of a Python environment */
  readonly image?: BuiltImage;
  /** @default false - ECS tasks are only written down, the metadata server and the cache too, and the migration is answered as done */
  readonly runsSuperset?: boolean;
  /** Seconds for which IAM does not know of a policy that was made or changed. @default 0 */
  readonly freshSeconds?: number;
}

/** A proxy of a template, with what it is to be. */
export interface ProxyInTemplate {
  readonly logicalId: string;
  /** Which of the servers it stands before. */
  readonly shard: number;
  readonly poolSize: number;
  readonly borrowTimeoutSeconds: number;
}

/** A Superset that is for one tenant. */
export interface Instance {
  /** Name of its stack. */
  readonly stack: string;
  /** Host name by which a load balancer tells it from others. @default - it has one for itself, as localhost */
  readonly hostName?: string;
}

/** A load balancer of a template, with the stacks whose Superset it hands requests on to. */
export interface Entrance {
  readonly stack: string;
  /** In the order of their priorities. */
  readonly rules: { readonly hosts: string[]; readonly to: string }[];
  /** What becomes of a request that no rule is for: it goes to a stack, or is answered with a status. */
  readonly otherwise: string | number;
}

/** One Superset for all tenants, whatever its stack, behind a load balancer of its own. */
const ALL: ReadonlyMap<string, Instance> = new Map([['', { stack: '' }]]);
const ENTRANCE_OF_ALL: Entrance = { stack: '', rules: [], otherwise: '' };

/** An AWS account and its servers on loopback, for as long as one run lasts. */
export class LocalCloud {
  /** For an environment whose app makes stacks with such a name, with a real Superset. */
  public static for(
    environment: Environment,
    stack: string,
    given: Pick<LocalCloudOptions, 'emulatorPort' | 'postgresPort' | 'webPort' | 'image'> = {},
  ): LocalCloud {
    const { account, region, model, shards, metadataDatabase } = environment;
    const metadataVersion = majorOf(metadataDatabase?.postgresVersion);
    const common = { account, region, metadataVersion, runsSuperset: true, ...given };
    if (model !== TenancyModel.INSTANCE_PER_TENANT) return new LocalCloud({ ...common, shardCount: shards?.length });
    const plans = instancePlans(environment);
    const own = plans.filter(({ database }) => database === InstanceSharing.OWN).length;
    return new LocalCloud({
      ...common,
      shardCount: own + (own < plans.length ? 1 : 0),
      instances: new Map(
        plans.map(({ tenant: { id }, domainName }) => [
          id,
          { stack: `${stack}-${stackPart(id)}`, hostName: domainName },
        ]),
      ),
    });
  }

  /** Directory of the run: logs, data, and what the CDK CLI writes. */
  public readonly directory = makeRunDirectory();
  /** What has connected to what. */
  public readonly record = new ConnectionRecord();
  /** Rejects as soon as a part dies that nobody asked to stop. */
  public readonly died: Promise<never>;
  private reportDeath!: (problem: Problem) => void;
  private readonly starting: Promise<{ stop(): Promise<void> }>[] = [];
  private runningShards: LocalPostgres[] = [];
  private runningProxies?: ReadonlyMap<string, LocalPgBouncer>;
  private runningMetadataPostgres?: LocalPostgres;
  private runningValkeys: LocalValkey[] = [];
  private runningEmulator?: Emulator;
  private runningSupersets = new Map<string, Superset>();
  private emulatorPython?: string;
  private supersetPython?: string;
  private readonly engines: ContainerEngine[] = [];
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

  /** All servers of tenants and of Superset's metadata. */
  public get postgresServers(): LocalPostgres[] {
    return [...this.runningShards, ...(this.runningMetadataPostgres ? [this.runningMetadataPostgres] : [])];
  }

  /** The caches, one for each Superset. */
  public get valkeys(): LocalValkey[] {
    return this.runningValkeys;
  }

  /** The only cache, or the first of several. */
  public get valkey(): LocalValkey {
    return started(this.runningValkeys[0], 'Valkey');
  }

  public get emulator(): Emulator {
    return started(this.runningEmulator, 'the emulator');
  }

  /** The only Superset, or the first of several. */
  public get superset(): Superset {
    return started([...this.runningSupersets.values()][0], 'Superset');
  }

  /** That of a tenant. */
  public supersetOf(tenant: string): Superset {
    return this.options.instances ? started(this.runningSupersets.get(tenant), 'Superset') : this.superset;
  }

  /** All of them, each once. */
  public get supersets(): Superset[] {
    return [...this.runningSupersets.values()];
  }

  /** Ends the tasks in good order, while their servers still run; answers what was seen of the containers of the image. */
  public async endTasks(): Promise<TaskUsage[]> {
    await Promise.all(this.supersets.map((superset) => superset.stop()));
    return (await Promise.all(this.engines.map((engine) => engine.usages()))).flat();
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
    const servers = new Map(templates.map(({ logicalId, shard }) => [logicalId, this.shards[shard]]));
    const agent = new ProxyAgent(this.emulator, this.runningProxies, servers, this.record);
    agent.start();
    void this.keep(Promise.resolve(agent));
  }

  public async startMetadataPostgres(): Promise<void> {
    this.runningMetadataPostgres = await this.keep(
      startPostgres({ version: this.options.metadataVersion ?? 17, directory: join(this.directory, 'metadata') }),
    );
    this.watch("The metadata's PostgreSQL", connectionLost(this.runningMetadataPostgres));
  }

  /** Starts the Valkey that came with the Python environment of the emulator, once for each Superset. */
  public async startValkey(): Promise<void> {
    const python = started(this.emulatorPython, 'the Python environment');
    const { instances = ALL } = this.options;
    const names = [...instances.keys()].map((tenant) => (tenant ? `valkey-${tenant}` : 'valkey'));
    this.runningValkeys = await Promise.all(
      names.map((name) => this.keep(startValkey({ python, directory: join(this.directory, name) }))),
    );
    this.runningValkeys.forEach((valkey) => this.watch('Valkey', valkey.ended));
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
    const { account, region, emulatorPort, freshSeconds } = this.options;
    const port = await freePort('--emulator-port', emulatorPort);
    this.runningEmulator = await startEmulator({
      python: started(this.emulatorPython, 'the Python environment'),
      directory: this.directory,
      port,
      account,
      region,
      databaseCaFile: this.shardsCaFile,
      hasEcsAgent: this.options.runsSuperset ?? false,
      freshSeconds,
    });
    this.watch('The emulator', this.runningEmulator.ended);
  }

  /** Begins to run the tasks that a deployment will ask for, behind the load balancers of its templates. */
  public async startSuperset(entrances = [ENTRANCE_OF_ALL]): Promise<void> {
    const { instances = ALL } = this.options;
    const caFile = join(this.directory, 'authorities.pem');
    const proxies = [...this.proxies];
    const servers = [...this.postgresServers, ...proxies.map(([, proxy]) => proxy), ...this.valkeys];
    writeFileSync(caFile, authoritiesOf(servers));
    const doors = new Map<string, LoadBalancer>();
    for (const entrance of entrances) {
      const door = await this.startEntrance(entrance, doors.size === 0 ? this.options.webPort : undefined);
      stacksBehind(entrance).forEach((stack) => doors.set(stack, door));
    }
    for (const [tenant, { stack, hostName }] of instances) {
      const directory = join(this.directory, tenant);
      mkdirSync(directory, { recursive: true });
      const superset = startSuperset(
        { entrance: started(doors.get(stack), 'the load balancer'), hostName },
        {
          emulator: this.emulator,
          engine: this.newEngine(caFile),
          directory,
          cluster: stack && `${stack}-`,
          // RDS Proxy always listens on this port, of a host that is not here.
          replaced: proxies.map(([id, { host, port: real }]) => [`${proxyHost(id)}:5432`, `${host}:${real}`]),
          recorded: new RecordedTasks(this.record, () => this.valkeys),
          onDeath: this.reportDeath,
        },
      );
      void this.keep(Promise.resolve(superset));
      this.runningSupersets.set(tenant, superset);
    }
  }

  private newEngine(caFile: string): TaskEngine {
    if (!this.options.image) {
      return processEngine({ python: started(this.supersetPython, "Superset's Python environment"), caFile });
    }
    const engine = new ContainerEngine(this.options.image, caFile);
    this.engines.push(engine);
    return engine;
  }

  private async startEntrance({ stack, rules, otherwise }: Entrance, webPort?: number): Promise<LoadBalancer> {
    const { instances = ALL } = this.options;
    const directory = join(this.directory, 'entrances', stack);
    mkdirSync(directory, { recursive: true });
    const port = await freePort('--web-port', webPort);
    const tenants = new Map([...instances].map(([tenant, instance]) => [instance.stack, tenant]));
    const hostNames = [...instances.values()].flatMap(({ hostName }) => hostName ?? []);
    this.record.listens(port, { loadBalancer: stack });
    return this.keep(
      startLoadBalancer({ directory, port, hostNames }, (host) => {
        const to = rules.find(({ hosts }) => hosts.includes(host))?.to ?? otherwise;
        this.record.note({ people: true }, port);
        if (typeof to === 'number') return { status: to };
        const webPort = this.runningSupersets.get(tenants.get(to) ?? '')?.webPort();
        if (webPort) this.record.note({ loadBalancer: stack }, webPort);
        return { port: webPort };
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

/** Stacks that a load balancer hands requests on to. */
function stacksBehind({ rules, otherwise }: Entrance): string[] {
  return [...rules.map(({ to }) => to), ...(typeof otherwise === 'string' ? [otherwise] : [])];
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

/** The major version of `major.minor`, which the environment's rules have looked at. */
function majorOf(version: string | undefined): PostgresMajor | undefined {
  return version === undefined ? undefined : (Number(version.split('.')[0]) as PostgresMajor);
}

function authoritiesOf(servers: { readonly caFile: string }[]): string {
  return servers.map(({ caFile }) => readFileSync(caFile, 'utf8')).join('\n');
}

function started<Part>(part: Part | undefined, name: string): Part {
  if (part === undefined) {
    throw new Error(`${name} was not started`);
  }
  return part;
}
