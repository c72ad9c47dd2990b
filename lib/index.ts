export * from './database/tenant-table';
export * from './environment/environment';
export * from './tenant/tenant';
export { TenantLimits, TenantTier } from './tenant/tenant-limits';
