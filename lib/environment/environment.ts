import { ProxyAuthentication } from '../database/proxy-authentication';
import { TenantColumn, TenantTable } from '../database/tenant-table';
import { Tenant } from '../tenant/tenant';

/** Tenancy model of an environment. */
export enum TenancyModel {
  /** One Superset, one PostgreSQL server, row-level security. */
  SHARED_RLS = 'shared-rls',
  /** One Superset, a database for each tenant, over as many PostgreSQL servers as it takes, behind RDS Proxy. */
  DATABASE_PER_TENANT = 'database-per-tenant',
}

/** One environment: all that a deployment needs to know. The file in YAML has exactly this shape. */
export interface Environment {
  /**
   * AWS account that it is deployed to, 12 digits (quote them in YAML).
   *
   * @pattern ^[0-9]{12}$
   * @patternErrorMessage 12 digits in quotes, for instance '123456789012'
   */
  readonly account: string;

  /**
   * AWS region that it is deployed to.
   *
   * @pattern ^[a-z]{2}(-[a-z]+)+-[0-9]$
   * @patternErrorMessage the name of a region, for instance eu-central-1
   */
  readonly region: string;

  /** Tenancy model. */
  readonly model: TenancyModel;

  /**
   * Network.
   *
   * @default - a VPC of its own over two availability zones
   */
  readonly network?: EnvironmentNetwork;

  /** Host name and certificate of Superset. */
  readonly domain: EnvironmentDomain;

  /**
   * Server of the tenants' data; with model `database-per-tenant`, what shards have that do not say otherwise.
   *
   * @default - the defaults of each size
   */
  readonly database?: EnvironmentDatabase;

  /**
   * Servers of the tenants' databases, each with a proxy, of which an account and region has 20 until AWS raises it
   * (RDS User Guide, "Quotas and limitations for RDS Proxy"). Model `database-per-tenant` only.
   *
   * @minItems 1
   * @maxItems 20
   * @default - one, named `a`
   */
  readonly shards?: EnvironmentShard[];

  /**
   * Names of the shards over which tenants that name none are spread, by a hash of their id. For good: a tenant whose shard
   * changes by another list is refused at deployment. A shard that is added later takes the tenants that name it.
   *
   * @minItems 1
   * @default - the first shard
   */
  readonly defaultShards?: string[];

  /**
   * The proxies of all shards. Model `database-per-tenant` only.
   *
   * @default - the defaults of each setting
   */
  readonly proxy?: EnvironmentProxy;

  /**
   * Server of Superset's own metadata.
   *
   * @default - the defaults of each size
   */
  readonly metadataDatabase?: EnvironmentDatabase;

  /**
   * Valkey cache.
   *
   * @default - the defaults of each size
   */
  readonly cache?: EnvironmentCache;

  /** Superset. */
  readonly superset: EnvironmentSuperset;

  /**
   * Where alarms go.
   *
   * @default - a topic without subscribers
   */
  readonly alarms?: EnvironmentAlarms;

  /** The tables that tenants may read. */
  readonly data: EnvironmentData;

  /**
   * The tenants.
   *
   * @minItems 1
   */
  readonly tenants: Tenant[];

  /**
   * Delete databases, secrets and keys together with the stack, and drop deletion protection. For throw-away
   * environments only.
   *
   * @default false
   */
  readonly destroyDataWithStack?: boolean;
}

/** Network of an environment. */
export interface EnvironmentNetwork {
  /**
   * Id of an existing VPC with private subnets.
   *
   * @pattern ^vpc-[0-9a-f]{8,17}$
   * @patternErrorMessage the id of a VPC, for instance vpc-0a1b2c3d4e5f67890
   * @default - a new VPC
   */
  readonly vpcId?: string;

  /**
   * Address range of the new VPC, /16 to /22.
   *
   * @pattern ^[0-9]{1,3}(\.[0-9]{1,3}){3}/(1[6-9]|2[0-2])$
   * @patternErrorMessage an IPv4 range from /16 to /22, for instance 10.40.0.0/16
   * @default '10.40.0.0/16'
   */
  readonly cidr?: string;

