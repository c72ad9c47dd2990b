import { App, Stack } from 'aws-cdk-lib';
import * as rds from 'aws-cdk-lib/aws-rds';
import { tenancyFindings } from '../tenancy-findings';
import { Resources, findingsOf, rows } from './small-app';

const spot: Resources = {
  Cluster: { Type: 'AWS::ECS::Cluster' },
  Association: {
    Type: 'AWS::ECS::ClusterCapacityProviderAssociations',
    Properties: { Cluster: { Ref: 'Cluster' }, CapacityProviders: ['FARGATE', 'FARGATE_SPOT'] },
  },
  Service: {
    Type: 'AWS::ECS::Service',
    Properties: { Cluster: { Ref: 'Cluster' }, CapacityProviderStrategy: [{ CapacityProvider: 'FARGATE_SPOT' }] },
    DependsOn: ['Association'],
  },
};

const server = (properties: Record<string, unknown>, rest = {}): Resources => ({
  Server: { Type: 'AWS::RDS::DBInstance', Properties: { Engine: 'postgres', ...properties }, ...rest },
});

const balancer: Resources = {
  Balancer: {
    Type: 'AWS::ElasticLoadBalancingV2::LoadBalancer',
    Properties: { LoadBalancerAttributes: [{ Key: 'deletion_protection.enabled', Value: 'false' }] },
  },
};

const called = (caller: Resources[string]): Resources => ({
  Function: { Type: 'AWS::Lambda::Function', Properties: {} },
  Retries: {
    Type: 'AWS::Lambda::EventInvokeConfig',
    Properties: { FunctionName: { Ref: 'Function' }, Qualifier: '$LATEST', MaximumRetryAttempts: 0 },
  },
  Caller: caller,
});

const FUNCTION_ARN = { 'Fn::GetAtt': ['Function', 'Arn'] };

const callers: Resources[string][] = [
  { Type: 'AWS::Events::Rule', Properties: { Targets: [{ Id: 'it', Arn: FUNCTION_ARN }] } },
  { Type: 'AWS::Scheduler::Schedule', Properties: { Target: { Arn: FUNCTION_ARN } } },
  { Type: 'AWS::SNS::Subscription', Properties: { Protocol: 'lambda', Endpoint: FUNCTION_ARN } },
  { Type: 'AWS::CloudWatch::Alarm', Properties: { AlarmActions: [FUNCTION_ARN] } },
  { Type: 'AWS::Logs::SubscriptionFilter', Properties: { DestinationArn: FUNCTION_ARN } },
  {
    Type: 'AWS::S3::Bucket',
    Properties: { NotificationConfiguration: { LambdaConfigurations: [{ Event: 's3:*', Function: FUNCTION_ARN }] } },
  },
];

const trusting = (service: unknown): Resources => ({
  Role: {
    Type: 'AWS::IAM::Role',
    Properties: {
      AssumeRolePolicyDocument: {
        Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service: service } }],
      },
    },
  },
});

const SERVICE = 'Role/Properties/AssumeRolePolicyDocument/Statement/0/Principal/Service';

const keyFor = (service: string, ...actions: string[]) => ({
  Type: 'AWS::KMS::Key',
  Properties: {
    KeyPolicy: { Statement: [{ Effect: 'Allow', Principal: { Service: service }, Action: actions, Resource: '*' }] },
  },
});

const loggedUnder: Resources = {
  Key: keyFor('logs.eu-central-1.amazonaws.com', 'kms:Encrypt*', 'kms:Decrypt*', 'kms:GenerateDataKey*'),
  Log: { Type: 'AWS::Logs::LogGroup', Properties: { KmsKeyId: { 'Fn::GetAtt': ['Key', 'Arn'] } } },
};

const KEY_STATEMENT = 'Key/Properties/KeyPolicy/Statement/0';

const publishing = (service: string, publisher: Resources[string]): Resources => ({
  Key: keyFor(`${service}.amazonaws.com`, 'kms:Decrypt', 'kms:GenerateDataKey*'),
  Topic: { Type: 'AWS::SNS::Topic', Properties: { KmsMasterKeyId: { 'Fn::GetAtt': ['Key', 'Arn'] } } },
  Publisher: publisher,
});

