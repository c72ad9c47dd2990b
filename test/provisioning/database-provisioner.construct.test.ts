import { App, Duration, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import * as events from 'aws-cdk-lib/aws-events';
import * as iam from 'aws-cdk-lib/aws-iam';
import { TenantDatabaseServer } from '../../lib/database/tenant-database-server';
import { TenancyNetwork } from '../../lib/network/tenancy-network';
import { DatabaseProvisioner, DatabaseProvisionerProps } from '../../lib/provisioning/database-provisioner';
import { LoaderSecret } from '../../lib/provisioning/loader-secret';
import { policyFindings } from '../policy-findings';

function provisioned(props: Partial<DatabaseProvisionerProps> = {}) {
  const stack = new Stack(new App(), 'Prod', { env: { account: '123456789012', region: 'eu-central-1' } });
  const network = new TenancyNetwork(stack, 'Network', { availabilityZones: ['eu-central-1a', 'eu-central-1b'] });
  const database = new TenantDatabaseServer(stack, 'Database', { network });
  const { hostname: host, port, databaseName } = database;
  const loaderSecret = new LoaderSecret(stack, 'Loader', { host, port, database: databaseName });
  const provisioner = new DatabaseProvisioner(stack, 'Provisioner', { network, database, loaderSecret, ...props });
  return { stack, provisioner };
}

const template = (props?: Partial<DatabaseProvisionerProps>) => Template.fromStack(provisioned(props).stack);

function functions(made: Template) {
  const found = Object.values(made.findResources('AWS::Lambda::Function'));
  return {
    handler: found.find(({ Properties }) => Properties.Handler === 'index.onEvent')!,
    framework: found.find(({ Properties }) => Properties.Handler === 'framework.onEvent')!,
  };
}

test('the function that speaks to PostgreSQL is inside of the VPC, the one that answers CloudFormation outside', () => {
  const { handler, framework } = functions(template());

  expect(handler.Properties.VpcConfig.SubnetIds).toHaveLength(2);
  expect(framework.Properties.VpcConfig).toBeUndefined();
});

test('the function is told where to connect, and no password', () => {
  const { Variables } = functions(template()).handler.Properties.Environment;

  expect(Variables).toEqual({
    DATABASE_HOST: { 'Fn::GetAtt': [expect.stringMatching(/^Database/), 'Endpoint.Address'] },
    DATABASE_PORT: { 'Fn::GetAtt': [expect.stringMatching(/^Database/), 'Endpoint.Port'] },
    DATABASE_NAME: 'analytics',
    MASTER_SECRET: { 'Fn::GetAtt': [expect.stringMatching(/^Database/), 'MasterUserSecret.SecretArn'] },
    LOADER_SECRET: { Ref: expect.stringMatching(/^Loader/) },
    TENANCY_ENVIRONMENT: '123456789012/eu-central-1/Prod',
  });
});

test('the function reaches PostgreSQL and HTTPS, and nothing else', () => {
  const made = template();

  const [own] = Object.values(made.findResources('AWS::EC2::SecurityGroup')).filter(({ Properties }) =>
    Properties.GroupDescription.startsWith('Database provisioner'),
  );
  expect(own.Properties.SecurityGroupEgress).toEqual([expect.objectContaining({ FromPort: 443, ToPort: 443 })]);
  const rest = Object.values(made.findResources('AWS::EC2::SecurityGroupEgress'));
  expect(rest.map(({ Properties }) => Properties.Description)).toEqual(['Database provisioner']);
});

test('the server lets the function in', () => {
  template().hasResourceProperties('AWS::EC2::SecurityGroupIngress', {
    GroupId: { 'Fn::GetAtt': [Match.stringLikeRegexp('^Database'), 'GroupId'] },
    SourceSecurityGroupId: { 'Fn::GetAtt': [Match.stringLikeRegexp('^Provisioner'), 'GroupId'] },
  });
});

test('the function reads the master secret, the loader secret and those named as tenants secrets', () => {
  const policies = Object.values(template().findResources('AWS::IAM::Policy'));
  const statements = policies
    .filter(({ Properties }) => Properties.PolicyName.startsWith('ProvisionerHandler'))
    .flatMap(({ Properties }) => Properties.PolicyDocument.Statement);

  const readable = statements.filter(({ Action }) => [Action].flat().includes('secretsmanager:GetSecretValue'));
  expect(readable.flatMap(({ Resource }) => [Resource].flat())).toEqual([
    { 'Fn::GetAtt': [expect.stringMatching(/^Database/), 'MasterUserSecret.SecretArn'] },
    { Ref: expect.stringMatching(/^Loader/) },
    { 'Fn::Join': ['', expect.arrayContaining([expect.stringContaining('superset/tenant/*/db_credentials-??????')])] },
  ]);
  expect(statements.flatMap(({ Action }) => Action).filter((action) => /\*|Put|Update|Delete/.test(action))).toEqual(
    [],
  );
});

test('a deployment reaches the function only when its network does, and until its network goes', () => {
  const made = template();
  const { DependsOn } = functions(made).framework;

  const endpoints = Object.keys(
    made.findResources('AWS::EC2::VPCEndpoint', { Properties: { VpcEndpointType: 'Interface' } }),
  );
  const rules = Object.keys(made.findResources('AWS::EC2::SecurityGroupIngress'));
  const egress = Object.keys(made.findResources('AWS::EC2::SecurityGroupEgress'));
  expect(endpoints.length).toBeGreaterThan(0);
  expect(DependsOn).toEqual(expect.arrayContaining([...endpoints, ...rules, ...egress]));
});

test('what was deployed last is reconciled every hour', () => {
  template().hasResourceProperties('AWS::Events::Rule', {
    ScheduleExpression: 'rate(1 hour)',
    State: 'ENABLED',
    Targets: [Match.objectLike({ Input: '{"reconcile":"stored"}' })],
  });
});

test('the schedule can be another one', () => {
  template({ reconcileSchedule: events.Schedule.rate(Duration.minutes(10)) }).hasResourceProperties(
    'AWS::Events::Rule',
    { ScheduleExpression: 'rate(10 minutes)' },
  );
});

test('an ETL with grantReconcile may call the function, and nothing else', () => {
  const { stack, provisioner } = provisioned();
  provisioner.grantReconcile(new iam.Role(stack, 'Etl', { assumedBy: new iam.ServicePrincipal('glue.amazonaws.com') }));

  Template.fromStack(stack).hasResourceProperties('AWS::IAM::Policy', {
    PolicyName: Match.stringLikeRegexp('^Etl'),
    PolicyDocument: { Statement: [Match.objectLike({ Action: 'lambda:InvokeFunction' })] },
  });
});

test('logs are encrypted and kept for a year', () => {
  template().hasResourceProperties('AWS::Logs::LogGroup', {
    KmsKeyId: Match.anyValue(),
    RetentionInDays: 365,
  });
});

test('its errors and durations are metrics of the function', () => {
  const { stack, provisioner } = provisioned();

  expect(stack.resolve(provisioner.metricErrors().dimensions)).toEqual({ FunctionName: { Ref: expect.any(String) } });
  expect(provisioner.metricErrors().metricName).toBe('Errors');
  expect(provisioner.metricDuration().metricName).toBe('Duration');
});

test('nothing is left for the rule packs to find', () => {
  expect(policyFindings(provisioned().stack)).toEqual([]);
});
