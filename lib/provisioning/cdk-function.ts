import { CfnResource, RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as logs from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { letLogsUse } from '../encryption/own-key';
import { skipCfnLint, skipCheckov } from '../validation/skipped-checks';

/**
 * Gives the function of one of aws-cdk-lib's own custom resources a log group: the one that Lambda would make is kept for ever. There is
 * one such function in a stack, and none if nothing needs it.
 */
export function limitCdkFunction(scope: Construct, provider: string, key: kms.IKey, reason: string): void {
  const handler = Stack.of(scope).node.tryFindChild(provider)?.node.findChild('Handler') as CfnResource | undefined;
  if (!handler) return;
  letLogsUse(key, scope);
  const logGroup = new logs.LogGroup(scope, 'CdkFunctionLog', {
    encryptionKey: key,
    retention: logs.RetentionDays.THREE_MONTHS,
    removalPolicy: RemovalPolicy.DESTROY,
  });
  handler.addPropertyOverride('LoggingConfig', { LogGroup: logGroup.logGroupName });
  skipCheckov(handler, reason, 'CKV_AWS_115', 'CKV_AWS_116', 'CKV_AWS_117');
  skipCfnLint(handler, 'W3005');
}
