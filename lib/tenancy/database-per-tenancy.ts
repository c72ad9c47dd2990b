import { join } from 'node:path';
import { Annotations, Duration, RemovalPolicy } from 'aws-cdk-lib';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as logs from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { DEFAULT_TASKS } from '../defaults';
import { SupersetCache } from '../cache/superset-cache';
import { MetadataDatabase } from '../database/metadata-database';
import { ProxyAuthentication } from '../database/proxy-authentication';
import { ProxyAdmission } from '../database/proxy-admission';
import { ProxyReadiness } from '../database/proxy-readiness';
import { SNAPSHOT_WAIT_MINUTES } from '../database/server-requests';
import { SnapshotsBeforeDestroy } from '../database/snapshots-before-destroy';
import { TenantDatabaseProxy } from '../database/tenant-database-proxy';
import { TenantDatabaseServer } from '../database/tenant-database-server';
import { letLogsUse, ownKeyProps } from '../encryption/own-key';
import { TenancyAlarms } from '../monitoring/tenancy-alarms';
import { EnvironmentNames } from '../naming/environment-names';
import { TenancyNetwork } from '../network/tenancy-network';
import { AwaitedProvider } from '../provisioning/awaited-provider';
import { REGISTRY_DATABASE } from '../provisioning/desired-databases';
import { Shard } from '../provisioning/shard';
import { ShardsProvisioner } from '../provisioning/shards-provisioner';
import { OWN_WORKER_TASKS } from '../superset/superset-processes';
import { SupersetService } from '../superset/superset-service';
import { AdminLoginSecret } from '../tenant/admin-login-secret';
import { Tenant } from '../tenant/tenant';
import { grantDecryptUnderOwnKeys } from '../tenant/decrypt-under-own-keys';
import { databaseTenantProblems } from '../tenant/tenant-rules';
import { TenantSecret } from '../tenant/tenant-secret';
import { ConfigurationError } from '../validation/configuration-error';
import { checkMetadataConnections } from './connection-budget';
import { noteFitOfShards } from './model-fit';
import { OwnDatabasesStack, PlacedTenant } from './own-databases-stack';
import { ShardBudget, budgetTable, checkShardBudget, shardBudget } from './shard-budget';
import { shardOf } from './shard-placement';
import { supersetOptions } from './superset-options';
import { SharedSupersetOptions } from './tenancy-options';
import { placeTenants } from './tenant-placement';
import { refuse } from '../validation/refuse';
import { supersetProblems } from '../superset/superset-rules';
import { dataProblems } from '../provisioning/data-rules';
import { checkStackQuotas } from '../validation/stack-quotas';

/** A server of tenants' databases. */
export interface TenantShard {
  /** Name of the shard, for good: another name is another server. 1 to 16 characters `a` to `z` and `0` to `9`, starting with a letter. */
  readonly name: string;

  /**
   * The server. Its database must be named `tenancy`.
   *
   * @default - a new one with the defaults of {@link TenantDatabaseServer}
   */
  readonly server?: TenantDatabaseServer;

  /**
   * Id of the one tenant that the server is for.
   *
   * @default - a server for any tenant
   */
  readonly onlyFor?: string;
}

/** Props of {@link DatabasePerTenancy}. */
export interface DatabasePerTenancyProps extends SharedSupersetOptions {
  /**
   * Servers of the tenants' databases, each with a proxy, 1 to 8: each takes up to 36 of the 500 resources that a stack may have.
   *
   * @default - one new server, named `a`
   */
  readonly shards?: TenantShard[];

  /**
   * Names of the shards over which tenants that name none are spread, by a hash of their id. For good: a tenant whose shard
   * changes by another list is refused at deployment.
   *
   * @default - the first shard
   */
  readonly defaultShards?: string[];

  /**
   * Extensions that each tenant's database has, for instance `pg_trgm`.
   *
   * @default - none
   */
  readonly extensions?: string[];

  /**
   * How tenants log in by the proxies. With IAM no tenant has a secret of the database, so that a tenant's own key (`ownKey`) cuts it
   * off only by the storage of a server that is only for it (`onlyFor`).
   *
   * @default ProxyAuthentication.SECRETS
   */
  readonly proxyAuthentication?: ProxyAuthentication;