  /**
   * Availability zones of the new VPC, by name.
   *
   * @minItems 2
   * @maxItems 3
   * @default - two that the account has, looked up
   */
  readonly availabilityZones?: string[];

  /**
   * Whether Superset may reach the internet through a NAT gateway. Without it, interface endpoints carry what is
   * needed, and nothing else gets out.
   *
   * @default false
   */
  readonly internetEgress?: boolean;
}

/** Host name and certificate. */
export interface EnvironmentDomain {
  /**
   * Host name of Superset.
   *
   * @maxLength 253
   * @pattern ^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$
   * @patternErrorMessage a host name in lower case, for instance superset.example.com, of at most 253 characters
   */
  readonly name: string;

  /**
   * ARN of the ACM certificate of that name, in the environment's region.
   *
   * @pattern ^arn:aws[a-z-]*:acm:[a-z0-9-]+:[0-9]{12}:certificate/[0-9a-f-]+$
   * @patternErrorMessage the ARN of an ACM certificate: arn:aws:acm:<region>:<account>:certificate/<id>
   */
  readonly certificateArn: string;

  /**
   * Whether the load balancer takes connections from the internet, behind a web ACL.
   *
   * @default - false: only from the VPC and what is peered with it
   */
  readonly internetFacing?: boolean;
}

/** Size of a PostgreSQL server. */
export interface EnvironmentDatabase {
  /**
   * RDS instance class without `db.`, for instance `m7g.large`: of the families t3, t4g, m6g, m6i, m7g, m7i, m8g, r6g,
   * r6i, r7g, r7i and r8g.
   *
   * @default - 'm7g.large' for the tenants, 't4g.medium' for the metadata
   */
  readonly instanceClass?: string;

  /**
   * Storage in GiB, 20 to 65,536 (RDS User Guide, "gp3 storage").
   *
   * @minimum 20
   * @maximum 65536
   * @asType integer
   * @default - 100 for the tenants, 20 for the metadata
   */
  readonly storageGiB?: number;

  /**
   * Whether a standby runs in a second availability zone.
   *
   * @default true
   */
  readonly multiAz?: boolean;

  /**
   * Days that automated backups are kept, 1 to 35.
   *
   * @minimum 1
   * @maximum 35
   * @asType integer
   * @default 14
   */
  readonly backupDays?: number;

  /**
   * PostgreSQL version, `major.minor` in quotes: at least 15.14, 16.10 or 17.6 (CVE-2025-8713).
   *
   * @pattern ^(15|16|17)\.[0-9]+$
   * @patternErrorMessage major.minor of PostgreSQL 15, 16 or 17 in quotes, for instance '17.9'
   * @default '17.9'
   */
  readonly postgresVersion?: string;
}

/** A server of tenants' databases, with its proxy. What it leaves out is as `database` of the environment says. */
export interface EnvironmentShard extends EnvironmentDatabase {
  /**
   * Name of the shard, for good: another name is another server.
   *
   * @pattern ^[a-z][a-z0-9]{0,15}$
   * @patternErrorMessage 1 to 16 characters: a to z and 0 to 9, starting with a letter
   */
  readonly name: string;

  /**
   * Id of the one tenant that the server is for. With the tenant's own key (`ownKey`), its storage and backups are under it.
   *
   * @maxLength 31
   * @pattern ^[a-z][a-z0-9_]{2,30}$
   * @patternErrorMessage the id of a tenant
   * @default - a server for any tenant
   */
  readonly onlyFor?: string;
}

/** RDS Proxy in front of each shard. */
export interface EnvironmentProxy {
  /**
   * How tenants log in by it: `secrets`, a password in a secret of each tenant's own, of which a proxy takes 200; or `iam`, tokens of
   * IAM that live for 15 minutes, and no secrets. On a deployed environment, a change interrupts all queries for some minutes.
   *
   * @default ProxyAuthentication.SECRETS
   */
  readonly authentication?: ProxyAuthentication;

  /**
   * Share of the connections that the server takes which the proxy may open, in percent. The rest is for the provisioner, the
   * tenants' ETL and operators, who connect to the server itself.
   *
   * @minimum 10
   * @maximum 90
   * @asType integer
   * @default 80
   */
  readonly maxConnectionsPercent?: number;

