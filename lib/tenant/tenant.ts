import { TenantInstance } from './tenant-instance';
import { TenantLimits, TenantTier } from './tenant-limits';

/** What happens to a tenant's rows when the tenant is removed. Its secrets are deleted, and its logins end. */
export enum TenantRemovalPolicy {
  /** Its rows stay. */
  RETAIN = 'retain',
  /**
   * Its rows and its role are deleted for good.
   *
   * Takes effect only when it was deployed before the tenant is removed.
   */
  DESTROY = 'destroy',
}

/** One tenant: the same contract in every tenancy model. */
export interface Tenant {
  /**
   * Opaque name of the tenant, for good: 3 to 31 characters, `a` to `z`, `0` to `9` and `_`, starting
   * with a letter.
   *
   * It names the login role, the secret and the partitions, and every tenant of the server can list
   * those: do not use the customer's name. PostgreSQL cuts identifiers at 63 bytes, which bounds the length.
   *
   * @pattern ^[a-z][a-z0-9_]{2,30}$
   * @patternErrorMessage 3 to 31 characters: a to z, 0 to 9 and _, starting with a letter
   */
  readonly id: string;

  /**
   * What the tenant column holds in this tenant's rows, written as text (a UUID in its canonical form,
   * a bigint in decimal). Model `shared-rls` needs it, and only that looks at it.
   *
   * @minLength 1
   * @maxLength 128
   * @default - none: the tenant has a database of its own
   */
  readonly value?: string;

  /**
   * Name for people. It goes into tags and Superset, never into the database.
   *
   * @maxLength 128
   * @pattern ^[^\s\p{Cc}]([^\p{Cc}\p{Zl}\p{Zp}]*[^\s\p{Cc}])?$
   * @patternErrorMessage one line of 1 to 128 characters, without control characters, and without blanks around it
   */
  readonly displayName: string;

  /**
   * Service level.
   *
   * @default TenantTier.STANDARD
   */
  readonly tier?: TenantTier;

  /**
   * Limits that differ from the tier's.
   *
   * @default - the tier's limits
   */
  readonly limits?: TenantLimits;

  /**
   * Name of the shard that the tenant's database is on, for good. Model `database-per-tenant` only.
   *
   * @maxLength 16
   * @pattern ^[a-z][a-z0-9]{0,15}$
   * @patternErrorMessage the name of a shard
   * @default - the shard that is only for it, or else one of the environment's `defaultShards`, by a hash of its id
   */
  readonly shard?: string;

  /**
   * Whether a KMS key of its own encrypts what is this tenant's alone: its secrets, and the storage of a server that is only
   * for it. Disabling that key cuts the tenant off, and nobody else. Model `database-per-tenant` only.
   *
   * @default false
   */
  readonly ownKey?: boolean;

  /**
   * Whether the tenant's ETL has a login of its own, which may make tables in the tenant's database and write to them: the
   * secret `superset/tenant/<id>/loader_credentials`. Not with model `shared-rls`.
   *
   * @default false
   */
  readonly loader?: boolean;

  /**
   * Whether the tenant has Celery workers of its own, and connections that nobody else's load can take. Model
   * `database-per-tenant` only.
   *
   * @default false
   */
  readonly ownWorkers?: boolean;

  /**
   * What the tenant's own Superset has that differs from the fleet's. Model `instance-per-tenant` only.
   *
   * @default - the fleet's
   */
  readonly instance?: TenantInstance;

  /**
   * E-mail address of the tenant's first administrator, whose user name in Superset it is. No other tenant may have it.
   *
   * @maxLength 128
   * @pattern ^[^@\s]{1,64}@([^@\s.]+\.)+[^@\s.]+$
   * @patternErrorMessage an e-mail address of at most 128 characters
   */
  readonly adminEmail: string;

  /**
   * What happens to the tenant's data when the tenant is removed.
   *
   * @default TenantRemovalPolicy.RETAIN
   */
  readonly removalPolicy?: TenantRemovalPolicy;
}
