/**
 * What is taken where nothing is given: by constructs, rules of the environment file, advice and docs alike. A test compares the
 * `@default`s with it.
 */

/** Version of Superset in the image that is built from `superset/`; a test compares it with the lock of that image. */
export const BUNDLED_SUPERSET_VERSION = '6.1.0';

/** Tasks of a Superset. */
export const DEFAULT_TASKS = { minWebTasks: 2, maxWebTasks: 6, minWorkerTasks: 1, maxWorkerTasks: 4 } as const;

/** Tasks of a Superset of one tenant. */
export const DEFAULT_INSTANCE_TASKS = { ...DEFAULT_TASKS, maxWebTasks: 4, maxWorkerTasks: 2 } as const;

/** Server of tenants' data. */
export const DEFAULT_TENANTS_SERVER = { instanceClass: 'm7g.large', storageGiB: 100, multiAz: true } as const;

/** Server of Superset's metadata. */
export const DEFAULT_METADATA_SERVER = { instanceClass: 't4g.medium', storageGiB: 20, multiAz: true } as const;

/** Days that automated backups are kept. */
export const DEFAULT_BACKUP_DAYS = 14;

/** Cache. */
export const DEFAULT_CACHE = { nodeType: 'cache.t4g.small', replicas: 1 } as const;
