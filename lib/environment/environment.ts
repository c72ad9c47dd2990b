import { ProxyAuthentication } from '../database/proxy-authentication';
import { TenantColumn, TenantTable } from '../database/tenant-table';
import { Brand } from '../superset/brand';
import { Tenant } from '../tenant/tenant';
import { InstanceSharing } from '../tenant/tenant-instance';

/** Tenancy model of an environment. */
export enum TenancyModel {
  /** One Superset, one PostgreSQL server, row-level security. */
  SHARED_RLS = 'shared-rls',
  /** One Superset, a database for each tenant, over as many PostgreSQL servers as it takes, behind RDS Proxy. */
  DATABASE_PER_TENANT = 'database-per-tenant',
  /** A Superset for each tenant, with database, cache, secrets and keys of its own, in the tenant's region. */
  INSTANCE_PER_TENANT = 'instance-per-tenant',
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
   * What the names of its secrets, and the aliases of its tenants' keys, begin with: with `dev`, a tenant's login is
   * `dev/superset/tenant/<id>/db_credentials`. Two environments of one account and region that have tenants of the same id, or that are
   * both of model `shared-rls`, need it. For good: another prefix makes new secrets.
   *
   * @pattern ^(?!aws(/|$))(?=.{1,64}$)[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*$
   * @patternErrorMessage 1 to 64 letters, digits, `_` and `-`, in parts with `/` between them, and not begin with aws/; for instance dev
   * @default - none
   */
  readonly secretNamePrefix?: string;

  /**
   * Network.
   *
   * @default - a VPC of its own over two availability zones
   */
  readonly network?: EnvironmentNetwork;

  /** Host name and certificate of Superset. */
  readonly domain: EnvironmentDomain;

  /**
   * Server of the tenants' data; with model `database-per-tenant`, what shards have that do not say otherwise, and with
   * `instance-per-tenant`, what tenants' own servers have whatever the size of the instance.
   *
   * @default - the defaults of each size
   */
  readonly database?: EnvironmentDatabase;

  /**
   * Servers of the tenants' databases, each with a proxy, at most 8: each takes up to 36 of the 500 resources that a stack may have
   * (CloudFormation User Guide, "Understand CloudFormation quotas"). Model `database-per-tenant` only.
   *
   * @minItems 1
   * @maxItems 8
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
   * What all instances have that do not say otherwise. Model `instance-per-tenant` only.
   *
   * @default - the preset `standard`
   */
  readonly instances?: EnvironmentInstances;

  /**
   * Further regions that tenants may be in. Model `instance-per-tenant` only.
   *
   * @minItems 1
   * @default - none
   */
  readonly regions?: EnvironmentRegion[];

  /**
   * Server of Superset's own metadata. Not with model `instance-per-tenant`, where it is on the server of the tenant's data.
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

  /**
   * The tenants' data. Model `shared-rls` needs it.
   *
   * @default - the default schema, and no extensions
   */
  readonly data?: EnvironmentData;

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
   * PostgreSQL version in quotes: `15`, `16` or `17`, of which RDS takes its preferred minor, or `major.minor`, at least 15.14, 16.10 or
   * 17.6 (CVE-2025-8713), which RDS creates servers with for about a year.
   *
   * @pattern ^(15|16|17)(\.[0-9]+)?$
   * @patternErrorMessage 15, 16, 17 or a major.minor of these in quotes, for instance '17'
   * @default '17'
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

/** What instances have that do not say otherwise. */
export enum InstancePreset {
  /** Load balancer and server of its own, with a standby; two web tasks at least. */
  STANDARD = 'standard',
  /** Load balancer and server of its cell; one web task, workers on Fargate Spot, no replica of the cache. */
  ECONOMY = 'economy',
}

/** What all instances of an environment have that do not say otherwise. */
export interface EnvironmentInstances {
  /**
   * What the rest of these settings, and the sizes of instances, begin with.
   *
   * @default InstancePreset.STANDARD
   */
  readonly preset?: InstancePreset;

  /**
   * VPC of each instance.
   *
   * @default InstanceSharing.CELL
   */
  readonly network?: InstanceSharing;

  /**
   * Load balancer of each instance.
   *
   * @default - by preset: standard `own`, economy `cell`
   */
  readonly loadBalancer?: InstanceSharing;

  /**
   * PostgreSQL server of each instance.
   *
   * @default - by preset: standard `own`, economy `cell`
   */
  readonly database?: InstanceSharing;

  /**
   * Servers that cells have for the instances without one of their own.
   *
   * @default - the defaults of each size
   */
  readonly cellDatabase?: EnvironmentDatabase;

  /**
   * Whether workers run on Fargate Spot, which costs less and may be ended at any time: their tasks then begin anew.
   *
   * @default - by preset: standard `false`, economy `true`
   */
  readonly spotWorkers?: boolean;

  /**
   * Tenants of one cell, 1 to 95: a load balancer has 100 target groups, which AWS cannot raise. The next tenant begins another cell.
   *
   * @minimum 1
   * @maximum 95
   * @asType integer
   * @default - by preset: standard 60, economy 12
   */
  readonly tenantsPerCell?: number;

  /**
   * Rings in which new versions and configurations reach the tenants, the first one first.
   *
   * @minItems 1
   * @maxItems 20
   * @default - one, named `all`
   */
  readonly rings?: string[];

  /**
   * Minutes that a ring is watched before the next one begins.
   *
   * @minimum 0
   * @maximum 10080
   * @asType integer
   * @default 30
   */
  readonly bakeMinutes?: number;

  /**
   * Quotas of the account that AWS has raised.
   *
   * @default - those that every account begins with
   */
  readonly raisedQuotas?: EnvironmentQuotas;
}

/** Quotas of an account that AWS raises on request (Service Quotas), of each region unless it is said. */
export interface EnvironmentQuotas {
  /**
   * VPCs (Amazon VPC User Guide, "Amazon VPC quotas").
   *
   * @minimum 1
   * @maximum 100000
   * @asType integer
   * @default 5
   */
  readonly vpcs?: number;

  /**
   * Elastic IP addresses, of which each NAT gateway has one (Amazon VPC User Guide, "Amazon VPC quotas").
   *
   * @minimum 1
   * @maximum 100000
   * @asType integer
   * @default 5
   */
  readonly elasticIps?: number;

  /**
   * RDS instances (Amazon RDS User Guide, "Quotas and constraints for Amazon RDS").
   *
   * @minimum 1
   * @maximum 100000
   * @asType integer
   * @default 40
   */
  readonly rdsInstances?: number;

  /**
   * Application load balancers (Elastic Load Balancing User Guide, "Quotas for your Application Load Balancers").
   *
   * @minimum 1
   * @maximum 100000
   * @asType integer
   * @default 50
   */
  readonly loadBalancers?: number;

  /**
   * CloudWatch alarms (Amazon CloudWatch User Guide, "CloudWatch service quotas").
   *
   * @minimum 1
   * @maximum 100000
   * @asType integer
   * @default 5000
   */
  readonly alarms?: number;

  /**
   * IAM roles, of all regions together (IAM User Guide, "IAM and AWS STS quotas").
   *
   * @minimum 1
   * @maximum 100000
   * @asType integer
   * @default 1000
   */
  readonly iamRoles?: number;
}

/** A further region of an environment. */
export interface EnvironmentRegion {
  /**
   * Name of the region.
   *
   * @pattern ^[a-z]{2}(-[a-z]+)+-[0-9]$
   * @patternErrorMessage the name of a region, for instance us-east-1
   */
  readonly name: string;

  /**
   * ARN of an ACM certificate for `*.<name of the environment's domain>`, in that region.
   *
   * @pattern ^arn:aws[a-z-]*:acm:[a-z0-9-]+:[0-9]{12}:certificate/[0-9a-f-]+$
   * @patternErrorMessage the ARN of an ACM certificate: arn:aws:acm:<region>:<account>:certificate/<id>
   */
  readonly certificateArn: string;

  /**
   * Network there.
   *
   * @default - a VPC of its own over two availability zones
   */
  readonly network?: EnvironmentNetwork;
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
   * Version of Superset: that of `image` or, without one, 6.1.0, which is built from `superset/`.
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
   * Name and face that people see.
   *
   * @default - Superset's own
   */
  readonly brand?: Brand;

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
   * Functions that tenants' users may call in SQL beside those of PostgreSQL that only compute: names in lower case, with or
   * without their schema, for instance `analytics.margin`.
   *
   * @maxItems 200
   * @default - none
   */
  readonly allowedFunctions?: string[];

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
   * Extensions that each tenant's database has, for instance `pg_trgm`. Not with model `shared-rls`.
   *
   * @default - none
   */
  readonly extensions?: string[];

  /**
   * The column that says which tenant a row belongs to. Model `shared-rls` needs it, and only that looks at it.
   *
   * @default - none: a tenant has a database of its own
   */
  readonly tenantColumn?: TenantColumn;

  /**
   * The tables. Model `shared-rls` needs them, and only that looks at them: elsewhere a tenant may read whatever is in the schema
   * of its database.
   *
   * @minItems 1
   * @default - whatever is in the schema
   */
  readonly tables?: TenantTable[];
}
