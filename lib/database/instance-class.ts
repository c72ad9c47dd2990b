/** Processors and memory of an instance class. */
export interface InstanceClass {
  readonly vcpu: number;
  readonly memoryGiB: number;
}

const BURSTABLE: Record<string, InstanceClass> = {
  micro: { vcpu: 2, memoryGiB: 1 },
  small: { vcpu: 2, memoryGiB: 2 },
  medium: { vcpu: 2, memoryGiB: 4 },
  large: { vcpu: 2, memoryGiB: 8 },
  xlarge: { vcpu: 4, memoryGiB: 16 },
  '2xlarge': { vcpu: 8, memoryGiB: 32 },
};

const VCPU = {
  large: 2,
  xlarge: 4,
  '2xlarge': 8,
  '4xlarge': 16,
  '8xlarge': 32,
  '12xlarge': 48,
  '16xlarge': 64,
  '24xlarge': 96,
  '32xlarge': 128,
  '48xlarge': 192,
};

type Size = keyof typeof VCPU;

const GRAVITON: Size[] = ['large', 'xlarge', '2xlarge', '4xlarge', '8xlarge', '12xlarge', '16xlarge'];
const SIXTH_INTEL: Size[] = [...GRAVITON, '24xlarge', '32xlarge'];
const LARGEST: Size[] = [...GRAVITON, '24xlarge', '48xlarge'];

const GENERAL_GIB_PER_VCPU = 4;
const MEMORY_OPTIMISED_GIB_PER_VCPU = 8;

/**
 * The classes that RDS for PostgreSQL 15 to 17 takes, of the current general, memory-optimised and burstable families.
 *
 * Families and sizes: RDS User Guide, "Supported DB engines for DB instance classes", and the classes per region in
 * cfn-lint 1.58.0. Processors and memory: RDS User Guide, "Hardware specifications for DB instance classes". Not every
 * region has every class.
 */
const INSTANCE_CLASSES: ReadonlyMap<string, InstanceClass> = new Map([
  ...burstable('t3'),
  ...burstable('t4g'),
  ...family('m6g', GRAVITON, GENERAL_GIB_PER_VCPU),
  ...family('m6i', SIXTH_INTEL, GENERAL_GIB_PER_VCPU),
  ...family('m7g', GRAVITON, GENERAL_GIB_PER_VCPU),
  ...family('m7i', LARGEST, GENERAL_GIB_PER_VCPU),
  ...family('m8g', LARGEST, GENERAL_GIB_PER_VCPU),
  ...family('r6g', GRAVITON, MEMORY_OPTIMISED_GIB_PER_VCPU),
  ...family('r6i', SIXTH_INTEL, MEMORY_OPTIMISED_GIB_PER_VCPU),
  ...family('r7g', GRAVITON, MEMORY_OPTIMISED_GIB_PER_VCPU),
  ...family('r7i', LARGEST, MEMORY_OPTIMISED_GIB_PER_VCPU),
  ...family('r8g', LARGEST, MEMORY_OPTIMISED_GIB_PER_VCPU),
]);

/** The instance classes, without `db.`, smallest first within a family. */
export function instanceClassNames(): string[] {
  return [...INSTANCE_CLASSES.keys()];
}

/** Processors and memory of an instance class, which is given without `db.`. */
export function instanceClassOf(name: string): InstanceClass | undefined {
  return INSTANCE_CLASSES.get(name);
}

/** `LEAST({DBInstanceClassMemory/9531392}, 5000)`: RDS User Guide, "Quotas and constraints for Amazon RDS". */
const BYTES_PER_CONNECTION = 9_531_392;
const MOST_CONNECTIONS = 5000;

/** DBInstanceClassMemory leaves out what the operating system and RDS themselves hold; AWS does not say how much. */
const HELD_BY_RDS_GIB = 0.25;
const HELD_BY_RDS_SHARE = 0.1;

/**
 * `max_connections` that RDS for PostgreSQL gives a class by default, on the safe side.
 *
 * A quarter of a GiB and a tenth of the rest are taken off the class's memory, which is below what was seen on servers:
 * 785 for 8 GiB (seen: about 860), 1,596 for 16 GiB (about 1,800), 3,216 for 32 GiB (about 3,600).
 *
 * @throws RangeError if there is no such class.
 */
export function maxConnections(name: string): number {
  const instanceClass = INSTANCE_CLASSES.get(name);
  if (!instanceClass) throw new RangeError(`RDS instance class ${name} is not known.`);
  const bytes = (instanceClass.memoryGiB - HELD_BY_RDS_GIB) * (1 - HELD_BY_RDS_SHARE) * 2 ** 30;
  return Math.min(Math.floor(bytes / BYTES_PER_CONNECTION), MOST_CONNECTIONS);
}

function burstable(familyName: string): [string, InstanceClass][] {
  return Object.entries(BURSTABLE).map(([size, instanceClass]) => [`${familyName}.${size}`, instanceClass]);
}

function family(familyName: string, sizes: Size[], gibPerVcpu: number): [string, InstanceClass][] {
  return sizes.map((size) => [`${familyName}.${size}`, { vcpu: VCPU[size], memoryGiB: VCPU[size] * gibPerVcpu }]);
}
