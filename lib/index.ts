export * from './cache/superset-cache';
export * from './database/metadata-database';
export * from './database/tenant-database-server';
export * from './database/tenant-table';
export * from './environment/environment';
export * from './monitoring/tenancy-alarms';
export * from './network/tenancy-network';
export * from './tenant/tenant';
export { TenantLimits, TenantTier } from './tenant/tenant-limits';
