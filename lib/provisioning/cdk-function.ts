import { CfnResource, Stack } from 'aws-cdk-lib';
import * as logs from 'aws-cdk-lib/aws-logs';
import { IConstruct } from 'constructs';
import { skipCfnLint, skipCheckov } from '../validation/skipped-checks';

/**
 * Gives the function of one of aws-cdk-lib's own custom resources a log group: the one that Lambda would make is kept for ever. There is
 * one such function in a stack, and none if nothing needs it.
 */
export function limitCdkFunction(scope: IConstruct, provider: string, logGroup: logs.ILogGroup, reason: string): void {
  const handler = Stack.of(scope).node.tryFindChild(provider)?.node.findChild('Handler') as CfnResource | undefined;
  if (!handler) return;
  handler.addPropertyOverride('LoggingConfig', { LogGroup: logGroup.logGroupName });
  skipCheckov(handler, reason, 'CKV_AWS_115', 'CKV_AWS_116', 'CKV_AWS_117');
  skipCfnLint(handler, 'W3005');
}
