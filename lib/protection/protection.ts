import { RemovalPolicy } from 'aws-cdk-lib';

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
