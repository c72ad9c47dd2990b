import { Annotations, RemovalPolicy } from 'aws-cdk-lib';
import { IConstruct } from 'constructs';
import { ConfigurationError } from '../validation/configuration-error';
import { valueText } from '../validation/problem';

/** Context that turns protection from deletion off: for a first deployment, and before a stack is deleted. */
export const UNPROTECTED = 'superset-tenancy:unprotected';

/**
 * Whether servers, load balancers and stacks are protected from deletion.
 *
 * Protection that is there from the first deployment on also stops CloudFormation from rolling that deployment back.
 */
export function isProtected(scope: IConstruct): boolean {
  const unprotected: unknown = scope.node.tryGetContext(UNPROTECTED) ?? false;
  if (!['true', 'false'].includes(String(unprotected))) {
    throw new ConfigurationError(
      scope,
      'CONTEXT_INVALID',
      `${UNPROTECTED} is ${valueText(unprotected)}; it must be true or false. Give -c ${UNPROTECTED}=true for a first deployment, and leave it out after it.`,
    );
  }
  return String(unprotected) === 'false';
}

/** Says at each synthesis that a stack with data has no protection, so that this does not last. */
export function warnUnprotected(stack: IConstruct): void {
  if (isProtected(stack)) return;
  Annotations.of(stack).addWarningV2(
    'superset-tenancy:unprotected',
    `Servers, load balancer and stack can be deleted. Deploy again without -c ${UNPROTECTED}=true as soon as the deployment has succeeded.`,
  );
}

/**
 * What stays of a resource that has no snapshots: all of it, unless it is destroyed. Not of the deployment that makes it: if that fails,
 * a name that stayed taken would fail the next one.
 */
export function kept(removalPolicy: RemovalPolicy): RemovalPolicy {
  return removalPolicy === RemovalPolicy.DESTROY ? removalPolicy : RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE;
}

/** The same of a resource that has snapshots (CloudFormation Template Reference, "DeletionPolicy attribute"). */
export function keptOrSnapshot(removalPolicy: RemovalPolicy): RemovalPolicy {
  return removalPolicy === RemovalPolicy.SNAPSHOT ? removalPolicy : kept(removalPolicy);
}
