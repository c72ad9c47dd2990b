/**
 * What the template asks of the database provisioner: the contract between construct and handler.
 *
 * CloudFormation hands scalars of a custom resource over as strings, so that numbers are written as strings here.
 */
export interface DesiredState {
  /** Which custom resource speaks: `cell` has no tenants, each stack of tenants has a name of its own. */
  readonly batch: string;
  readonly database: DesiredDatabase;
  readonly loader: DesiredLogin;
  readonly tenants: DesiredTenant[];
}

export interface DesiredDatabase {
  readonly host: string;
  readonly port: string;
  readonly name: string;
  /** ARN or name of the secret with the master user's `username` and `password`. */
  readonly masterSecret: string;
  /** Schema of the declared tables. */
  readonly schema: string;
  readonly tenantColumn: { readonly name: string; readonly type: 'uuid' | 'text' | 'bigint' };
  readonly tables: { readonly name: string; readonly strategy: 'column' | 'partitioned' | 'schema' }[];
}

export interface DesiredLogin {
  /** Name or ARN of the secret with username, password, host, port and database. */
  readonly secret: string;
}

export interface DesiredTenant extends DesiredLogin {
  readonly id: string;
  readonly value: string;
  readonly removalPolicy: 'retain' | 'destroy';
  readonly connections: string;
  readonly statementTimeoutSeconds: string;
  readonly workMemMiB: string;
  readonly parallelWorkers: string;
}

/** Login role of a tenant; it is the `username` of its secret, too. */
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
