import { createHash } from 'node:crypto';
import { TableStrategy, TenantColumn, TenantColumnType, TenantTable } from '../lib/database/tenant-table';
import { Environment, EnvironmentData, TenancyModel } from '../lib/environment/environment';
import { instancePlans } from '../lib/environment/instance-plan';
import { placeInstances } from '../lib/tenancy/instance-placement';
import { Tenant } from '../lib/tenant/tenant';
import { InstanceSharing } from '../lib/tenant/tenant-instance';

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

/** Servers that the tenants of an environment are on. */
export function serverCount(environment: Environment): number {
  const { model, shards, instances } = environment;
  if (model !== TenancyModel.INSTANCE_PER_TENANT) {
    return shards?.length ?? 1;
  }
  const plans = instancePlans(environment);
  const places = placeInstances(plans, instances?.tenantsPerCell ?? 15, {});
  const inCells = plans.filter(({ database }) => database === InstanceSharing.CELL);
  const cells = new Set(inCells.map(({ tenant }) => `${places[tenant.id].region} ${places[tenant.id].cell}`));
  return plans.length - inCells.length + cells.size;
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
