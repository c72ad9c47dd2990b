import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Time-outs between a browser and PostgreSQL, in seconds. Superset's settings take the same file. What waits for something ends
 * after it, so that a user reads the reason of what ended first.
 */
export interface Timeouts {
  /** Idle connection of the load balancer: a response that has not begun. */
  readonly loadBalancerIdle: number;
  /** Idle connection of the web server. */
  readonly keepAlive: number;
}

/** From `superset/superset_tenancy/timeouts.json`, which docs/security/load-bounds.md explains. */
export const TIMEOUTS: Timeouts = JSON.parse(
  readFileSync(join(__dirname, '..', '..', 'superset', 'superset_tenancy', 'timeouts.json'), 'utf8'),
);
