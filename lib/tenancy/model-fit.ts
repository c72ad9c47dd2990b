import { Annotations, Token } from 'aws-cdk-lib';
import { Construct } from 'constructs';

/** Up to about here one server, with one restore and one maintenance window, serves its tenants well. */
const FITTING_TENANTS = 30;

/** Up to about here a restore of the whole server, which is the only one that RDS has, takes well under an hour. */
const FITTING_STORAGE_GIB = 100;

/** Warns when another model would serve better. It works none the less: acknowledge the warning to keep the choice. */
export function warnOfFit(scope: Construct, tenants: number, storageGiB: number): void {
  if (tenants > FITTING_TENANTS) {
    Annotations.of(scope).addWarningV2(
      'superset-tenancy:fit-tenants',
      `${tenants} tenants share one database; the shared model suits up to about ${FITTING_TENANTS}. A database per tenant lets each be restored, moved and upgraded alone.`,
    );
  }
  if (!Token.isUnresolved(storageGiB) && storageGiB > FITTING_STORAGE_GIB) {
    Annotations.of(scope).addWarningV2(
      'superset-tenancy:fit-storage',
      `The server has ${storageGiB} GiB; the shared model suits up to about ${FITTING_STORAGE_GIB}, since RDS restores the whole server or nothing. A database per tenant is dumped and restored by itself.`,
    );
  }
}
