import { RemovalPolicy } from 'aws-cdk-lib';
import * as acm from 'aws-cdk-lib/aws-certificatemanager';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as kms from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import { DEFAULT_INSTANCE_TASKS } from '../defaults';
import { SupersetCache } from '../cache/superset-cache';
import { OwnMetadataDatabase } from '../database/own-metadata-database';
import { TenantDatabaseServer } from '../database/tenant-database-server';
import { TenancyAlarms } from '../monitoring/tenancy-alarms';
import { EnvironmentNames } from '../naming/environment-names';
import { TenancyNetwork } from '../network/tenancy-network';
import { REGISTRY_DATABASE, metadataDatabaseName, tenantDatabaseName } from '../provisioning/desired-databases';
import { DatabaseTenant, OwnDatabases } from '../provisioning/own-databases';
import { Shard } from '../provisioning/shard';
import { ShardsProvisioner } from '../provisioning/shards-provisioner';
import { SupersetService } from '../superset/superset-service';
import { AdminLoginSecret } from '../tenant/admin-login-secret';
import { Tenant } from '../tenant/tenant';
import { TenantKey } from '../tenant/tenant-key';
import { TenantLoaderSecret } from '../tenant/tenant-loader-secret';
import { TenantMetadataSecret } from '../tenant/tenant-metadata-secret';
import { oneTenantProblems } from '../tenant/tenant-rules';
import { TenantSecret } from '../tenant/tenant-secret';
import { ConfigurationError } from '../validation/configuration-error';
import { checkInstanceConnections, instanceConnections, mostMetadataConnections } from './connection-budget';
import { InstanceCell } from './instance-cell';
import { supersetOptions } from './superset-options';
import { TenancyOptions } from './tenancy-options';
import { refuse } from '../validation/refuse';
import { supersetProblems } from '../superset/superset-rules';
import { dataProblems } from '../provisioning/data-rules';
import { checkStackQuotas } from '../validation/stack-quotas';

/** Props of {@link InstancePerTenancy}. */
export interface InstancePerTenancyProps extends TenancyOptions {
  /** The tenant. */
  readonly tenant: Tenant;

  /**
   * Cell that the instance is in. Its network is the instance's, and its load balancer and server are, too, unless the instance has
   * its own.
   *
   * @default - none: everything is the instance's own
   */
  readonly cell?: InstanceCell;

  /**
   * Certificate of the host name, in the same region.
   *
   * @default - that of the cell's load balancer; a load balancer of its own needs one
   */
  readonly certificate?: acm.ICertificate;

  /**
   * Whether the instance has a load balancer of its own, although its cell has one.
   *
   * @default - false where the cell has one
   */
  readonly ownLoadBalancer?: boolean;

  /**
   * Priority of its rule at the load balancer of the cell, 1 to 50,000, which no other instance of the cell has.
   *
   * @default - none; a load balancer of the cell needs it
   */
  readonly listenerPriority?: number;

  /**
   * Server of its own, for the tenant's data and Superset's metadata. Its database must be named `tenancy`.
   *
   * @default - the cell's, or a new one with the defaults of {@link TenantDatabaseServer}
   */
  readonly database?: TenantDatabaseServer;

  /**
   * Extensions that the tenant's database has, for instance `pg_trgm`.
   *
   * @default - none
   */
  readonly extensions?: string[];

  /**
   * Networks, in CIDR notation, that people may reach it from; at most 4 behind the load balancer of a cell.
   *
   * @default - the VPC, or everywhere if it faces the internet
   */
  readonly allowedNetworks?: string[];

  /**
   * Whether workers run on Fargate Spot, which costs less and may be ended at any time: their tasks then begin anew.
   *
   * @default false
   */
  readonly spotWorkers?: boolean;
}

/**
 * The model with a Superset for each tenant: this is the one of one tenant, with database, cache, secrets and key of its own.
 *
 * Whoever has the secrets, the session cookies or the guest tokens of one instance has nothing at another: each has keys of its own.
 */
export class InstancePerTenancy extends Construct {
  /** The tenant. */
  public readonly tenant: Tenant;

  /** Key of everything that is the tenant's alone, with the alias `alias/superset/tenant/<id>` unless it was given. */
  public readonly encryptionKey: kms.IKey;

  /** Network. */
  public readonly network: TenancyNetwork;

  /** Server of the tenant's data and of Superset's metadata: its own, or the cell's. */
  public readonly shard: Shard;

  /** What makes the databases: its own, or the cell's. */
  public readonly provisioner: ShardsProvisioner;

