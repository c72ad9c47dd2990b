import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as rds from 'aws-cdk-lib/aws-rds';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { Construct, IDependable } from 'constructs';
import { DEFAULT_BACKUP_DAYS, DEFAULT_TENANTS_SERVER } from '../defaults';
import { TenancyNetwork } from '../network/tenancy-network';
import { PostgresServer } from './postgres-server';
import { POSTGRES_VERSION } from './postgres-version';
import { grantTenantLogin } from './tenant-login';

/** Props of {@link TenantDatabaseServer}. */
export interface TenantDatabaseServerProps {
  /** Network; the server stands in its database subnets. */
  readonly network: TenancyNetwork;

  /**
   * RDS instance class without `db.`. Its memory decides how many connections all tenants have together.
   *
   * @default 'm7g.large'
   */
  readonly instanceClass?: string;

  /**
   * Storage in GiB, 20 to 65,536 (RDS User Guide, "Amazon RDS DB instance storage"). It grows by itself up to five
   * times as much.
   *
   * @default 100
   */
  readonly storageGiB?: number;

  /**
   * Whether a standby runs in a second availability zone.
   *
   * @default true
   */
  readonly multiAz?: boolean;

  /**
   * How long automated backups are kept, 1 to 35 days.
   *
   * @default Duration.days(14)
   */
  readonly backupRetention?: Duration;

  /**
   * PostgreSQL version: `15`, `16` or `17`, of which RDS takes its preferred minor, or `major.minor` from 15.14, 16.10 and 17.6 on.
   * RDS applies minor upgrades by itself, and ends the creation of servers with a minor about a year after its release: one that is
   * named has to be kept up to date.
   *
   * @default '17'
   */
  readonly postgresVersion?: string;

  /**
   * Name of the database that holds the tenants' data.
   *
   * @default 'analytics'
   */
  readonly databaseName?: string;

  /**
   * Key of storage, backups, logs, insights and the master secret. Its policy must let CloudWatch Logs use it; that
   * is added unless the key is imported.
   *
   * @default - a key of its own, rotated yearly
   */
  readonly encryptionKey?: kms.IKey;

  /**
   * What happens to the server with the stack. All but DESTROY turns deletion protection on as soon as the server is
   * there, and keeps automated backups, log groups, the own key and what else the server uses.
   * RETAIN does not keep what a failed deployment has created.
   *
   * @default RemovalPolicy.RETAIN
   */
  readonly removalPolicy?: RemovalPolicy;
}

/** The PostgreSQL server of the tenants' data. */
export class TenantDatabaseServer extends Construct implements ec2.IConnectable {
  /** The RDS instance. */
  public readonly instance: rds.IDatabaseInstance;

  /**
   * Secret of the master user: `username` and `password`, made by RDS and rotated by it
   * every 7 days: read it when you connect, not when you start.
   */
  public readonly masterSecret: secretsmanager.ISecret;

  /** Host name of the server. */
  public readonly hostname: string;

  /** Port of the server, as text. */
  public readonly port: string;

  /** Name of the database that holds the tenants' data. */
  public readonly databaseName: string;

  /** RDS instance class without `db.`. */
  public readonly instanceClassName: string;

  /** Storage in GiB that the server starts with. */
  public readonly storageGiB: number;

  /** Connections that the server takes (`max_connections`). */
  public readonly maxConnections: number;

  /** Who may connect. Nobody may before a call to `connections.allowDefaultPortFrom`. */
  public readonly connections: ec2.Connections;

  private readonly server: PostgresServer;

  /**
   * @param scope the parent.
   * @param id the id in it.
   * @param props the server.
   * @throws ConfigurationError if a size does not exist, or the version is unsupported or leaks rows.
   */
  constructor(scope: Construct, id: string, props: TenantDatabaseServerProps) {
    super(scope, id);
    this.databaseName = props.databaseName ?? 'analytics';
    this.instanceClassName = props.instanceClass ?? DEFAULT_TENANTS_SERVER.instanceClass;
    this.storageGiB = props.storageGiB ?? DEFAULT_TENANTS_SERVER.storageGiB;
    const server = new PostgresServer(this, 'Server', {
      network: props.network,
      instanceClass: this.instanceClassName,
      storageGiB: this.storageGiB,
      multiAz: props.multiAz ?? DEFAULT_TENANTS_SERVER.multiAz,
      backupRetention: props.backupRetention ?? Duration.days(DEFAULT_BACKUP_DAYS),
      postgresVersion: props.postgresVersion ?? POSTGRES_VERSION,
      databaseName: this.databaseName,
      masterUsername: 'tenancymaster',
      encryptionKey: props.encryptionKey,
      removalPolicy: props.removalPolicy ?? RemovalPolicy.RETAIN,
    });
    this.server = server;
    this.instance = server.instance;
    this.masterSecret = server.masterSecret;
    this.hostname = server.instance.dbInstanceEndpointAddress;
    this.port = server.instance.dbInstanceEndpointPort;
    this.maxConnections = server.maxConnections;
    this.connections = server.connections;
  }

  /**
   * Has resources of this stack made before deletion protection is turned on.
   *
   * @internal
   */
  public _protectAfter(...resources: IDependable[]): void {
    this.server.protectAfter(...resources);
  }

  /**
   * Lets a principal read the master secret.
   *
   * @param grantee who.
   */
  public grantMasterSecretRead(grantee: iam.IGrantable): iam.Grant {
    return this.masterSecret.grantRead(grantee);
  }

  /**
   * Lets a principal log in to the server as any tenant, with tokens of IAM that it signs. The server takes them from roles that are
   * in `rds_iam`, as {@link OwnDatabases} puts them into it.
   *
   * @param scope the construct that asks, in the stack of the server. The finding on the wildcard in the policy is acknowledged on it.
   * @param grantee who.
   */
  public grantTenantLogin(scope: Construct, grantee: iam.IGrantable): iam.Grant {
    return grantTenantLogin(scope, this.instance.instanceResourceId!, grantee);
  }

  /**
   * Connections in use (`DatabaseConnections`).
   *
   * @param options of the metric; without them the maximum of 5 minutes.
   */
  public metricConnections(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.instance.metricDatabaseConnections({ statistic: cloudwatch.Stats.MAXIMUM, ...options });
  }
}