  /**
   * Share of the connections that a server takes which its proxy may open, in percent, 10 to 90.
   *
   * @default 80
   */
  readonly maxConnectionsPercent?: number;

  /**
   * Share of the connections that a server takes which its proxy keeps open although nobody uses them, in percent.
   *
   * @default - half of `maxConnectionsPercent`
   */
  readonly maxIdleConnectionsPercent?: number;

  /**
   * How long a query waits for a free connection before it fails.
   *
   * @default Duration.seconds(30)
   */
  readonly borrowTimeout?: Duration;

  /**
   * Keys of tenants that have one of their own (`ownKey`), by the tenant's id, where they exist already.
   *
   * @default - made here
   */
  readonly tenantKeys?: { [tenantId: string]: kms.IKey };
}

/**
 * The model with a database for each tenant: one Superset, and as many PostgreSQL servers as it takes, each behind RDS Proxy.
 *
 * Tenants need no row policy: a tenant's login role may connect to the tenant's own database only.
 */
export class DatabasePerTenancy extends Construct {
  /** Key of everything that the model makes, but for what is under a tenant's own. */
  public readonly encryptionKey: kms.IKey;

  /** The tenants. */
  public readonly tenants: Tenant[];

  /** Network. */
  public readonly network: TenancyNetwork;

  /** Servers of the tenants' databases. */
  public readonly shards: Shard[];

  /** The proxy of each shard that has tenants, in the order of the shards. */
  public readonly proxies: TenantDatabaseProxy[];

  /** Server of Superset's metadata. */
  public readonly metadataDatabase: MetadataDatabase;

  /** Cache. */
  public readonly cache: SupersetCache;

  /** Superset. It may connect to the proxies, and log in as each tenant. */
  public readonly superset: SupersetService;

  /** Alarms; send your own to its topic by `addAlarm`. */
  public readonly alarms: TenancyAlarms;

  /** What makes the databases. */
  public readonly provisioner: ShardsProvisioner;

  /** Login of each tenant, in the order of their ids within their stacks; none with IAM authentication. */
  public readonly tenantSecrets: TenantSecret[];

  /** Who needs how many connections of each shard, as a table. */
  public readonly connectionBudget: string;

