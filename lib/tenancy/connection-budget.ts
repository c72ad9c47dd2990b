import { Annotations } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { LOADER_CONNECTIONS } from '../provisioning/desired-databases';
import { WEB_PROCESSES, WORKER_CHILDREN } from '../superset/superset-processes';
import { Tenant } from '../tenant/tenant';
import { resolveTenantLimits } from '../tenant/tenant-limits';
import { ConfigurationError } from '../validation/configuration-error';

/** `superuser_reserved_connections` is 3 and `rds.rds_superuser_reserved_connections` 2 (AWS Knowledge Center, "connection slots"). */
export const RESERVED_BY_RDS = 5;

/** One run has 4 sessions and verifies with 8 more; the schedule and the batches of 7 other stacks may wait with one each. */
export const PROVISIONER = 4 + 8 + 8;

/** The operator's ETL and whoever looks after the server. */
export const OPERATORS = 15;

/** What a server must take before it has a tenant. */
export const BASE_CONNECTIONS = RESERVED_BY_RDS + PROVISIONER + OPERATORS;

/** A tenant may stand at its limit all day; that more than a quarter of the capacity does at once is another matter. */
const MOST_OVERCOMMITTED = 4;

/** Share of the capacity from which on a warning tells. */
const NEAR = 0.8;

/**
 * Checks the tenants' connection limits against what the server takes.
 *
 * A limit is a bound and not a reservation: Superset opens a connection when a tenant runs a query, so that few stand
 * at their limit at once. So the sum may exceed the capacity, up to four times; from 80 % on a warning says so. No
 * tenant may take more than half for itself, or one alone could starve the others.
 */
export function checkConnections(scope: Construct, tenants: Tenant[], maxConnections: number): void {
  const capacity = maxConnections - BASE_CONNECTIONS;
  const arithmetic =
    `The server takes ${maxConnections} connections; ${RESERVED_BY_RDS} are kept by RDS, ${PROVISIONER} for the ` +
    `provisioner and ${OPERATORS} for operators, which leaves ${capacity}`;
  const remedy = 'Choose a larger instance class (its memory decides, AWS caps it at 5000), or lower the limits';

  const half = Math.floor(capacity / 2);
  const greedy = tenants.filter((tenant) => connectionsOf(tenant) > half);
  if (greedy.length > 0) {
    const list = greedy.map((tenant) => `${tenant.id} (${connectionsOf(tenant)})`).join(', ');
    throw new ConfigurationError(
      scope,
      'TENANT_CONNECTIONS_STARVE_OTHERS',
      `the connection limit of ${list} is more than half of what tenants have. ${arithmetic}, and no tenant may take more than ${half} of them. ${remedy}.`,
    );
  }

  const sum = tenants.reduce((total, tenant) => total + connectionsOf(tenant), 0);
  const most = capacity * MOST_OVERCOMMITTED;
  if (sum > most) {
    throw new ConfigurationError(
      scope,
      'TENANT_CONNECTIONS_OVERCOMMITTED',
      `the connection limits of ${tenants.length} tenants add up to ${sum}. ${arithmetic}; the sum may be ${MOST_OVERCOMMITTED} times that, ${most}, since tenants seldom stand at their limits together. ${remedy}, or spread the tenants over two environments.`,
    );
  }
  if (sum > capacity * NEAR) {
    Annotations.of(scope).addWarningV2(
      'superset-tenancy:connections',
      `The connection limits of ${tenants.length} tenants add up to ${sum}. ${arithmetic}: when many tenants stand at their limits together, the next connection is refused. ${remedy}.`,
    );
  }
}

/** SQLAlchemy keeps 5 connections in each process. */
const KEPT = 5;

/** Each process has SQLAlchemy's pool, and 10 more connections at most. */
const WEB_TASK = WEB_PROCESSES * (KEPT + 10);

/** A parent and its children, which run one task each. */
const WORKER_TASK = (WORKER_CHILDREN + 1) * 2;

/** Beat, the migration, and operators. */
const OTHERS = 20;

/** Connections to its metadata that a Superset opens at most, with as many tasks as it may have. */
export function mostMetadataConnections(webTasks: number, workerTasks: number): number {
  return webTasks * WEB_TASK + workerTasks * WORKER_TASK + OTHERS;
}

/** Of those, what it keeps open. */
function keptMetadataConnections(webTasks: number, workerTasks: number): number {
  return webTasks * WEB_PROCESSES * KEPT + workerTasks * WORKER_TASK + KEPT;
}

/** A tenant's own Superset, whose metadata and data are on one server. */
export interface InstanceLoad {
  readonly tenant: Tenant;
  readonly maxWebTasks: number;
  readonly maxWorkerTasks: number;
}

/** Connections that one instance needs of its server: what its Superset keeps open, its tenant's limit, and its ETL. */
export function instanceConnections({ tenant, maxWebTasks, maxWorkerTasks }: InstanceLoad): number {
  const ofLoader = tenant.loader ? LOADER_CONNECTIONS : 0;
  return keptMetadataConnections(maxWebTasks, maxWorkerTasks) + connectionsOf(tenant) + ofLoader;
}

/**
 * Checks what instances need of the server that has both their metadata and their data: the connections that each Superset keeps
 * open, and its tenant's limit. What it opens beyond its pools for a moment may add up to more; then it waits.
 *
 * @returns how many they need.
 */
export function checkInstanceConnections(scope: Construct, instances: InstanceLoad[], maxConnections: number): number {
  const ofTenants = instances.reduce((sum, instance) => sum + instanceConnections(instance), 0);
  const needed = ofTenants + BASE_CONNECTIONS;
  const arithmetic = `${instances.length === 1 ? 'one instance needs' : `${instances.length} instances need`} ${ofTenants} connections with as many tasks as they may have; ${RESERVED_BY_RDS} are kept by RDS, ${PROVISIONER} for the provisioner and ${OPERATORS} for operators: ${needed} in all. The server takes ${maxConnections}.`;
  const remedy =
    'Choose a larger instance class (its memory decides, AWS caps it at 5000), fewer tasks at most, fewer tenants in a cell, or a server of its own for the largest tenant';
  if (needed > maxConnections) {
    throw new ConfigurationError(scope, 'INSTANCE_CONNECTIONS_TOO_MANY', `${arithmetic} ${remedy}.`);
  }
  if (needed > maxConnections * NEAR) {
    Annotations.of(scope).addWarningV2('superset-tenancy:instance-connections', `${arithmetic} ${remedy}.`);
  }
  return needed;
}

/** Checks what Superset itself takes, with as many tasks as it may have, against what its metadata server takes. */
export function checkMetadataConnections(
  scope: Construct,
  webTasks: number,
  workerTasks: number,
  maxConnections: number,
): void {
  const demand = mostMetadataConnections(webTasks, workerTasks);
  const capacity = maxConnections - RESERVED_BY_RDS;
  if (demand > capacity) {
    throw new ConfigurationError(
      scope,
      'METADATA_CONNECTIONS_TOO_FEW',
      `${webTasks} web tasks take up to ${webTasks * WEB_TASK} connections, ${workerTasks} worker tasks ${workerTasks * WORKER_TASK} and the rest ${OTHERS}: ${demand} in all. The metadata server takes ${maxConnections}, of which RDS keeps ${RESERVED_BY_RDS}. Choose a larger instance class for it (its memory decides, AWS caps it at 5000), or fewer tasks.`,
    );
  }
}

function connectionsOf(tenant: Tenant): number {
  return resolveTenantLimits(tenant.tier, tenant.limits).connections;
}