  /**
   * Share of the connections that the server takes which the proxy keeps open although nobody uses them, in percent. Not more
   * than `maxConnectionsPercent`.
   *
   * @minimum 0
   * @maximum 90
   * @asType integer
   * @default 40
   */
  readonly maxIdleConnectionsPercent?: number;

  /**
   * Seconds that a query waits for a free connection before it fails.
   *
   * @minimum 1
   * @maximum 300
   * @asType integer
   * @default 30
   */
  readonly borrowTimeoutSeconds?: number;
}

/** Size of the cache. */
export interface EnvironmentCache {
  /**
   * ElastiCache node type with `cache.`, of the families t3, t4g, m6g, m7g, r6g and r7g.
   *
   * @default 'cache.t4g.small'
   */
  readonly nodeType?: string;

  /**
   * Replicas beside the primary, 0 to 5.
   *
   * @minimum 0
   * @maximum 5
   * @asType integer
   * @default 1
   */
  readonly replicas?: number;
}

/** Superset of an environment. */
export interface EnvironmentSuperset {
  /**
   * Version of Superset.
   *
   * @pattern ^6\.[0-9]+\.[0-9]+$
   * @patternErrorMessage a release of Superset 6, for instance 6.1.0
   */
  readonly version: string;

  /**
   * URI of a ready-made image in a registry that the account can pull from.
   *
   * @minLength 1
   * @maxLength 512
   * @pattern ^[^\s]+$
   * @patternErrorMessage the URI of an image, without blanks
   * @default - built from `superset/`
   */
  readonly image?: string;

  /**
   * Path of a bundle of datasets, charts and dashboards that Superset has exported (a ZIP file of at most 10 MiB), relative to
   * the environment file. Each tenant gets its own copy over its own data.
   *
   * @maxLength 1024
   * @pattern ^[^\p{Cc}]+$
   * @patternErrorMessage the path of a ZIP file, of at most 1024 characters
   * @default - none: tenants begin with nothing
   */
  readonly contentBundle?: string;

  /**
   * Web tasks at least, 1 to 100.
   *
   * @minimum 1
   * @maximum 100
   * @asType integer
   * @default 2
   */
  readonly minWebTasks?: number;

  /**
   * Web tasks at most, 1 to 100.
   *
   * @minimum 1
   * @maximum 100
   * @asType integer
   * @default 6
   */
  readonly maxWebTasks?: number;

  /**
   * Worker tasks at least, 1 to 100.
   *
   * @minimum 1
   * @maximum 100
   * @asType integer
   * @default 1
   */
  readonly minWorkerTasks?: number;

  /**
   * Worker tasks at most, 1 to 100.
   *
   * @minimum 1
   * @maximum 100
   * @asType integer
   * @default 4
   */
  readonly maxWorkerTasks?: number;

  /**
   * Connections of one tenant in one process of Superset, 1 to 20. A web task has two processes, a worker task three.
   *
   * @minimum 1
   * @maximum 20
   * @asType integer
   * @default 5
   */
  readonly connectionsPerProcess?: number;
}

/** Where alarms go. */
export interface EnvironmentAlarms {
  /**
   * E-mail addresses that get every alarm.
   *
   * @default - none
   */
  readonly emails?: string[];
}

/** The tenants' data. */
export interface EnvironmentData {
  /**
   * Schema of the tables.
   *
   * @pattern ^[a-z_][a-z0-9_]{0,62}$
   * @patternErrorMessage 1 to 63 characters: a to z, 0 to 9 and _, not starting with a digit
   * @default 'analytics'
   */
  readonly schema?: string;

  /**
   * Extensions that each tenant's database has, for instance `pg_trgm`. Model `database-per-tenant` only.
   *
   * @default - none
   */
  readonly extensions?: string[];

  /** The column that says which tenant a row belongs to. Model `database-per-tenant` does not look at it. */
  readonly tenantColumn: TenantColumn;

  /**
   * The tables. With model `database-per-tenant` a tenant may read whatever is in the schema of its database.
   *
   * @minItems 1
   */
  readonly tables: TenantTable[];
}