const alarmed = publishing('cloudwatch', {
  Type: 'AWS::CloudWatch::Alarm',
  Properties: { AlarmActions: [{ Ref: 'Topic' }] },
});
const aliased: Resources = {
  ...alarmed,
  Alias: { Type: 'AWS::KMS::Alias', Properties: { TargetKeyId: { 'Fn::GetAtt': ['Key', 'Arn'] } } },
  Topic: { Type: 'AWS::SNS::Topic', Properties: { KmsMasterKeyId: { Ref: 'Alias' } } },
};
const ruled = publishing('events', { Type: 'AWS::Events::Rule', Properties: { Targets: [{ Arn: { Ref: 'Topic' } }] } });

test.each(
  rows([
    {
      rule: 'SpotCapacity',
      good: spot,
      bad: [
        ['Association', undefined, 'FARGATE_SPOT is not associated with the cluster'],
        ['Association/Properties/CapacityProviders', ['FARGATE'], 'FARGATE_SPOT is not associated with the cluster'],
        ['Service/DependsOn', undefined, 'does not wait for the association'],
      ],
    },
    {
      rule: 'DeletionProtection',
      good: server({ DeletionProtection: true }, { DeletionPolicy: 'RetainExceptOnCreate' }),
      bad: [
        ['Server/DeletionPolicy', 'Delete', 'deletion policy Delete'],
        ['Server/DeletionPolicy', 'Snapshot', 'deletion policy Snapshot'],
        ['Server/DeletionPolicy', undefined, 'deletion policy of its type'],
      ],
    },
    {
      rule: 'DeletionProtection',
      good: balancer,
      bad: [['Balancer/Properties/LoadBalancerAttributes/0/Value', 'true', 'would stop half-way']],
    },
    {
      rule: 'RetainedName',
      good: server({ DBInstanceIdentifier: 'tenants' }, { DeletionPolicy: 'RetainExceptOnCreate' }),
      bad: [['Server/DeletionPolicy', 'Retain', 'fixed DBInstanceIdentifier']],
    },
    {
      rule: 'RetainedName',
      good: { Log: { Type: 'AWS::Logs::LogGroup', Properties: {}, DeletionPolicy: 'Retain' } },
      bad: [['Log/Properties/LogGroupName', '/superset', 'fixed LogGroupName']],
    },
    {
      rule: 'RetainedName',
      good: { Secret: { Type: 'AWS::SecretsManager::Secret', Properties: {}, DeletionPolicy: 'Retain' } },
      bad: [['Secret/Properties/Name', { 'Fn::Join': ['', ['a-', { Ref: 'AWS::Region' }]] }, 'fixed Name']],
    },
    {
      rule: 'RetainedNeeds',
      good: {
        Role: { Type: 'AWS::IAM::Role', Properties: {}, DeletionPolicy: 'RetainExceptOnCreate' },
        Groups: { Type: 'AWS::EC2::SecurityGroup', Properties: {}, DeletionPolicy: 'Retain' },
        ...server(
          {
            MonitoringRoleArn: { 'Fn::GetAtt': ['Role', 'Arn'] },
            VPCSecurityGroups: [{ 'Fn::GetAtt': ['Groups', 'GroupId'] }],
          },
          { DeletionPolicy: 'RetainExceptOnCreate' },
        ),
      },
      bad: [
        ['Role/DeletionPolicy', 'Delete', 'Small/Role, which it needs, is deleted'],
        ['Groups/DeletionPolicy', undefined, 'Small/Groups, which it needs, is deleted'],
      ],
    },
    ...callers.map((caller) => ({
      rule: 'AsyncRetries',
      good: called(caller),
      bad: [
        ['Retries', undefined, 'calls Small/Function asynchronously'],
        ['Retries/Properties/MaximumRetryAttempts', undefined, 'calls Small/Function asynchronously'],
      ] as [string, unknown, string][],
    })),
    {
      rule: 'ServicePrincipal',
      good: trusting('logs.eu-central-1.amazonaws.com'),
      bad: [
        [SERVICE, 'logs.amazonaws.com', 'Use logs.eu-central-1.amazonaws.com'],
        [SERVICE, 'logs.us-east-1.amazonaws.com', 'the service of us-east-1'],
        [SERVICE, 'ecs-tasks.amazonaws.com.cn', 'Use ecs-tasks.amazonaws.com.'],
      ],
    },
    {
      rule: 'ServicePrincipal',
      region: 'cn-north-1',
      good: trusting({ 'Fn::Join': ['', ['logs.', { Ref: 'AWS::Region' }, '.', { Ref: 'AWS::URLSuffix' }]] }),
      bad: [
        [SERVICE, { 'Fn::Sub': 'logs.${AWS::Region}.amazonaws.com' }, 'Use logs.cn-north-1.amazonaws.com.cn'],
        [SERVICE, { 'Fn::Sub': 'ecs-tasks.${AWS::URLSuffix}' }, 'Use ecs-tasks.amazonaws.com.'],
      ],
    },
    {
      rule: 'LogsKey',
      good: loggedUnder,
      bad: [
        [`${KEY_STATEMENT}/Principal/Service`, 'sns.amazonaws.com', 'does not let CloudWatch Logs use it'],
        [`${KEY_STATEMENT}/Action`, ['kms:Decrypt'], 'does not let CloudWatch Logs use it'],
      ],
    },
    {
      rule: 'TopicKey',
      good: alarmed,
      bad: [
        [`${KEY_STATEMENT}/Principal/Service`, 'events.amazonaws.com', 'cloudwatch.amazonaws.com'],
        [`${KEY_STATEMENT}/Action`, ['kms:Decrypt'], 'kms:GenerateDataKey*'],
        ['Topic/Properties/KmsMasterKeyId', 'alias/aws/sns', 'cannot publish under alias/aws/sns'],
      ],
    },
    { rule: 'TopicKey', good: aliased, bad: [[`${KEY_STATEMENT}/Effect`, 'Deny', 'cloudwatch.amazonaws.com']] },
    { rule: 'TopicKey', good: ruled, bad: [[`${KEY_STATEMENT}/Effect`, 'Deny', 'events.amazonaws.com']] },
  ]),
)('%s is found: %s', (_, __, run) => run());

