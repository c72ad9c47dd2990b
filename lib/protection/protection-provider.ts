import { join } from 'node:path';
import { Aws, CfnResource, CustomResourceProvider, CustomResourceProviderRuntime, Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { skipCfnLint, skipCheckov } from '../validation/skipped-checks';
import { BUSY_MINUTES } from './protection-requests';

/** The function of a stack that turns protection on and off. It needs nothing else of the stack, so that it can come first and go last. */
export function protectionProvider(scope: Construct): CustomResourceProvider {
  const provider = CustomResourceProvider.getOrCreateProvider(scope, 'Custom::SupersetProtection', {
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
  acknowledgeFindings(provider);
  return provider;
}

function acknowledgeFindings(provider: CustomResourceProvider): void {
  const handler = provider.node.findChild('Handler') as CfnResource;
  if (handler.getMetadata('checkov')) return;
  const reason = 'CloudFormation calls it in deployments only, and reports its failure. It speaks to AWS only.';
  skipCheckov(handler, reason, 'CKV_AWS_115', 'CKV_AWS_116', 'CKV_AWS_117');
  skipCfnLint(handler, 'W3005');
}