  /**
   * @param scope the parent.
   * @param id the id in it.
   * @param props the tenants, and parts that exist already.
   * @throws ConfigurationError if a tenant, a shard or the content is not valid, a shard takes fewer connections than its tenants
   * need, or a quota of AWS would be exceeded.
   */
  constructor(scope: Construct, id: string, props: DatabasePerTenancyProps) {
    super(scope, id);
    EnvironmentNames.define(this, { secretNamePrefix: props.secretNamePrefix });
    const given = props.shards ?? [{ name: 'a' }];
    this.checkTenants(props, given);
    this.tenants = props.tenants;
    const removalPolicy = props.removalPolicy ?? RemovalPolicy.RETAIN;
    this.encryptionKey =
      props.encryptionKey ?? new kms.Key(this, 'Key', ownKeyProps(`Tenancy ${this.node.path}`, removalPolicy));
    const ours = { encryptionKey: this.encryptionKey, removalPolicy };

    this.network =
      props.network ?? new TenancyNetwork(this, 'Network', { ...ours, publicSubnets: props.internetFacing });
    const inNetwork = { network: this.network, ...ours };
    this.metadataDatabase = props.metadataDatabase ?? new MetadataDatabase(this, 'Metadata', inNetwork);
    this.cache = props.cache ?? new SupersetCache(this, 'Cache', inNetwork);
    const servers = given.map(({ name, server }) => ({
      name,
      server:
        server ?? new TenantDatabaseServer(this, `Shard-${name}`, { ...inNetwork, databaseName: REGISTRY_DATABASE }),
    }));
    const placement = placementOf(props, given);
    const budgets = servers.map(({ name, server }) =>
      this.newBudget(props, name, server, placement.get(name) as Tenant[]),
    );
    this.connectionBudget = budgetTable(budgets);
    Annotations.of(this).addInfoV2('superset-tenancy:connection-budget', this.connectionBudget);
    this.shards = servers.map((shard, index) => ({ ...shard, connections: budgets[index].needed }));
    noteFitOfShards(this, budgets);

    this.provisioner = new ShardsProvisioner(this, 'Provisioner', {
      network: this.network,
      shards: this.shards,
      reconcileSchedule: props.reconcileSchedule,
      encryptionKey: this.encryptionKey,
    });
    const byToken = props.proxyAuthentication === ProxyAuthentication.IAM;
    if (byToken)
      this.shards.forEach(({ server }) => server.grantTenantLogin(this.provisioner, this.provisioner.handler));
    const rdsRequests = this.newRdsRequests();
    const stacks = this.newStacks(props, placement, removalPolicy);
    new SnapshotsBeforeDestroy(this, 'Snapshots', {
      provider: rdsRequests,
      servers: this.shards.map(({ name, server }) => ({
        shard: name,
        server,
        tenants: placement.get(name) as Tenant[],
      })),
      stacks,
      keepsNothing: removalPolicy === RemovalPolicy.DESTROY,
    });
    const tenants = stacks.flatMap((stack) => stack.tenants);
    this.tenantSecrets = tenants.flatMap(({ secret }) => secret ?? []);
    this.proxies = this.shards
      .map((shard) => ({ shard, logins: tenants.filter((each) => each.shard === shard.name) }))
      .filter(({ logins }) => logins.length > 0)
      .map(
        ({ shard, logins }) =>
          new TenantDatabaseProxy(this, `Proxy-${shard.name}`, {
            network: this.network,
            server: shard.server,
            secrets: byToken ? undefined : logins.flatMap(({ secret }) => secret ?? []),
            maxConnectionsPercent: props.maxConnectionsPercent,
            maxIdleConnectionsPercent: props.maxIdleConnectionsPercent,
            borrowTimeout: props.borrowTimeout,
            encryptionKey: this.encryptionKey,
          }),
      );

    new ProxyAdmission(this, 'ProxyAdmission', { provisioner: this.provisioner, proxies: this.proxies });
    const proxiesReady = new ProxyReadiness(this, 'ProxyReadiness', {
      provider: rdsRequests,
      proxies: this.proxies,
    });
    this.superset = this.newSuperset(props, stacks, proxiesReady, removalPolicy);
    this.alarms = new TenancyAlarms(this, 'Alarms', {
      topic: props.alarmTopic,
      emails: props.alarmEmails,
      encryptionKey: this.encryptionKey,
      shards: this.shards,
      proxies: this.proxies,
      metadataDatabase: this.metadataDatabase,
      cache: this.cache,
      superset: this.superset,
      shardsProvisioner: this.provisioner,
    });
    checkStackQuotas(this);
  }

  private checkTenants(props: DatabasePerTenancyProps, shards: TenantShard[]): void {
    refuse(this, [
      ...databaseTenantProblems(props.tenants, shards, props.defaultShards, props.proxyAuthentication),
      ...dataProblems(props),
      ...supersetProblems(this, props),
    ]);
    const parts = [...shards.map(({ server }) => server), props.metadataDatabase, props.cache];
    if (!props.network && parts.some((part) => part !== undefined)) {
      throw new ConfigurationError(
        this,
        'NETWORK_MISSING',
        'a server or cache is given without its network. Give the network that it stands in, too.',
      );
    }
  }

  private newBudget(
    props: DatabasePerTenancyProps,
    shard: string,
    server: TenantDatabaseServer,
    tenants: Tenant[],
  ): ShardBudget {
    const own = props.tenants.filter(({ ownWorkers }) => ownWorkers).length;
    const { maxWebTasks: web = DEFAULT_TASKS.maxWebTasks, maxWorkerTasks = DEFAULT_TASKS.maxWorkerTasks } = props;
    const tasks = { web, workers: maxWorkerTasks + own * OWN_WORKER_TASKS };
    checkMetadataConnections(this, tasks.web, tasks.workers, this.metadataDatabase.maxConnections);
    const budget = shardBudget({
      shard,
      instanceClass: server.instanceClassName,
      maxConnections: server.maxConnections,
      proxyPercent: props.maxConnectionsPercent ?? 80,
      tenants,
      tasks,
      connectionsPerProcess: props.connectionsPerProcess ?? 5,
    });
    checkShardBudget(this, budget);
    return budget;
  }

