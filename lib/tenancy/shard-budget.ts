import { Annotations } from 'aws-cdk-lib';
import Table from 'cli-table3';
import { Construct } from 'constructs';
import { LOADER_CONNECTIONS } from '../provisioning/desired-databases';
import { SupersetTasks, processesOf, queriesAtOnce } from '../superset/superset-processes';
import { Tenant } from '../tenant/tenant';
import { resolveTenantLimits } from '../tenant/tenant-limits';
import { ConfigurationError } from '../validation/configuration-error';
import { OPERATORS, PROVISIONER, RESERVED_BY_RDS } from './connection-budget';

/** What a budget is computed from. */
export interface ShardLoad {
  readonly shard: string;
  readonly instanceClass: string;
  /** `max_connections` of the server. */
  readonly maxConnections: number;
  /** Share of them that the proxy may open, in percent. */
  readonly proxyPercent: number;
  readonly tenants: Tenant[];
  readonly tasks: SupersetTasks;
  /** Connections of one tenant in one process of Superset. */
  readonly connectionsPerProcess: number;
}

/** Who needs how many connections of a shard. */
export interface ShardBudget extends ShardLoad {
  /** Connections that the proxy may open. */
  readonly proxied: number;
  /** Connections to the server itself: RDS, provisioner, operators and the tenants' ETL. */
  readonly direct: number;
  /** Client connections of Superset to the proxy: tenants × connections of a process × processes. */
  readonly clients: number;
  /** Sum of what the login roles may hold. */
  readonly limits: number;
  /** Queries of Superset that may run at once on the shard. */
  readonly queries: number;
  /** Of `queries`, what tenants with workers of their own have for themselves. */
  readonly kept: number;
  /** `max_connections` below which the budget does not hold. */
  readonly needed: number;
}

/** Share of the proxy's connections from which on a warning tells. */
const NEAR = 0.8;

/** The budget of a shard. */
export function shardBudget(load: ShardLoad): ShardBudget {
  const { tenants, tasks, proxyPercent, connectionsPerProcess } = load;
  const pools = connectionsPerProcess * processesOf(tasks);
  const most = (some: Tenant[]) => some.reduce((sum, tenant) => sum + Math.min(limitOf(tenant), pools), 0);
  const kept = most(tenants.filter(({ ownWorkers }) => ownWorkers));
  const others = most(tenants.filter(({ ownWorkers }) => !ownWorkers));
  const queries = Math.min(others, queriesAtOnce(tasks)) + kept;
  const loaders = tenants.filter(({ loader }) => loader).length * LOADER_CONNECTIONS;
  const direct = RESERVED_BY_RDS + PROVISIONER + OPERATORS + loaders;
  return {
    ...load,
    proxied: Math.floor((load.maxConnections * proxyPercent) / 100),
    direct,
    clients: tenants.length * pools,
    limits: tenants.reduce((sum, tenant) => sum + limitOf(tenant), 0),
    queries,
    kept,
    needed: Math.max(Math.ceil((queries * 100) / proxyPercent), Math.ceil((direct * 100) / (100 - proxyPercent))),
  };
}

/**
 * Refuses a budget that does not hold: more queries could run at once than the proxy has connections, or what the proxy leaves is
 * too little for those who connect to the server itself. Warns when it is near. The proxy lets the rest of the clients wait.
 */
export function checkShardBudget(scope: Construct, budget: ShardBudget): void {
  const { shard, tenants, proxied, direct, queries, maxConnections, proxyPercent } = budget;
  const left = maxConnections - proxied;
  if (direct > left) {
    throw new ConfigurationError(
      scope,
      'SHARD_DIRECT_CONNECTIONS_TOO_FEW',
      `${sizeOf(budget)} The proxy leaves ${left}, but ${direct} are for RDS (${RESERVED_BY_RDS}), the provisioner (${PROVISIONER}), operators (${OPERATORS}) and the tenants' ETL (${direct - RESERVED_BY_RDS - PROVISIONER - OPERATORS}). Lower maxConnectionsPercent, which is ${proxyPercent}, or choose a larger instance class.`,
    );
  }
  const greedy = tenants.filter((tenant) => tenants.length > 1 && limitOf(tenant) > proxied / 2);
  if (greedy.length > 0) {
    const list = greedy.map((tenant) => `${tenant.id} (${limitOf(tenant)})`).join(', ');
    throw new ConfigurationError(
      scope,
      'TENANT_CONNECTIONS_STARVE_OTHERS',
      `the connection limit of ${list} on shard ${shard} is more than half of the ${proxied} that its tenants share. ${REMEDIES}, or give the tenant a shard of its own (onlyFor).`,
    );
  }
  if (queries > proxied || tenants.length > proxied) {
    throw new ConfigurationError(
      scope,
      'SHARD_CONNECTIONS_TOO_MANY',
      `${arithmeticOf(budget)} The proxy has only ${proxied}, and every tenant that asks needs one at least. ${REMEDIES}.`,
    );
  }
  if (queries > proxied * NEAR) {
    Annotations.of(scope).addWarningV2(
      `superset-tenancy:connections-of-shard-${shard}`,
      `${arithmeticOf(budget)} That is more than ${NEAR * 100} % of the ${proxied} that the proxy has. ${REMEDIES}.`,
    );
  }
}

const REMEDIES =
  'Let tenants hold fewer connections (connectionsPerProcess, limits.connections), let fewer tasks run at most, choose a larger instance class (its memory decides, AWS caps it at 5000), or add a shard for the next tenants';

/** The budgets as a table, without lines, since it is an output of the stack, too. */
export function budgetTable(budgets: ShardBudget[]): string {
  const left = ['shard', 'class'];
  const right = ['server takes', 'proxy has', 'queries at once', 'kept', 'limits', 'clients', 'direct', 'tenants'];
  const table = new Table({
    head: [...left, ...right],
    colAligns: [...left.map(() => 'left' as const), ...right.map(() => 'right' as const)],
    chars: Object.fromEntries([...LINES.map((line) => [line, '']), ['middle', '  ']]),
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  });
  for (const budget of budgets) {
    const { maxConnections, proxied, queries, kept, limits, clients, direct, tenants } = budget;
    table.push([
      budget.shard,
      budget.instanceClass,
      maxConnections,
      proxied,
      queries,
      kept,
      limits,
      clients,
      direct,
      tenants.length,
    ]);
  }
  return ['Connections:', table.toString()].join('\n');
}

const LINES = [
  ...['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right'],
  ...['left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid'],
];

function sizeOf({ shard, instanceClass, maxConnections, proxied, proxyPercent }: ShardBudget): string {
  return `shard ${shard} (${instanceClass}) takes ${maxConnections} connections, of which its proxy may open ${proxyPercent} %, ${proxied}.`;
}

function arithmeticOf(budget: ShardBudget): string {
  const { tenants, tasks, connectionsPerProcess, limits, clients, queries, kept } = budget;
  const processes = processesOf(tasks);
  return `${sizeOf(budget)} ${tenants.length} tenants × ${connectionsPerProcess} connections × ${processes} processes (${tasks.web} web and ${tasks.workers} worker tasks at most) make ${clients} clients; the login roles may hold ${limits}; Superset runs ${queriesAtOnce(tasks)} queries at once at most, and ${kept} are kept for tenants with workers of their own: ${queries} connections may be needed at once.`;
}

function limitOf(tenant: Tenant): number {
  return resolveTenantLimits(tenant.tier, tenant.limits).connections;
}