test('what is protected from deletion may go with a stack that is protected from termination', () => {
  const app = new App();
  const stack = new Stack(app, 'Protected', { terminationProtection: true });
  new rds.CfnDBInstance(stack, 'Server', { deletionProtection: true });

  expect(tenancyFindings(app).filter((finding) => finding.includes('DeletionProtection'))).toEqual([]);
});

test.each([
  ['2027-01-01', '17', []],
  ['2026-01-30', '17.4', []],
  ['2026-01-31', '17.4', ['from 2026-05-01 on']],
  ['2026-01-31', '16.8', ['from 2026-05-01 on']],
  ['2027-01-01', '17.9', ['from 2027-02-26 on']],
  ['2026-11-27', '17.9', []],
  ['2026-11-28', '17.9', ['from 2027-02-26 on']],
  ['2026-11-28', '15.17', ['from 2027-02-26 on']],
  ['2030-01-01', '17.99', []],
  ['2026-01-01', '13.20', []],
  ['2026-11-28', '13.20', ['from 2026-05-01 on']],
])('on %s, PostgreSQL %s: %j', (today, version, expected) => {
  const found = findingsOf({ rule: 'EngineVersion', props: { today } }, server({ EngineVersion: version }));

  expect(found).toEqual(expected.map((text) => expect.stringContaining(text)));
});

test.each([
  ['2027-03-02', 'nodejs22.x', []],
  ['2027-03-03', 'nodejs22.x', ['from 2027-06-01 on']],
  ['2026-11-27', 'nodejs18.x', ['nodejs18.x']],
  ['2026-11-27', 'nodejs24.x', []],
  ['2026-11-27', 'python3.14', []],
  ['2090-11-27', 'nodejs90.x', []],
])('on %s, the runtime %s: %j', (today, Runtime, expected) => {
  const found = findingsOf(
    { rule: 'LambdaRuntime', props: { today } },
    { Function: { Type: 'AWS::Lambda::Function', Properties: { Runtime } } },
  );

  expect(found).toEqual(expected.map((text) => expect.stringContaining(text)));
});
