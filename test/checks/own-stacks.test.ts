import { App, AspectPriority, Aspects, CfnResource, NestedStack, Stack } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as logs from 'aws-cdk-lib/aws-logs';
import { letLogsUse } from '../../lib/encryption/own-key';
import { SharedRlsStack } from '../../lib/tenancy/shared-rls-stack';
import { tenancyFindings } from '../tenancy-findings';
import { databaseExample, example, instanceExample, newFleet, userApp } from '../tenancy/environments';
import { newStack } from '../tenancy/templates';

/** A fault that is put back into a stack of ours: the type and the path of a resource, what is done to it, and what is found. */
type Fault = [type: string, path: RegExp, change: (resource: CfnResource) => void, found: string];

const set = (path: string, value: unknown) => (resource: CfnResource) => resource.addPropertyOverride(path, value);
const take = (path: string) => (resource: CfnResource) => resource.addPropertyDeletionOverride(path);

/** Takes the words of a service out of a key policy. */
const lockOut = (service: RegExp) => (resource: CfnResource) => {
  const { Statement } = resource.stack.resolve((resource as kms.CfnKey).keyPolicy);
  set(
    'KeyPolicy.Statement',
    Statement.filter(
      (statement: { Principal: { Service?: string } }) => !service.test(statement.Principal.Service ?? ''),
    ),
  )(resource);
};

