import { CloudWatchLogsClient, DeleteLogGroupCommand, DescribeLogGroupsCommand } from '@aws-sdk/client-cloudwatch-logs';
import {
  CreateSecretCommand,
  DeleteSecretCommand,
  RestoreSecretCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { CfnDeletionPolicy, CfnResource } from 'aws-cdk-lib';
import { CfnLoadBalancer } from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import { CfnLogGroup } from 'aws-cdk-lib/aws-logs';
import { CfnDBInstance } from 'aws-cdk-lib/aws-rds';
import { IConstruct } from 'constructs';
import { tenantSecretName } from '../../local/deployment';
import { EnvironmentUnderTest, environmentWith, tenant } from './environment-under-test';
import { Change, STACK } from './stack-under-test';

// What would stop a first deployment from being repeated is put into the template, and seen to be caught. Without it, the same
// deployments succeed: lifecycle.test.ts.

jest.setTimeout(180_000);

const retained = environmentWith([tenant('t_north', 1)]);
/** Nothing lifts protection here, as there should be none. */
const passing = environmentWith([tenant('t_north', 1)], { destroyDataWithStack: true });

let aws: EnvironmentUnderTest;
let logs: CloudWatchLogsClient;

beforeAll(async () => {
  aws = await EnvironmentUnderTest.start();
  logs = new CloudWatchLogsClient(aws.cloud.emulator.sdk);
});

afterAll(() => aws?.stop());

/** Changes all resources of a class. */
function resources<Resource extends CfnResource>(
  isWanted: (node: IConstruct) => node is Resource,
  change: (resource: Resource) => void,
): Change {
  return (stack) => stack.node.findAll().filter(isWanted).forEach(change);
}

const isServer = (node: IConstruct): node is CfnDBInstance => node instanceof CfnDBInstance;
const isLoadBalancer = (node: IConstruct): node is CfnLoadBalancer => node instanceof CfnLoadBalancer;
const isLogOfServer = (node: IConstruct): node is CfnLogGroup =>
  node instanceof CfnLogGroup && /^\/aws\/rds\//.test(String(node.logGroupName));

test('a secret that can still be restored keeps its name', async () => {
  const secrets = new SecretsManagerClient(aws.cloud.emulator.sdk);
  const Name = tenantSecretName('t_north');
  await secrets.send(new CreateSecretCommand({ Name, SecretString: 'of before' }));
  await secrets.send(new DeleteSecretCommand({ SecretId: Name }));

  expect(await aws.failuresOf(passing)).toContainEqual(expect.stringMatching(/already scheduled for deletion/));

  await secrets.send(new RestoreSecretCommand({ SecretId: Name }));
  expect(await aws.failuresOf(passing)).toContainEqual(expect.stringMatching(/already exists/));
  await secrets.send(new DeleteSecretCommand({ SecretId: Name, ForceDeleteWithoutRecovery: true }));
});

test('termination protection that nothing lifts leaves a stack that the CDK cannot replace', async () => {
  const protect: Change = (stack) => (stack.terminationProtection = true);
  aws.cloud.emulator.failOnce(/Custom::SupersetMigration/);
  expect(await aws.failuresOf(passing, protect)).toContainEqual(expect.stringMatching(/The test has/));

  await expect(aws.deploy(passing, protect)).rejects.toThrow(/TerminationProtection/);

  await aws.account.allowDeletion(STACK);
});

test('a name that is retained by the deployment that failed to make it fails the next one', async () => {
  const retain = resources(isLogOfServer, ({ cfnOptions }) => (cfnOptions.deletionPolicy = CfnDeletionPolicy.RETAIN));
  aws.cloud.emulator.failOnce(/Custom::SupersetMigration/);
  expect(await aws.failuresOf(retained, retain)).toContainEqual(expect.stringMatching(/The test has/));

  expect(await aws.failuresOf(retained, retain)).toContainEqual(
    expect.stringMatching(/'\/aws\/rds\/instance\/[^']+' already exists/),
  );

  const { logGroups } = await logs.send(new DescribeLogGroupsCommand({ logGroupNamePrefix: '/aws/rds/' }));
  for (const { logGroupName } of logGroups ?? []) await logs.send(new DeleteLogGroupCommand({ logGroupName }));
});

test.each<[string, Change]>([
  [
    'a load balancer',
    resources(isLoadBalancer, (loadBalancer) => {
      loadBalancer.loadBalancerAttributes = [{ key: 'deletion_protection.enabled', value: 'true' }];
    }),
  ],
  ['a server', resources(isServer, (server) => (server.deletionProtection = true))],
])('deletion protection of %s in the template fails the rollback', async (_, protect) => {
  // It needs both.
  aws.cloud.emulator.failOnce(/AWS::ECS::Service\/.*Web/);
  const failures = await aws.failuresOf(passing, protect);

  expect(failures).toContainEqual(expect.stringMatching(/The test has/));
  expect(failures).toContainEqual(expect.stringMatching(/protect/));

  expect(await aws.account.statuses()).toMatchObject({ [STACK]: 'ROLLBACK_FAILED' });
});
