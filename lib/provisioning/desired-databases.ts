import { DesiredLimits } from './desired-limits';

/**
 * What the template asks of the database provisioner where each tenant has a database of its own: the contract between
 * construct and handler.
 *
 * CloudFormation hands scalars of a custom resource over as strings, so that numbers are written as strings here.
 */
export interface DesiredDatabases {
  /** Which custom resource speaks: each stack of tenants has a name of its own. */
  readonly batch: string;
  /** All servers of the environment, those without a tenant of this batch too. */
  readonly servers: DatabaseServer[];
  /** Schema of the tenant's tables in each database. */
  readonly schema: string;
  /** Extensions that each database has; nothing else may be installed by a tenant's loader. */
  readonly extensions: string[];
  readonly tenants: DesiredDatabase[];
}

/** A PostgreSQL server, and how to be its master. */
export interface DatabaseServer {
  readonly name: string;
  readonly host: string;
  readonly port: string;
  /** ARN of the secret with the master user's `username` and `password`. */
  readonly masterSecret: string;
  /** Connections that the budget of the synthesis counts on; the deployment fails on a server that takes fewer. */
  readonly connections: string;
}

export interface DesiredDatabase extends DesiredLimits {
  readonly id: string;
  /** Name of its server. */
  readonly server: string;
  /** Name or ARN of the secret with username, password, host, port and database. @default - it logs in with a token of IAM */
  readonly secret?: string;
  /** The same of the tenant's ETL. @default - the tenant has none */
  readonly loaderSecret?: string;
  /** The same of the tenant's own Superset, for its metadata. @default - these are elsewhere */
  readonly metadataSecret?: string;
  /** Connections that it may have. */
  readonly metadataConnections?: string;
  readonly removalPolicy: 'retain' | 'destroy';
}

/** A request to reconcile what one server was asked for last. */
export interface StoredDatabases {
  readonly reconcile: 'stored';
  readonly servers: DatabaseServer[];
}

/** A request to let RDS Proxy's account into servers whose proxies have been registered; the properties of a custom resource. */
export interface ProxiedServers {
  readonly ProxiedServers: DatabaseServer[];
}

/**
 * What the custom resource answers: {@link DesiredDatabases} is the property `State` of the resource, these are its
 * attributes. Lists are comma-separated and cut, since CloudFormation takes 4 KB.
 */
export interface DatabasesAttributes {
  /** How many changes were made. */
  readonly Changes: string;
  /** `name: max_connections` of each server that the batch uses. */
  readonly Connections: string;
}

/** Database of a server that only the master enters: who has a database here, and what was asked for last. */
export const REGISTRY_DATABASE = 'tenancy';

/** Database of a tenant. */
export function tenantDatabaseName(tenantId: string): string {
  return `tenant_${tenantId}`;
}

/** Role without login that owns a tenant's database and what is in it. No tenant's id makes another role's name of it. */
export function ownerRoleName(tenantId: string): string {
  return `tenancy_owner_${tenantId}`;
}

/** Login role of a tenant's ETL, which is the `username` of its secret. */
export function loaderRoleName(tenantId: string): string {
  return `tenancy_loader_${tenantId}`;
}

/** Database of the metadata of a tenant's own Superset. */
export function metadataDatabaseName(tenantId: string): string {
  return `superset_${tenantId}`;
}

/** Login role that owns that database, which is the `username` of its secret. */
export function metadataRoleName(tenantId: string): string {
  return `superset_${tenantId}`;
}

/** Connections that the ETL of one tenant may have, beside those of Superset. */
export const LOADER_CONNECTIONS = 2;
