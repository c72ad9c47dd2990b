import { ResourceImpact, fullDiff } from '@aws-cdk/cloudformation-diff';
import { Template } from './fleet-stacks';

/** What a deployment would change in a stack. */
export interface Changes {
  readonly added: number;
  readonly changed: number;
  readonly removed: number;
  /** Resources that hold something and would be made anew or removed, by logical id with their type. */
  readonly losing: string[];
}

/** What is lost with the resource itself, and cannot be had again from the file. */
const HOLDS =
  /^AWS::(RDS::DBInstance|KMS::Key|SecretsManager::Secret|ElastiCache::ReplicationGroup|EC2::(VPC|Subnet))$/;

const REPLACING = [ResourceImpact.WILL_REPLACE, ResourceImpact.WILL_DESTROY, ResourceImpact.WILL_ORPHAN];

/** Compares what is deployed, if anything is, with what would be. */
export function changesBetween(deployed: Template | undefined, wanted: Template): Changes {
  if (!deployed) return { added: Object.keys(wanted.Resources).length, changed: 0, removed: 0, losing: [] };
  const counted = { added: 0, changed: 0, removed: 0 };
  const losing: string[] = [];
  fullDiff(deployed, wanted).resources.forEachDifference((id, difference) => {
    if (difference.resourceType === 'AWS::CDK::Metadata' || !difference.isDifferent) return;
    if (difference.isAddition) counted.added++;
    else if (difference.isRemoval) counted.removed++;
    else counted.changed++;
    if (HOLDS.test(difference.resourceType ?? '') && REPLACING.includes(difference.changeImpact)) {
      losing.push(`${id} (${difference.resourceType})`);
    }
  });
  return { ...counted, losing };
}

/** Whether nothing would change. */
export function isSame({ added, changed, removed }: Changes): boolean {
  return added + changed + removed === 0;
}

/** The changes in a few words. */
export function changesText(changes: Changes): string {
  if (isSame(changes)) return 'same';
  const parts = Object.entries({ added: changes.added, changed: changes.changed, removed: changes.removed });
  return parts.flatMap(([what, count]) => (count > 0 ? `${count} ${what}` : [])).join(', ');
}
