import { CheckedResource, Json, isTrue } from '../checked-resource';
import { Rule } from '../rule';

/**
 * "You can't delete a DB instance when deletion protection is enabled" (RDS User Guide, "Deleting a DB instance"); the same holds for
 * load balancers (Elastic Load Balancing User Guide, "Deletion protection"), tables and others. CloudFormation then stops half-way, in
 * `DELETE_FAILED`, with the rest of the stack gone. Termination protection makes it refuse before it begins.
 */
export const DELETION_PROTECTION: Rule = {
  name: 'DeletionProtection',
  summary:
    'What is protected from deletion is retained when its stack is deleted, or its stack is protected from termination, too.',
  types: /^AWS::/,
  check(resource) {
    if (!isProtected(resource)) return [];
    if (['Retain', 'RetainExceptOnCreate'].includes(resource.deletionPolicy ?? '')) return [];
    return outermost(resource).terminationProtection
      ? []
      : [
          `protected from deletion, with the deletion policy ${resource.deletionPolicy ?? 'of its type'}: deleting the stack would stop half-way. ` +
            'Set terminationProtection of the stack, RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE on it, or take its protection off.',
        ];
  },
};

function isProtected({ properties }: CheckedResource): boolean {
  return (
    ['DeletionProtection', 'DeletionProtectionEnabled'].some((name) => isTrue(properties[name])) ||
    properties.DeletionProtection === 'ACTIVE' ||
    (properties.LoadBalancerAttributes ?? []).some(
      ({ Key, Value }: Json) => Key === 'deletion_protection.enabled' && isTrue(Value),
    )
  );
}

function outermost({ stack }: CheckedResource) {
  let outer = stack;
  while (outer.nestedStackParent) outer = outer.nestedStackParent;
  return outer;
}
