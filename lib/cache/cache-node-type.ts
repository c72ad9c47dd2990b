const BURSTABLE_GIB = { micro: 0.5, small: 1.37, medium: 3.09 };

const GENERAL_GIB = {
  large: 6.38,
  xlarge: 12.93,
  '2xlarge': 26.04,
  '4xlarge': 52.26,
  '8xlarge': 103.68,
  '12xlarge': 157.12,
  '16xlarge': 209.55,
};

const MEMORY_OPTIMISED_GIB = {
  large: 13.07,
  xlarge: 26.32,
  '2xlarge': 52.82,
  '4xlarge': 105.81,
  '8xlarge': 209.55,
  '12xlarge': 317.77,
  '16xlarge': 419.09,
};

/**
 * The node types that ElastiCache for Valkey takes, of the current general, memory-optimised and burstable families.
 *
 * Types: ElastiCache User Guide, "Supported node types". Memory: Amazon ElastiCache pricing, "On-demand nodes"; Valkey
 * may use three quarters of it, since ElastiCache reserves a quarter by default. Not every region has every type.
 */
const MEMORY_GIB: ReadonlyMap<string, number> = new Map([
  ...family('t3', BURSTABLE_GIB),
  ...family('t4g', BURSTABLE_GIB),
  ...family('m6g', GENERAL_GIB),
  ...family('m7g', GENERAL_GIB),
  ...family('r6g', MEMORY_OPTIMISED_GIB),
  ...family('r7g', MEMORY_OPTIMISED_GIB),
]);

/** The node types, with `cache.`, smallest first within a family. */
export function cacheNodeTypeNames(): string[] {
  return [...MEMORY_GIB.keys()];
}

/** Memory of a node type, which is given with `cache.`, in GiB. */
export function cacheNodeMemoryGiB(name: string): number | undefined {
  return MEMORY_GIB.get(name);
}

function family(name: string, memoryGiB: Record<string, number>): [string, number][] {
  return Object.entries(memoryGiB).map(([size, gib]) => [`cache.${name}.${size}`, gib]);
}
