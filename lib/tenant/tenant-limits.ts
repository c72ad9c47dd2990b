/** Service level of a tenant, which decides the limits that it does not set itself. */
export enum TenantTier {
  /** Small: for trials and light use. */
  BASIC = 'basic',
  /** The usual tenant. */
  STANDARD = 'standard',
  /** A tenant with heavy queries. */
  PREMIUM = 'premium',
}

/** What a tenant may take of the database server. Each limit is a default of its login role. */
export interface TenantLimits {
  /**
   * Connections that the tenant's role may hold at once (`CONNECTION LIMIT`, which a tenant cannot change).
   *
   * @minimum 1
   * @maximum 500
   * @asType integer
   * @default - by tier: basic 5, standard 10, premium 30
   */
  readonly connections?: number;

  /**
   * Seconds after which a statement of the tenant is cancelled (`statement_timeout`; a session may change it).
   *
   * @minimum 1
   * @maximum 3600
   * @asType integer
   * @default - by tier: basic 30, standard 60, premium 300
   */
  readonly statementTimeoutSeconds?: number;

  /**
   * Memory of one sort or hash of the tenant, in MiB (`work_mem`).
   *
   * @minimum 1
   * @maximum 1024
   * @asType integer
   * @default - by tier: basic 8, standard 16, premium 64
   */
  readonly workMemMiB?: number;

  /**
   * Parallel workers of one node of a query (`max_parallel_workers_per_gather`).
   *
   * @minimum 0
   * @maximum 16
   * @asType integer
   * @default - by tier: basic 0, standard 1, premium 2
   */
  readonly parallelWorkers?: number;

  /**
   * Disk that one process of the tenant may use for sorts and hashes, in MiB (`temp_file_limit`). Only a superuser may set it, or
   * a master user who was given that right. That of RDS was not: there, this has no effect, and each process is bounded by a
   * tenth of the server's storage.
   *
   * @minimum 16
   * @maximum 1048576
   * @asType integer
   * @default - by tier: basic 512, standard 2048, premium 8192
   */
  readonly tempFileMiB?: number;
}

/** The limits of a tenant with every value filled in. */
export interface ResolvedTenantLimits {
  /** Connections that the tenant's role may hold at once. */
  readonly connections: number;
  /** Seconds after which a statement is cancelled. */
  readonly statementTimeoutSeconds: number;
  /** Memory of one sort or hash, in MiB. */
  readonly workMemMiB: number;
  /** Parallel workers of one node of a query. */
  readonly parallelWorkers: number;
  /** Disk that one process may use for sorts and hashes, in MiB. */
  readonly tempFileMiB: number;
}

const TIER_LIMITS: Record<TenantTier, ResolvedTenantLimits> = {
  [TenantTier.BASIC]: {
    connections: 5,
    statementTimeoutSeconds: 30,
    workMemMiB: 8,
    parallelWorkers: 0,
    tempFileMiB: 512,
  },
  [TenantTier.STANDARD]: {
    connections: 10,
    statementTimeoutSeconds: 60,
    workMemMiB: 16,
    parallelWorkers: 1,
    tempFileMiB: 2048,
  },
  [TenantTier.PREMIUM]: {
    connections: 30,
    statementTimeoutSeconds: 300,
    workMemMiB: 64,
    parallelWorkers: 2,
    tempFileMiB: 8192,
  },
};

/** The tier's limits, with those that the tenant sets itself laid over them. */
export function resolveTenantLimits(tier?: TenantTier, limits?: TenantLimits): ResolvedTenantLimits {
  return { ...TIER_LIMITS[tier ?? TenantTier.STANDARD], ...limits };
}
