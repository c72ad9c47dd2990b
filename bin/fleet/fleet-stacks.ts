import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A template, of which the parts that a rollout looks at. */
export interface Template {
  readonly Resources: Record<string, { readonly Type: string; readonly Properties?: Record<string, unknown> }>;
  readonly Outputs?: Record<string, { readonly Value: unknown }>;
}

/** A stack of a synthesised fleet. */
export interface FleetStack {
  /** Path in the app, which the CDK selects stacks by. */
  readonly id: string;
  readonly name: string;
  readonly region: string;
  readonly template: Template;
  /** File of the template in the assembly. */
  readonly templateFile: string;
}

/** The stack of one tenant. */
export interface InstanceStack extends FleetStack {
  readonly tenant: string;
  readonly ring: string;
  /** Place of the ring among all, from 0 on. */
  readonly ringNumber: number;
  /** Minutes that its ring is watched before the next one begins. */
  readonly bakeMinutes: number;
  readonly version: string;
  readonly url: string;
}

/** The stack of a cell. */
export interface CellStack extends FleetStack {
  /** Ids of its tenants. */
  readonly tenants: string[];
}

/** What an app has made: cells, and instances in the order of their rings. */
export interface Fleet {
  readonly cells: CellStack[];
  readonly instances: InstanceStack[];
}

interface Manifest {
  readonly artifacts: Record<
    string,
    {
      readonly type: string;
      readonly environment?: string;
      readonly displayName?: string;
      readonly additionalMetadataFile?: string;
      readonly properties: { readonly templateFile: string; readonly stackName?: string };
    }
  >;
}

/** Reads the fleet of a cloud assembly. Stacks that are no part of it are left out. */
export function readFleet(assembly: string): Fleet {
  const read = (file: string) => JSON.parse(readFileSync(join(assembly, file), 'utf8'));
  const { artifacts } = read('manifest.json') as Manifest;
  const cells: CellStack[] = [];
  const instances: InstanceStack[] = [];
  for (const [artifact, { type, environment, displayName, additionalMetadataFile, properties }] of Object.entries(
    artifacts,
  )) {
    if (type !== 'aws:cloudformation:stack' || !additionalMetadataFile) continue;
    const marks = Object.values(
      read(additionalMetadataFile) as Record<string, { readonly type: string; readonly data: unknown }[]>,
    ).flat();
    const stack: FleetStack = {
      id: displayName?.split(' ')[0] ?? artifact,
      name: properties.stackName ?? artifact,
      region: (environment ?? '').split('/').at(-1)!,
      template: read(properties.templateFile) as Template,
      templateFile: properties.templateFile,
    };
    for (const { type: kind, data } of marks) {
      if (kind === 'superset-tenancy:instance') instances.push({ ...stack, ...(data as object) } as InstanceStack);
      if (kind === 'superset-tenancy:cell') cells.push({ ...stack, ...(data as object) } as CellStack);
    }
  }
  instances.sort((a, b) => a.ringNumber - b.ringNumber);
  return { cells, instances };
}

/** The instances of each ring, the first ring first. */
export function ringsOf({ instances }: Fleet): [ring: string, instances: InstanceStack[]][] {
  const rings = new Map<string, InstanceStack[]>();
  for (const instance of instances) rings.set(instance.ring, [...(rings.get(instance.ring) ?? []), instance]);
  return [...rings];
}
