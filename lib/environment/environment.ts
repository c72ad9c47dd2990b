import { TenantColumn, TenantTable } from '../database/tenant-table';
import { Tenant } from '../tenant/tenant';

/** Tenancy model of an environment. */
export enum TenancyModel {
  /** One Superset, one PostgreSQL server, row-level security. */
  SHARED_RLS = 'shared-rls',
}

/** One environment: all that a deployment needs to know. The file in YAML has exactly this shape. */
export interface Environment {
  /**
   * AWS account that it is deployed to, 12 digits (quote them in YAML).
   *
   * @pattern ^[0-9]{12}$
   */
  readonly account: string;

  /**
   * AWS region that it is deployed to.
   *
   * @pattern ^[a-z]{2}(-[a-z]+)+-[0-9]$
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
   * Server of the tenants' data.
   *
   * @default - the defaults of each size
   */
  readonly database?: EnvironmentDatabase;

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
   * @default - a new VPC
   */
  readonly vpcId?: string;

  /**
   * Address range of the new VPC, /16 to /22.
   *
   * @pattern ^[0-9]{1,3}(\.[0-9]{1,3}){3}/(1[6-9]|2[0-2])$
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
   */
  readonly name: string;

  /**
   * ARN of the ACM certificate of that name, in the environment's region.
   *
   * @pattern ^arn:aws[a-z-]*:acm:[a-z0-9-]+:[0-9]{12}:certificate/[0-9a-f-]+$
   */
  readonly certificateArn: string;

  /**
   * Whether the load balancer takes connections from the internet, behind a web ACL.
   *
   * @default false - only from the VPC and what is peered with it
   */
  readonly internetFacing?: boolean;
}

/** Size of a PostgreSQL server. */
export interface EnvironmentDatabase {
  /**
   * RDS instance class without `db.`, for instance `m7g.large`.
   *
   * @default - 'm7g.large' for the tenants, 't4g.medium' for the metadata
   */
  readonly instanceClass?: string;

  /**
   * Storage in GiB.
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
   * Days that automated backups are kept.
   *
   * @minimum 1
   * @maximum 35
   * @asType integer
   * @default 14
   */
  readonly backupDays?: number;

  /**
   * PostgreSQL version, `major.minor`.
   *
   * @pattern ^(15|16|17)\.[0-9]+$
   * @default '17.9'
   */
  readonly postgresVersion?: string;
}

/** Size of the cache. */
export interface EnvironmentCache {
  /**
   * ElastiCache node type with `cache.`.
   *
   * @default 'cache.t4g.small'
   */
  readonly nodeType?: string;

  /**
   * Replicas beside the primary.
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
   * @pattern ^[0-9]+\.[0-9]+\.[0-9]+$
   */
  readonly version: string;

  /**
   * URI of a ready-made image in a registry that the account can pull from.
   *
   * @default - built from `superset/`
   */
  readonly image?: string;

  /**
   * Web tasks at least.
   *
   * @minimum 1
   * @maximum 100
   * @asType integer
   * @default 2
   */
  readonly minWebTasks?: number;

  /**
   * Web tasks at most.
   *
   * @minimum 1
   * @maximum 100
   * @asType integer
   * @default 6
   */
  readonly maxWebTasks?: number;

  /**
   * Worker tasks at least.
   *
   * @minimum 1
   * @maximum 100
   * @asType integer
   * @default 1
   */
  readonly minWorkerTasks?: number;

  /**
   * Worker tasks at most.
   *
   * @minimum 1
   * @maximum 100
   * @asType integer
   * @default 4
   */
  readonly maxWorkerTasks?: number;
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
   * @default 'analytics'
   */
  readonly schema?: string;

  /** The column that says which tenant a row belongs to. */
  readonly tenantColumn: TenantColumn;

  /**
   * The tables.
   *
   * @minItems 1
   */
  readonly tables: TenantTable[];
}
