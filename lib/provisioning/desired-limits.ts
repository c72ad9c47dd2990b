import { Tenant } from '../tenant/tenant';
import { resolveTenantLimits } from '../tenant/tenant-limits';

/** Limits of a tenant's login role, as a request carries them. */
export interface DesiredLimits {
  readonly connections: string;
  readonly statementTimeoutSeconds: string;
  readonly workMemMiB: string;
  readonly parallelWorkers: string;
  readonly tempFileMiB: string;
}

/** The tenant's limits, each as a text. */
export function desiredLimits({ tier, limits }: Tenant): DesiredLimits {
  const { connections, statementTimeoutSeconds, workMemMiB, parallelWorkers, tempFileMiB } = resolveTenantLimits(
    tier,
    limits,
  );
  return {
    connections: `${connections}`,
    statementTimeoutSeconds: `${statementTimeoutSeconds}`,
    workMemMiB: `${workMemMiB}`,
    parallelWorkers: `${parallelWorkers}`,
    tempFileMiB: `${tempFileMiB}`,
  };
}
