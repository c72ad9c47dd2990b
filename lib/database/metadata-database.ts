import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as rds from 'aws-cdk-lib/aws-rds';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { Construct, IConstruct } from 'constructs';
import { DEFAULT_BACKUP_DAYS, DEFAULT_METADATA_SERVER } from '../defaults';
import { LoginSecret } from '../tenant/login-secret';
import { TenancyNetwork } from '../network/tenancy-network';
import { kept } from '../protection/protection';
import { PostgresServer } from './postgres-server';
import { POSTGRES_VERSION } from './postgres-version';

/** Props of {@link MetadataDatabase}. */
export interface MetadataDatabaseProps {
  /** Network; the server stands in its database subnets. */
  readonly network: TenancyNetwork;

  /**
   * RDS instance class without `db.`.
   *
   * @default 't4g.medium'
   */
  readonly instanceClass?: string;

  /**
   * Storage in GiB, 20 to 65,536 (RDS User Guide, "Amazon RDS DB instance storage"). It grows by itself up to five
   * times as much.
   *
   * @default 20
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
   * Key of storage, backups, logs, insights and the secrets. Its policy must let CloudWatch Logs use it; that is
   * added unless the key is imported.
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

/** Where Superset has its own metadata. */
export interface IMetadataDatabase extends ec2.IConnectable, IConstruct {
  /** Host name of the server. */
  readonly hostname: string;

  /** Port of the server, as text. */
  readonly port: string;

  /** Name of the database. */
  readonly databaseName: string;

  /**
   * Secret of the role that owns the database, with which Superset's migration logs in: `username` and `password`, read with
   * each connection.
   */
  readonly secret: secretsmanager.ISecret;

  /**
   * Secret of the role that web, workers and beat log in with: `username` and `password`, read with each connection. The role
   * owns nothing; the migration creates it and sets its password.
   *
   * @default - none: the metadata is one tenant's, and all of Superset logs in as its owner
   */
  readonly webSecret?: secretsmanager.ISecret;

  /** Connections that the server takes (`max_connections`). */
  readonly maxConnections: number;

  /**
   * Lets a principal read the secret of the owner.
   *
   * @param grantee the principal.
   */
  grantSecretRead(grantee: iam.IGrantable): iam.Grant;
}

/**
 * The PostgreSQL server of Superset's own metadata: users, roles, charts, dashboards.
 *
 * It is a server of its own, so that no role of a tenant exists on it and no database of the tenants' server leads to
 * it. Superset's migration logs in as the master user, which owns the tables; its services as the role `superset_web`, which
 * owns nothing.
 */
export class MetadataDatabase extends Construct implements IMetadataDatabase {
  /** The RDS instance. */
  public readonly instance: rds.IDatabaseInstance;

  /**
   * Secret of the master user, which owns the database: `username` and `password`, made by RDS and rotated by it
   * every 7 days: read it when you connect, not when you start.
   */
  public readonly secret: secretsmanager.ISecret;

  /** Secret of the role `superset_web`, with which web, workers and beat log in. */
  public readonly webSecret?: secretsmanager.ISecret;

  /** Host name of the server. */
  public readonly hostname: string;

  /** Port of the server, as text. */
  public readonly port: string;

  /** Name of the database. */
  public readonly databaseName: string;

  /** RDS instance class without `db.`. */
  public readonly instanceClassName: string;

  /** Storage in GiB that the server starts with. */
  public readonly storageGiB: number;

  /** Connections that the server takes (`max_connections`). */
  public readonly maxConnections: number;

  /** Who may connect. Nobody may before a call to `connections.allowDefaultPortFrom`. */
  public readonly connections: ec2.Connections;

  /**
   * @param scope the parent.
   * @param id the id in it.
   * @param props the server.
   * @throws ConfigurationError if a size does not exist, or the version is unsupported or vulnerable.
   */
  constructor(scope: Construct, id: string, props: MetadataDatabaseProps) {
    super(scope, id);
    this.databaseName = 'superset';
    this.instanceClassName = props.instanceClass ?? DEFAULT_METADATA_SERVER.instanceClass;
    this.storageGiB = props.storageGiB ?? DEFAULT_METADATA_SERVER.storageGiB;
    const removalPolicy = props.removalPolicy ?? RemovalPolicy.RETAIN;
    const server = new PostgresServer(this, 'Server', {
      network: props.network,
      instanceClass: this.instanceClassName,
      storageGiB: this.storageGiB,
      multiAz: props.multiAz ?? DEFAULT_METADATA_SERVER.multiAz,
      backupRetention: props.backupRetention ?? Duration.days(DEFAULT_BACKUP_DAYS),
      postgresVersion: props.postgresVersion ?? POSTGRES_VERSION,
      databaseName: this.databaseName,
      masterUsername: 'supersetmaster',
      encryptionKey: props.encryptionKey,
      removalPolicy,
    });
    this.instance = server.instance;
    this.secret = server.masterSecret;
    this.hostname = server.instance.dbInstanceEndpointAddress;
    this.port = server.instance.dbInstanceEndpointPort;
    this.maxConnections = server.maxConnections;
    this.connections = server.connections;
    this.webSecret = new LoginSecret(this, 'WebLogin', {
      description: 'PostgreSQL login of the web, workers and beat of Superset to its metadata',
      username: WEB_ROLE,
      host: this.hostname,
      port: this.port,
      database: this.databaseName,
      encryptionKey: server.encryptionKey,
      removalPolicy: kept(removalPolicy),
    });
  }

  /**
   * Lets a principal read the secret of the owner.
   *
   * @param grantee the principal.
   */
  public grantSecretRead(grantee: iam.IGrantable): iam.Grant {
    return this.secret.grantRead(grantee);
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

/** Role of PostgreSQL that owns nothing, so that row-level security holds for it. */
const WEB_ROLE = 'superset_web';
