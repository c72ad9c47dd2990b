import { DesiredLimits } from './desired-limits';

/**
 * What the template asks of the database provisioner: the contract between construct and handler.
 *
 * CloudFormation hands scalars of a custom resource over as strings, so that numbers are written as strings here.
 * The handler connects as its environment says: {@link ProvisionerEnvironment}.
 */
export interface DesiredState {
  /** Which custom resource speaks: `cell` has no tenants, each stack of tenants has a name of its own. */
  readonly batch: string;
  /** `host:port/database`. The handler does not read it: a new server must run every custom resource again. */
  readonly server: string;
  /** Schema of the declared tables. */
  readonly schema: string;
  readonly tenantColumn: { readonly name: string; readonly type: 'uuid' | 'text' | 'bigint' };
  readonly tables: { readonly name: string; readonly strategy: 'column' | 'partitioned' | 'schema' }[];
  readonly tenants: DesiredTenant[];
}

export interface DesiredTenant extends DesiredLimits {
  readonly id: string;
  readonly value: string;
  /** Name or ARN of the secret with username, password, host, port and database. */
  readonly secret: string;
  readonly removalPolicy: 'retain' | 'destroy';
}

/** Environment variables of every provisioner's function; those of the shared model have {@link ProvisionerEnvironment}, too. */
export interface OwnerEnvironment {
  /** Account, region and name of the environment, which its servers belong to. */
  readonly TENANCY_ENVIRONMENT: string;
}

/** Environment variables of the provisioner's function. */
export interface ProvisionerEnvironment {
  readonly DATABASE_HOST: string;
  readonly DATABASE_PORT: string;
  readonly DATABASE_NAME: string;
  /** ARN of the secret with the master user's `username` and `password`. */
  readonly MASTER_SECRET: string;
  /** Name or ARN of the loader's secret. */
  readonly LOADER_SECRET: string;
}

/**
 * What the custom resource answers: {@link DesiredState} is the property `State` of the resource, these are its
 * attributes. Lists are comma-separated and cut, since CloudFormation takes 4 KB.
 */
export interface ReconcileAttributes {
  /** How many changes were made. */
  readonly Changes: string;
  /** Declared tables that do not exist yet. */
  readonly PendingTables: string;
  /** Relations in the schema of the tables that no tenant can read, because no policy protects them. */
  readonly UnreadableRelations: string;
}

/** Login role of a tenant, which is the `username` of its secret. */
export function tenantRoleName(tenantId: string): string {
  return `tenant_${tenantId}`;
}

/** Schema of a tenant's own tables (strategy `schema`). */
export function tenantSchemaName(tenantId: string): string {
  return `tenant_${tenantId}`;
}

/** Login role of the operator's ETL. */
export const LOADER_ROLE = 'tenancy_loader';

/** Role without login that holds what all tenants may read. */
export const TENANTS_ROLE = 'tenancy_tenants';
