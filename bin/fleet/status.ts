import { changesText } from './changes';
import { Deployments, configurationHash } from './deployed';
import { Fleet } from './fleet-stacks';
import { planRollout } from './plan';
import { Probe, faultsOf } from './probe';

/** What is known of one instance. */
export interface InstanceStatus {
  readonly tenant: string;
  readonly region: string;
  readonly ring: string;
  /** Version of Superset that is deployed. */
  readonly version?: string;
  /** Hash of the template that is deployed, and of the one that the fleet would deploy. */
  readonly configuration?: string;
  readonly wanted: string;
  /** When Superset's metadata were migrated last, in UTC, and how that ended. */
  readonly migrated?: string;
  /** `serves`, or what is wrong. */
  readonly health: string;
  /** What differs from the fleet. */
  readonly difference: string;
}

/** The state of each instance, beside what the fleet would be. */
export async function fleetStatus(fleet: Fleet, deployments: Deployments, probe: Probe): Promise<InstanceStatus[]> {
  const planned = (await planRollout(fleet, deployments)).flatMap(({ instances }) => instances);
  return Promise.all(
    planned.map(async ({ stack, deployed, changes }) => {
      const { tenant, region, ring } = stack;
      const { fault } = deployed ? await probe(stack) : { fault: 'not deployed' };
      const faults = faultsOf(fault, deployed?.ringing ?? []);
      const { migration } = deployed ?? {};
      return {
        ...{ tenant, region, ring },
        version: deployed?.version,
        configuration: deployed && configurationHash(deployed.template),
        wanted: configurationHash(stack.template),
        migrated: migration && `${migration.at.toISOString().slice(0, 16)}Z ${migration.status}`,
        health: faults.join('; ') || 'serves',
        difference: deployed ? changesText(changes) : 'not deployed',
      };
    }),
  );
}
