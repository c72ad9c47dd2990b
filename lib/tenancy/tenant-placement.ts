import { createHash } from 'node:crypto';
import { Tenant } from '../tenant/tenant';

/**
 * Stacks that tenants are spread over. Fixed for good: another number would move tenants, and a tenant that moves has
 * its secret made anew.
 */
export const TENANT_STACKS = 8;

/** The number of the stack that a tenant lives in: decided by its id alone, so that no tenant ever moves another. */
export function stackOf(tenantId: string): number {
  return createHash('sha256').update(tenantId).digest().readUInt32BE(0) % TENANT_STACKS;
}

/** The tenants of each stack that has any, in the order of the stacks; within a stack in the order of their ids. */
export function placeTenants(tenants: Tenant[]): Map<number, Tenant[]> {
  const placed = new Map<number, Tenant[]>();
  for (const tenant of [...tenants].sort((a, b) => (a.id < b.id ? -1 : 1))) {
    const stack = stackOf(tenant.id);
    placed.set(stack, [...(placed.get(stack) ?? []), tenant]);
  }
  return new Map([...placed].sort(([a], [b]) => a - b));
}
