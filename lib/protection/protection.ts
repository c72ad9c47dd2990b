import { RemovalPolicy } from 'aws-cdk-lib';

/** What is retained, but for the deployment that makes it: if that fails, a name that stayed taken would fail the next one. */
export function kept(removalPolicy: RemovalPolicy): RemovalPolicy {
  return removalPolicy === RemovalPolicy.RETAIN ? RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE : removalPolicy;
}
