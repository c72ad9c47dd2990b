import { join } from 'node:path';
import {
  Aws,
  CfnResource,
  CustomResourceProvider,
  CustomResourceProviderRuntime,
  Duration,
  RemovalPolicy,
  Validations,
} from 'aws-cdk-lib';
import * as logs from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { limitCdkFunction } from '../provisioning/cdk-function';
import { skipCheckov } from '../validation/skipped-checks';
import { BUSY_MINUTES } from './protection-requests';

/** The function of a stack that turns protection on and off. It needs nothing else of the stack, so that it can come first and go last. */
export function protectionProvider(scope: Construct): CustomResourceProvider {
  const provider = CustomResourceProvider.getOrCreateProvider(scope, TYPE, {
    codeDirectory: join(__dirname, 'handler.bundle'),
    runtime: CustomResourceProviderRuntime.NODEJS_22_X,
    description: 'Turns protection from deletion on and off',
    timeout: Duration.minutes(BUSY_MINUTES + 2),
    policyStatements: [
      {
        Effect: 'Allow',
        Action: ['cloudformation:DescribeStacks', 'cloudformation:UpdateTerminationProtection'],
        Resource: Aws.STACK_ID,
      },
    ],
  });
  if (!provider.node.tryFindChild('Log')) limitLog(provider);
  return provider;
}

const TYPE = 'Custom::SupersetProtection';

function limitLog(provider: CustomResourceProvider): void {
  const logGroup = new logs.LogGroup(provider, 'Log', {
    retention: logs.RetentionDays.THREE_MONTHS,
    removalPolicy: RemovalPolicy.DESTROY,
  });
  const called = 'CloudFormation calls it in deployments only, and reports its failure. It speaks to AWS only.';
  limitCdkFunction(provider, `${TYPE}CustomResourceProvider`, logGroup, called);
  const reason = 'It says what was protected, and holds no data. Every key of the stack is made after it.';
  Validations.of(logGroup).acknowledge({ id: 'NIST.800.53.R5-CloudWatchLogGroupEncrypted', reason });
  skipCheckov(logGroup.node.defaultChild as CfnResource, reason, 'CKV_AWS_158');
}
