import { createHash } from 'node:crypto';
import { Tenant } from '../tenant/tenant';

/** A shard, as far as placing is concerned. */
export interface PlaceableShard {
  readonly name: string;
  /** Id of the one tenant that it is for. */
  readonly onlyFor?: string;
}

/**
 * The name of the shard that a tenant's database is on: the one that it names, the one that is only for it, or one of the default
 * ones (the first that is for any tenant) by a hash of its id. No other tenant, and no other shard, has a say.
 */
export function shardOf(tenant: Tenant, shards: PlaceableShard[], given?: string[]): string {
  const own = shards.find(({ onlyFor }) => onlyFor === tenant.id);
  if (tenant.shard ?? own) return tenant.shard ?? own!.name;
  const defaultShards =
    given ??
    shards
      .filter(({ onlyFor }) => !onlyFor)
      .map(({ name }) => name)
      .slice(0, 1);
  const hash = createHash('sha256').update(`shard of ${tenant.id}`).digest().readUInt32BE(0);
  return defaultShards[hash % defaultShards.length];
}
