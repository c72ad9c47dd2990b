import { escapeIdentifier as identifier, escapeLiteral as literal } from 'pg';
import { TableStrategy, TenantTable } from '../lib/database/tenant-table';
import { TenancyModel } from '../lib/environment/environment';
import { tenantSchemaName } from '../lib/provisioning/desired-state';
import { ExampleEnvironment, ExampleTenant } from './example-environment';

/** What the tables of an environment depend on. */
export type TablesOf = Pick<ExampleEnvironment, 'model' | 'data'>;

/** Whether each tenant has a database of its own. */
export function hasDatabases({ model }: Pick<ExampleEnvironment, 'model'>): boolean {
  return model !== TenancyModel.SHARED_RLS;
}

/** Whether each tenant has a Superset of its own. */
export function hasInstances({ model }: Pick<ExampleEnvironment, 'model'>): boolean {
  return model === TenancyModel.INSTANCE_PER_TENANT;
}

/** A tenant's table in SQL. */
export function tableOf({ id }: ExampleTenant, { name, strategy }: TenantTable, environment: TablesOf): string {
  const isInOwnSchema = !hasDatabases(environment) && strategy === TableStrategy.SCHEMA;
  return `${isInOwnSchema ? identifier(tenantSchemaName(id)) : schemaOf(environment)}.${identifier(name)}`;
}

/** Schemas that a tenant's tables are in, the tenant's own first. */
export function schemasOf({ id }: ExampleTenant, environment: TablesOf): string[] {
  return [...(hasDatabases(environment) ? [] : [identifier(tenantSchemaName(id))]), schemaOf(environment)];
}

/** Whether a table has the tenant column: those that a tenant has for itself, in a schema of its own, need none. */
export function hasTenantColumn({ strategy }: TenantTable): boolean {
  return strategy !== TableStrategy.SCHEMA;
}

/** The condition that a row is a tenant's. */
export function isRowOf({ value }: ExampleTenant, { data: { tenantColumn } }: TablesOf): string {
  return `${identifier(tenantColumn.name)} = ${literal(value)}::${tenantColumn.type}`;
}

function schemaOf({ data: { schema = 'analytics' } }: TablesOf): string {
  return identifier(schema);
}