const DATABASE: Fault[] = [
  [
    'AWS::CloudWatch::Alarm',
    /proxy-a-away/,
    set('Dimensions', [{ Name: 'ProxyName', Value: 'it' }]),
    'AvailabilityPercentage has no data by ProxyName',
  ],
  [
    'AWS::CloudWatch::Alarm',
    /proxy-a-connections/,
    set('Statistic', 'Maximum'),
    'Maximum of AWS/RDS DatabaseConnections by ProxyName',
  ],
  [
    'AWS::RDS::DBProxyTargetGroup',
    /Proxy-a/,
    set('ConnectionPoolConfigurationInfo.SessionPinningFilters', ['EXCLUDE_VARIABLE_SETS']),
    'sessionPinningFilters is EXCLUDE_VARIABLE_SETS',
  ],
  [
    'AWS::RDS::DBProxyTargetGroup',
    /Proxy-b/,
    set('ConnectionPoolConfigurationInfo.InitQuery', 'SET temp_file_limit = 1'),
    'sets temp_file_limit',
  ],
  ['AWS::RDS::DBProxy', /Proxy-a/, set('RequireTLS', false), 'requireTls is false'],
  ['AWS::RDS::DBInstance', /Shard-a/, set('PubliclyAccessible', true), 'publiclyAccessible is true'],
  ['AWS::RDS::DBInstance', /Shard-b/, (it) => it.addOverride('DeletionPolicy', 'Retain'), 'fixed DBInstanceIdentifier'],
  ['AWS::KMS::Key', /^Demo\/Key\//, lockOut(/^logs\./), 'does not let CloudWatch Logs use it'],
];

const SHARED: Fault[] = [
  ['AWS::RDS::DBInstance', /Database/, set('EngineVersion', '17.9'), 'with PostgreSQL 17.9 from 2027-02-26 on'],
  ['AWS::RDS::DBInstance', /Metadata/, set('BackupRetentionPeriod', 0), 'backupRetention is 0'],
  [
    'AWS::RDS::DBParameterGroup',
    /Database/,
    set('Parameters.archive_command', 'cp'),
    'archive_command is not in the table',
  ],
  [
    'AWS::RDS::DBParameterGroup',
    /Metadata/,
    (it) => it.addPropertyOverride('Parameters.rds\\.force_ssl', '0'),
    'rds.force_ssl is 0',
  ],
  [
    'AWS::ElastiCache::ReplicationGroup',
    /Cache/,
    set('TransitEncryptionEnabled', false),
    'transitEncryptionEnabled is false',
  ],
  ['AWS::ElasticLoadBalancingV2::Listener', /Https/, set('Protocol', 'HTTP'), 'answers HTTP without TLS'],
  [
    'AWS::Lambda::EventInvokeConfig',
    /Handler\/EventInvokeConfig/,
    take('MaximumRetryAttempts'),
    'calls Demo/Tenancy/Provisioner/Default/Handler/Resource asynchronously',
  ],
  ['AWS::KMS::Key', /^Demo\/Key\//, lockOut(/^cloudwatch\./), 'does not let cloudwatch.amazonaws.com use it'],
  ['AWS::Logs::LogGroup', /Superset\/Log/, take('RetentionInDays'), 'it is kept for ever'],
  ['AWS::ECS::TaskDefinition', /Web/, set('ContainerDefinitions.0.ReadonlyRootFilesystem', false), 'container web'],
  ['AWS::SNS::TopicPolicy', /Alarms/, take('PolicyDocument.Statement'), 'requests without TLS are answered'],
  [
    'AWS::IAM::Policy',
    /Superset\/TaskRole/,
    set('PolicyDocument.Statement.0', { Effect: 'Allow', Action: '*', Resource: '*' }),
    'may read every secret',
  ],
  [
    'AWS::IAM::Role',
    /Superset\/TaskRole/,
    set('AssumeRolePolicyDocument.Statement.0.Principal.Service', 'ecs-tasks.amazonaws.com.cn'),
    'Use ecs-tasks.amazonaws.com.',
  ],
];

const FLEET: Fault[] = [
  [
    'AWS::IAM::Role',
    /MonitoringRole/,
    (it) => it.addOverride('DeletionPolicy', 'Delete'),
    'MonitoringRole/Resource, which it needs, is deleted',
  ],
  [
    'AWS::ECS::ClusterCapacityProviderAssociations',
    /tz81mm/,
    set('CapacityProviders', ['FARGATE']),
    'FARGATE_SPOT is not associated',
  ],
  [
    'AWS::SecretsManager::Secret',
    /tk4q9w.*Admin/,
    set('ReplicaRegions', [{ Region: 'us-east-1' }]),
    "names us-east-1, and the residency is 'eu'",
  ],
];

/** The faults are put in when all else is done: aspects of aws-cdk-lib make the associations, for one. */
function withFaults(app: App, faults: Fault[]): App {
  const visit = (node: unknown) => {
    if (!CfnResource.isCfnResource(node)) return;
    for (const [type, path, change] of faults) {
      if (node.cfnResourceType === type && path.test(node.node.path)) change(node);
    }
  };
  Aspects.of(app).add({ visit }, { priority: AspectPriority.READONLY });
  return app;
}

describe.each<[string, Fault[], (app: App) => void]>([
  ['shared-rls', SHARED, (app) => newStack(app, example())],
  ['database-per-tenant', DATABASE, (app) => newStack(app, databaseExample())],
  ['instance-per-tenant', FLEET, (app) => newFleet(app, instanceExample())],
])('in %s, put back into the template', (_, faults, make) => {
  let found: string[];

  beforeAll(() => {
    const app = userApp();
    make(app);
    found = tenancyFindings(withFaults(app, faults), { today: '2026-12-01' });
  });

  test.each(faults.map(([type, path, , says]) => [says, type, path]))('it is found: %s (%s %s)', (says) => {
    expect(found).toContainEqual(expect.stringContaining(says as string));
  });
});

test('without the protection of its stack, a protected load balancer is found', () => {
  const isProtected = [{ Key: 'deletion_protection.enabled', Value: 'true' }];
  const fault: Fault = [
    'AWS::ElasticLoadBalancingV2::LoadBalancer',
    /./,
    set('LoadBalancerAttributes', isProtected),
    '',
  ];
  const found = (terminationProtection: boolean) => {
    const app = userApp();
    newStack(app, example()).terminationProtection = terminationProtection;
    return tenancyFindings(withFaults(app, [fault]));
  };

  expect(found(true)).toEqual([]);
  expect(found(false)).toEqual([expect.stringMatching(/DeletionProtection: Demo.*LoadBalancer/)]);
});

test('a network that reaches the metadata database is found', () => {
  const app = userApp();
  const { tenancy } = new SharedRlsStack(app, 'Demo', { environment: example() });
  const { connections } = tenancy.node
    .scope!.node.findAll()
    .find((child) => child.node.path === 'Demo/Metadata') as unknown as ec2.IConnectable;
  connections.allowDefaultPortFrom(ec2.Peer.ipv4('10.40.0.0/16'));

  expect(tenancyFindings(app)).toEqual([
    expect.stringMatching(/MetadataAccess: Demo\/Metadata.*lets in 10\.40\.0\.0\/16/),
  ]);
});

describe.each([
  ['a nested stack', (_: App, parent: Stack) => new NestedStack(parent, 'Nested')],
  [
    'another stack',
    (app: App) => new Stack(app, 'Other', { env: { account: '000000000000', region: 'eu-central-1' } }),
  ],
])('a key that %s uses', (_, other) => {
  function found(lets: boolean): string[] {
    const app = new App();
    const parent = new Stack(app, 'Parent', { env: { account: '000000000000', region: 'eu-central-1' } });
    const encryptionKey = new kms.Key(parent, 'Key');
    const stack = other(app, parent);
    new logs.LogGroup(stack, 'Log', { encryptionKey, retention: logs.RetentionDays.ONE_DAY });
    if (lets) letLogsUse(encryptionKey, stack);
    return tenancyFindings(app).filter((finding) => finding.includes('LogsKey'));
  }

  test('is found when its policy does not let it', () => {
    expect(found(true)).toEqual([]);
    expect(found(false)).toEqual([expect.stringContaining('the policy of Parent/Key/Resource does not let')]);
  });
});