  /** One pair of functions for all that a deployment asks of RDS itself: each pair takes some twenty resources of the stack. */
  private newRdsRequests(): AwaitedProvider {
    letLogsUse(this.encryptionKey, this);
    return new AwaitedProvider(this, 'RdsRequests', {
      bundle: join(__dirname, '..', 'database', 'handler.bundle'),
      start: { entry: 'onEvent', description: 'Begins to wait for proxies and snapshots' },
      watch: { entry: 'isComplete', description: 'Asks RDS for the state of proxies, and for snapshots' },
      longest: Duration.minutes(SNAPSHOT_WAIT_MINUTES + 3),
      logGroup: new logs.LogGroup(this, 'RdsRequestsLog', {
        encryptionKey: this.encryptionKey,
        retention: logs.RetentionDays.ONE_YEAR,
        removalPolicy: RemovalPolicy.DESTROY,
      }),
      encryptionKey: this.encryptionKey,
    });
  }

  private newStacks(
    props: DatabasePerTenancyProps,
    placement: Map<string, Tenant[]>,
    removalPolicy: RemovalPolicy,
  ): OwnDatabasesStack[] {
    const shardOfTenant = new Map(
      this.shards.flatMap((shard) =>
        (placement.get(shard.name) as Tenant[]).map((tenant) => [tenant.id, shard] as const),
      ),
    );
    return [...placeTenants(props.tenants)].map(([number, tenants]) => {
      const placed: PlacedTenant[] = tenants.map((tenant) => ({
        tenant,
        shard: shardOfTenant.get(tenant.id) as Shard,
        key: props.tenantKeys?.[tenant.id],
      }));
      return new OwnDatabasesStack(this, `Tenants${number}`, {
        tenants: placed,
        provisioner: this.provisioner,
        schema: props.schema,
        extensions: props.extensions,
        encryptionKey: this.encryptionKey,
        authentication: props.proxyAuthentication ?? ProxyAuthentication.SECRETS,
        removalPolicy: removalPolicy === RemovalPolicy.DESTROY ? removalPolicy : undefined,
      });
    });
  }

  private newSuperset(
    props: DatabasePerTenancyProps,
    stacks: OwnDatabasesStack[],
    proxiesReady: ProxyReadiness,
    removalPolicy: RemovalPolicy,
  ): SupersetService {
    const byToken = this.proxies.some(({ authentication }) => authentication === ProxyAuthentication.IAM);
    const proxyOf = new Map(
      stacks.flatMap(({ tenants }) => tenants).map(({ tenant, shard }) => [tenant.id, this.proxyOfShard(shard)]),
    );
    const superset = new SupersetService(this, 'Superset', {
      ...supersetOptions(props),
      certificate: props.certificate,
      tenants: stacks
        .flatMap(({ supersetTenants }) => supersetTenants)
        .map((each) => (byToken ? { ...each, proxy: proxyOf.get(each.tenant.id) } : each)),
      ownSchema: props.schema ?? 'analytics',
      proxies: this.proxies,
      proxiesReady,
      network: this.network,
      metadataDatabase: this.metadataDatabase,
      cache: this.cache,
      encryptionKey: this.encryptionKey,
      removalPolicy,
    });
    if (byToken) this.proxies.forEach((proxy) => proxy.grantTenantLogin(superset, superset.taskRole));
    else TenantSecret.grantReadAll(superset, superset.taskRole, this.encryptionKey);
    AdminLoginSecret.grantReadAll(superset, superset.migrationRole, this.encryptionKey);
    const adminLogins = stacks
      .flatMap(({ supersetTenants }) => supersetTenants)
      .map(({ adminLogin }) => adminLogin.secret);
    const logins = this.tenantSecrets.map(({ secret }) => secret);
    grantDecryptUnderOwnKeys(logins, superset.taskRole, this.encryptionKey);
    grantDecryptUnderOwnKeys(adminLogins, superset.migrationRole, this.encryptionKey);
    return superset;
  }

  private proxyOfShard(name: string): TenantDatabaseProxy | undefined {
    const shard = this.shards.find((each) => each.name === name);
    return this.proxies.find(({ server }) => server === shard?.server);
  }
}

/** The tenants of each shard. */
function placementOf(props: DatabasePerTenancyProps, shards: TenantShard[]): Map<string, Tenant[]> {
  const placement = new Map(shards.map(({ name }): [string, Tenant[]] => [name, []]));
  for (const tenant of props.tenants) {
    placement.get(shardOf(tenant, shards, props.defaultShards))?.push(tenant);
  }
  return placement;
}
