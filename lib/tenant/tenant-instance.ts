import { Brand } from '../superset/brand';

/** Size of a tenant's own Superset: what its server, its cache and its tasks are. */
export enum InstanceSize {
  /** Some ten people. */
  SMALL = 'small',
  /** Some fifty people. */
  MEDIUM = 'medium',
  /** Some hundreds of people. */
  LARGE = 'large',
}

/** Whether a tenant has a part for itself. */
export enum InstanceSharing {
  /** The tenant's alone. */
  OWN = 'own',
  /** That of its cell, which it shares with other tenants of the region. */
  CELL = 'cell',
}

/** Where all that a tenant has must stay: data, backups, logs, keys and replicas. */
export enum Residency {
  /** European Union. */
  EUROPEAN_UNION = 'eu',
  /** Switzerland. */
  SWITZERLAND = 'ch',
  /** United Kingdom. */
  UNITED_KINGDOM = 'uk',
  /** United States, but for AWS GovCloud. */
  UNITED_STATES = 'us',
  /** Canada. */
  CANADA = 'ca',
  /** Australia. */
  AUSTRALIA = 'au',
  /** Japan. */
  JAPAN = 'jp',
  /** India. */
  INDIA = 'in',
  /** Singapore. */
  SINGAPORE = 'sg',
  /** Brazil. */
  BRAZIL = 'br',
}

/** What a tenant's own Superset has that differs from the fleet's. */
export interface TenantInstance {
  /**
   * Size of its tasks, its cache and its own server.
   *
   * @default InstanceSize.SMALL
   */
  readonly size?: InstanceSize;

  /**
   * AWS region: that of the environment, or one of its `regions`. For good: a tenant that has its place in the file of
   * places is refused another.
   *
   * @pattern ^[a-z]{2}(-[a-z]+)+-[0-9]$
   * @patternErrorMessage the name of a region, for instance eu-central-1
   * @default - the environment's
   */
  readonly region?: string;

  /**
   * Where all that the tenant has must stay. A region elsewhere is refused.
   *
   * @default - anywhere
   */
  readonly residency?: Residency;

  /**
   * Host name.
   *
   * @maxLength 253
   * @pattern ^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$
   * @patternErrorMessage a host name in lower case, for instance analytics.northwind.example, of at most 253 characters
   * @default - the tenant's id, with `-` for `_`, before the name of the environment's `domain`
   */
  readonly domainName?: string;

  /**
   * ARN of the ACM certificate of that name, in the tenant's region.
   *
   * @pattern ^arn:aws[a-z-]*:acm:[a-z0-9-]+:[0-9]{12}:certificate/[0-9a-f-]+$
   * @patternErrorMessage the ARN of an ACM certificate: arn:aws:acm:<region>:<account>:certificate/<id>
   * @default - that of the region, which must then be one for `*.<name of the environment's domain>`
   */
  readonly certificateArn?: string;

  /**
   * Version of Superset. With one that is not the environment's, `image` is needed, too.
   *
   * @pattern ^6\.[0-9]+\.[0-9]+$
   * @patternErrorMessage a release of Superset 6, for instance 6.1.0
   * @default - the environment's
   */
  readonly supersetVersion?: string;

  /**
   * URI of a ready-made image of that version.
   *
   * @minLength 1
   * @maxLength 512
   * @pattern ^[^\s]+$
   * @patternErrorMessage the URI of an image, without blanks
   * @default - the environment's
   */
  readonly image?: string;

  /**
   * Name and face that the tenant's people see; what it leaves out is the environment's.
   *
   * @default - the environment's
   */
  readonly brand?: Brand;

  /**
   * Days that automated backups of its own server are kept, 1 to 35.
   *
   * @minimum 1
   * @maximum 35
   * @asType integer
   * @default - the environment's
   */
  readonly backupDays?: number;

  /**
   * Networks from which people may reach it, in CIDR notation; at most 4 behind a shared load balancer, whose rules take five values
   * (Elastic Load Balancing User Guide, "Quotas for your Application Load Balancers").
   *
   * @minItems 1
   * @maxItems 40
   * @default - the VPC, or everywhere with an environment that faces the internet
   */
  readonly allowedNetworks?: string[];

  /**
   * Ring in which it gets a new version or configuration: one of the environment's `instances.rings`.
   *
   * @pattern ^[a-z][a-z0-9-]{0,31}$
   * @patternErrorMessage the name of a ring
   * @default - the last one
   */
  readonly ring?: string;

  /**
   * VPC. For good, as `region` is.
   *
   * @default - as `instances` of the environment says
   */
  readonly network?: InstanceSharing;

  /**
   * Load balancer.
   *
   * @default - as `instances` of the environment says
   */
  readonly loadBalancer?: InstanceSharing;

  /**
   * PostgreSQL server of the tenant's data and of its Superset's metadata. For good, as `region` is.
   *
   * @default - as `instances` of the environment says
   */
  readonly database?: InstanceSharing;
}
