/** Processes of one web task: each has its own pools. */
export const WEB_PROCESSES = 2;

/** Requests at work in one of them (`OF_REQUESTS` in superset_tenancy/admission/middleware.py): each runs one query at a time. */
export const WEB_REQUESTS = 16;

/** Threads of one of them: for the requests at work, those that wait for their turn, files, and the health check. */
export const WEB_THREADS = 96;

/** Children of one worker task, which run one task of Celery each; their parent has pools of its own. */
export const WORKER_CHILDREN = 2;

/** Web and worker tasks of a Superset, as many as it may have. */
export interface SupersetTasks {
  readonly web: number;
  readonly workers: number;
}

/** Processes that may hold connections of a tenant. */
export function processesOf({ web, workers }: SupersetTasks): number {
  return web * WEB_PROCESSES + workers * (WORKER_CHILDREN + 1);
}

/** Queries that run at once at most: each request at work, and each task of Celery, runs one at a time. */
export function queriesAtOnce({ web, workers }: SupersetTasks): number {
  return web * WEB_PROCESSES * WEB_REQUESTS + workers * WORKER_CHILDREN;
}

/** Worker tasks at most of a tenant that has workers of its own. */
export const OWN_WORKER_TASKS = 2;