  /** Superset's metadata. */
  public readonly metadataDatabase: OwnMetadataDatabase;

  /** Cache. */
  public readonly cache: SupersetCache;

  /** Superset. It may read the secrets of its tenant only. */
  public readonly superset: SupersetService;

  /** Alarms; send your own to its topic by `addAlarm`. */
  public readonly alarms: TenancyAlarms;

  /** Login of the tenant in PostgreSQL. */
  public readonly tenantSecret: TenantSecret;

  /** First login of the tenant's administrator in Superset. */
  public readonly adminLogin: AdminLoginSecret;

  /** Login of the tenant's ETL, if it has one. */
  public readonly loaderSecret?: TenantLoaderSecret;

  /**
   * @param scope the parent.
   * @param id the id in it.
   * @param props the tenant, and parts that exist already.
   * @throws ConfigurationError if the tenant or the content is not valid, or its server takes fewer connections than it needs.
   */
  constructor(scope: Construct, id: string, props: InstancePerTenancyProps) {
    super(scope, id);
    const { tenant, cell } = props;
    const inCell = !props.database && cell?.shard && cell.provisioner;
    this.nameEnvironment(props, inCell || undefined);
    this.check(props);
    this.tenant = tenant;
    const removalPolicy = props.removalPolicy ?? RemovalPolicy.RETAIN;
    this.encryptionKey = props.encryptionKey ?? new TenantKey(this, 'Key', { tenant, removalPolicy }).key;
    const ours = { encryptionKey: this.encryptionKey, removalPolicy };
    this.network =
      props.network ??
      cell?.network ??
      new TenancyNetwork(this, 'Network', { ...ours, publicSubnets: props.internetFacing });

    this.shard = inCell ? cell.shard : this.newShard(props, removalPolicy);
    this.provisioner = inCell ? cell.provisioner : this.newProvisioner(props);
    const address = { host: this.shard.server.hostname, port: this.shard.server.port };
    const secrets = this.newSecrets(props, address);
    this.tenantSecret = secrets.tenantSecret;
    this.adminLogin = secrets.adminLogin;
    this.loaderSecret = secrets.loaderSecret;
    const databases = this.newDatabases(props, secrets.metadataSecret, Boolean(inCell));

    const door = inCell ? this.doorOf(this.shard.server) : this.shard.server.connections;
    this.metadataDatabase = new OwnMetadataDatabase(this, 'Metadata', {
      tenant,
      server: this.shard.server,
      databases,
      secret: secrets.metadataSecret,
      connections: door,
    });
    this.cache = props.cache ?? new SupersetCache(this, 'Cache', { network: this.network, ...ours });
    this.superset = this.newSuperset(props, removalPolicy);
    this.alarms = new TenancyAlarms(this, 'Alarms', {
      topic: props.alarmTopic,
      emails: props.alarmEmails,
      encryptionKey: this.encryptionKey,
      shards: inCell ? undefined : [this.shard],
      cache: this.cache,
      superset: this.superset,
      shardsProvisioner: inCell ? undefined : this.provisioner,
    });
    checkStackQuotas(this);
  }

  /** The secrets of an instance on the server of a cell are read by the cell's provisioner. */
  private nameEnvironment({ secretNamePrefix }: InstancePerTenancyProps, provisioner?: ShardsProvisioner): void {
    if (!provisioner) {
      EnvironmentNames.define(this, { secretNamePrefix });
      return;
    }
    const ofCell = EnvironmentNames.share(this, EnvironmentNames.of(provisioner)).secretNamePrefix;
    if (secretNamePrefix !== undefined && secretNamePrefix !== ofCell) {
      throw new ConfigurationError(
        this,
        'SECRET_NAME_PREFIX_OF_CELL',
        `secretNamePrefix is '${secretNamePrefix}', and that of its cell ${ofCell ? `'${ofCell}'` : 'is none'}. The provisioner of the cell reads the instance's secrets: give both the same.`,
      );
    }
  }

  private check(props: InstancePerTenancyProps): void {
    refuse(this, [...oneTenantProblems(props.tenant), ...dataProblems(props), ...supersetProblems(this, props)]);
    if (!props.network && !props.cell && (props.database || props.cache)) {
      throw new ConfigurationError(
        this,
        'NETWORK_MISSING',
        'a server or cache is given without its network. Give the network that it stands in, too.',
      );
    }
    if (props.network && props.cell && props.network !== props.cell.network) {
      throw new ConfigurationError(
        this,
        'NETWORK_TWOFOLD',
        'a network is given, and a cell that has another one. Leave out the one or the other.',
      );
    }
  }

