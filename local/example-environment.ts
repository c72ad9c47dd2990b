import { createHash } from 'node:crypto';
import { TableStrategy, TenantColumn, TenantColumnType, TenantTable } from '../lib/database/tenant-table';
import { Environment, EnvironmentData } from '../lib/environment/environment';
import { Tenant } from '../lib/tenant/tenant';

/** A tenant whose rows can be told from others'. */
export interface ExampleTenant extends Tenant {
  readonly value: string;
}

/** The tables that are filled for a tenant, and asked for. */
export interface ExampleData extends EnvironmentData {
  readonly tenantColumn: TenantColumn;
  readonly tables: TenantTable[];
}

/** An environment with data to prove something by. */
export interface ExampleEnvironment extends Environment {
  readonly data: ExampleData;
  readonly tenants: ExampleTenant[];
}

/** An environment with what its model does not ask for, and the example's tables have. */
export function withExampleData(environment: Environment): ExampleEnvironment {
  return {
    ...environment,
    data: { tenantColumn: TENANT_COLUMN, tables: TABLES, ...environment.data },
    tenants: environment.tenants.map((tenant) => ({ value: valueOf(tenant), ...tenant })),
  };
}

const TENANT_COLUMN = { name: 'tenant_id', type: TenantColumnType.UUID };

const TABLES = [
  { name: 'orders', strategy: TableStrategy.COLUMN },
  { name: 'events', strategy: TableStrategy.PARTITIONED },
  { name: 'notes', strategy: TableStrategy.SCHEMA },
];

/** The same UUID for the same id each time. */
function valueOf({ id }: Tenant): string {
  const digits = createHash('sha256').update(id).digest('hex');
  return `${digits.slice(0, 8)}-${digits.slice(8, 12)}-4${digits.slice(13, 16)}-8${digits.slice(17, 20)}-${digits.slice(20, 32)}`;
}
