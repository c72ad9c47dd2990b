import { Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Environment } from '../../lib/environment/environment';
import { databaseExample, example, instanceExample, newFleet, userApp } from '../tenancy/environments';
import { newStack } from '../tenancy/templates';

/**
 * What a second call does no harm: those of aws-cdk-lib empty a bucket and take rules out of a security group, protection is on or off
 * however often that is asked for, and what begins a migration, a snapshot or a wait knows the request by its id, and is done in seconds.
 */
const SAFE_TO_REPEAT =
  /^Custom(S3AutoDeleteObjects|VpcRestrictDefaultSG|SupersetProtection)CustomResourceProviderHandler|(Migration|RdsRequests)Providerframework/;

/** Functions of a stack that EventBridge or CloudFormation calls, which both do asynchronously, by logical id. */
function calledAsynchronously(template: Template): string[] {
  const { Resources } = template.toJSON() as {
    // eslint-disable-next-line @typescript-eslint/no-explicit-any
    Resources: Record<string, { Type: string; Properties: any }>;
  };
  const arns = Object.values(Resources).flatMap(({ Type, Properties }) =>
    Type === 'AWS::Events::Rule'
      ? (Properties.Targets as { Arn: unknown }[]).map(({ Arn }) => Arn)
      : Type.startsWith('Custom::')
        ? [Properties.ServiceToken as unknown]
        : [],
  );
  const ids = arns.map((arn) => (arn as { 'Fn::GetAtt'?: string[] })['Fn::GetAtt']?.[0] ?? '');
  return [...new Set(ids)].filter((id) => Resources[id]?.Type === 'AWS::Lambda::Function' && !SAFE_TO_REPEAT.test(id));
}

function neverRetried(template: Template): string[] {
  return Object.values(
    template.findResources('AWS::Lambda::EventInvokeConfig', { Properties: { MaximumRetryAttempts: 0 } }),
  ).map(({ Properties }) => Properties.FunctionName.Ref as string);
}

const oneStack = (environment: Environment) => [newStack(userApp(), environment)];

test.each<[string, () => Stack[]]>([
  ['shared-rls', () => oneStack(example())],
  ['database-per-tenant', () => oneStack(databaseExample())],
  [
    'instance-per-tenant',
    () => {
      const { cells, instances } = newFleet(userApp(), instanceExample());
      return [...cells, ...instances];
    },
  ],
])('Lambda repeats no run of a function of %s that failed', (_, stacks) => {
  const templates = stacks().map((stack) => Template.fromStack(stack));

  expect(templates.flatMap(calledAsynchronously).length).toBeGreaterThan(0);
  for (const template of templates) {
    const called = calledAsynchronously(template);

    // The parent's provisioner is called from nested stacks, too.
    expect(neverRetried(template)).toEqual(expect.arrayContaining(called));
  }
});