  private newShard(props: InstancePerTenancyProps, removalPolicy: RemovalPolicy): Shard {
    const server =
      props.database ??
      new TenantDatabaseServer(this, 'Database', {
        network: this.network,
        databaseName: REGISTRY_DATABASE,
        encryptionKey: this.encryptionKey,
        removalPolicy,
      });
    const load = { tenant: props.tenant, ...mostTasks(props) };
    return { name: 'own', server, connections: checkInstanceConnections(this, [load], server.maxConnections) };
  }

  private newProvisioner(props: InstancePerTenancyProps): ShardsProvisioner {
    return new ShardsProvisioner(this, 'Provisioner', {
      network: this.network,
      shards: [this.shard],
      onlyFor: props.tenant,
      reconcileSchedule: props.reconcileSchedule,
      encryptionKey: this.encryptionKey,
    });
  }

  private newSecrets({ tenant }: InstancePerTenancyProps, address: { readonly host: string; readonly port: string }) {
    const common = { tenant, encryptionKey: this.encryptionKey };
    const login = { ...common, ...address, database: tenantDatabaseName(tenant.id) };
    return {
      tenantSecret: new TenantSecret(this, 'Tenant', login),
      adminLogin: new AdminLoginSecret(this, 'Admin', common),
      loaderSecret: tenant.loader ? new TenantLoaderSecret(this, 'Loader', login) : undefined,
      metadataSecret: new TenantMetadataSecret(this, 'MetadataLogin', {
        ...login,
        database: metadataDatabaseName(tenant.id),
      }),
    };
  }

  private newDatabases(
    props: InstancePerTenancyProps,
    metadataSecret: TenantMetadataSecret,
    inCell: boolean,
  ): OwnDatabases {
    const { maxWebTasks, maxWorkerTasks } = mostTasks(props);
    const tenant: DatabaseTenant = {
      tenant: props.tenant,
      shard: this.shard.name,
      secret: this.tenantSecret,
      loaderSecret: this.loaderSecret,
      metadataSecret,
      metadataConnections: mostMetadataConnections(maxWebTasks, maxWorkerTasks),
    };
    return new OwnDatabases(this, 'Databases', {
      provisioner: this.provisioner,
      batch: props.tenant.id,
      schema: props.schema,
      extensions: props.extensions,
      connections: inCell ? instanceConnections({ tenant: props.tenant, ...mostTasks(props) }) : undefined,
      tenants: [tenant],
    });
  }

  /** The way to the cell's server, opened from this stack, so that the cell depends on none of its instances. */
  private doorOf(server: TenantDatabaseServer): ec2.Connections {
    const [securityGroup] = server.connections.securityGroups;
    return new ec2.Connections({
      securityGroups: [
        ec2.SecurityGroup.fromSecurityGroupId(this, 'ServerSecurityGroup', securityGroup.securityGroupId),
      ],
      defaultPort: server.connections.defaultPort,
    });
  }

  private newSuperset(props: InstancePerTenancyProps, removalPolicy: RemovalPolicy): SupersetService {
    const sharedLoadBalancer = props.ownLoadBalancer ? undefined : props.cell?.loadBalancer;
    const superset = new SupersetService(this, 'Superset', {
      ...supersetOptions(props),
      ...mostTasks(props),
      certificate: props.certificate,
      tenants: [{ tenant: props.tenant, adminLogin: this.adminLogin }],
      ownSchema: props.schema ?? 'analytics',
      sharedLoadBalancer,
      listenerPriority: sharedLoadBalancer && props.listenerPriority,
      allowedNetworks: props.allowedNetworks,
      spotWorkers: props.spotWorkers,
      network: this.network,
      metadataDatabase: this.metadataDatabase,
      cache: this.cache,
      encryptionKey: this.encryptionKey,
      removalPolicy,
    });
    this.tenantSecret.grantRead(superset.taskRole);
    this.adminLogin.grantRead(superset.migrationRole);
    return superset;
  }
}

/** As many tasks as there may be. */
function mostTasks(props: InstancePerTenancyProps) {
  const { maxWebTasks, maxWorkerTasks } = DEFAULT_INSTANCE_TASKS;
  return { maxWebTasks: props.maxWebTasks ?? maxWebTasks, maxWorkerTasks: props.maxWorkerTasks ?? maxWorkerTasks };
}
