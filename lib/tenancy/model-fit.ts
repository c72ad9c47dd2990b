import { Annotations, Token } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { ShardBudget } from './shard-budget';

/** Up to about here one server, with one restore and one maintenance window, serves its tenants well. */
export const FITTING_TENANTS = 30;

/** Up to about here a restore of the whole server, which is the only one that RDS has, takes well under an hour. */
export const FITTING_STORAGE_GIB = 100;

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

/** Below it, what a server and a proxy of their own cost outweighs what databases of their own give. */
export const FEWEST_TENANTS = 10;

/** Above it a restore or an upgrade of one server concerns too many. */
export const MOST_ON_SHARD = 100;

/** Tells when another model, or another shard, would serve better. */
export function noteFitOfShards(scope: Construct, shards: ShardBudget[]): void {
  const tenants = shards.reduce((sum, shard) => sum + shard.tenants.length, 0);
  if (tenants < FEWEST_TENANTS) {
    Annotations.of(scope).addInfoV2(
      'superset-tenancy:fit-few-tenants',
      `${tenants} tenants have a database each; up to about ${FEWEST_TENANTS}, the shared model (model: shared-rls) costs less: it needs no proxy, and one connection pool serves its server. Keep this one for backup, keys and limits of each tenant by itself.`,
    );
  }
  for (const { shard, tenants: onShard } of shards.filter((each) => each.tenants.length > MOST_ON_SHARD)) {
    Annotations.of(scope).addWarningV2(
      `superset-tenancy:fit-shard-${shard}`,
      `Shard ${shard} has ${onShard.length} tenants; one server suits up to about ${MOST_ON_SHARD}, since a restore, an upgrade and a failover concern all of them. Put the next tenants on another shard; for tenants that need a Superset of their own, an instance per tenant fits.`,
    );
  }
}
