import { App, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as sns from 'aws-cdk-lib/aws-sns';
import { SupersetCache } from '../../lib/cache/superset-cache';
import { maxConnections } from '../../lib/database/instance-class';
import { MetadataDatabase } from '../../lib/database/metadata-database';
import { TenantDatabaseServer } from '../../lib/database/tenant-database-server';
import { TenancyAlarms, TenancyAlarmsProps } from '../../lib/monitoring/tenancy-alarms';
import { TenancyNetwork } from '../../lib/network/tenancy-network';
import { policyFindings } from '../policy-findings';

function alarms(choices?: TenancyAlarmsProps) {
  const stack = new Stack(new App(), 'Prod');
  const network = new TenancyNetwork(stack, 'Network');
  const made = new TenancyAlarms(stack, 'Alarms', {
    tenantDatabase: new TenantDatabaseServer(stack, 'Tenants', {
      network,
      instanceClass: 'r7g.xlarge',
      storageGiB: 200,
    }),
    metadataDatabase: new MetadataDatabase(stack, 'Metadata', { network }),
    cache: new SupersetCache(stack, 'Cache', { network }),
    ...choices,
  });
  return { stack, alarms: made };
}

function alarm(name: string) {
  const all = Object.values(Template.fromStack(alarms().stack).findResources('AWS::CloudWatch::Alarm'));
  return all.find(({ Properties }) => Properties.AlarmName.endsWith(name))!.Properties;
}

test('the names of the alarms, which runbooks refer to', () => {
  const all = Object.values(Template.fromStack(alarms().stack).findResources('AWS::CloudWatch::Alarm'));

  expect(all.map(({ Properties }) => Properties.AlarmName.replace(/^Prod-Alarms-[0-9A-F]{8}-/, '')).sort()).toEqual([
    'cache-node-1-cpu',
    'cache-node-1-evictions',
    'cache-node-1-memory',
    'cache-node-2-cpu',
    'cache-node-2-evictions',
    'cache-node-2-memory',
    'metadata-database-connections',
    'metadata-database-cpu',
    'metadata-database-load',
    'metadata-database-memory',
    'metadata-database-silent',
    'metadata-database-storage',
    'metadata-database-transaction-ids',
    'tenant-database-connections',
    'tenant-database-cpu',
    'tenant-database-load',
    'tenant-database-memory',
    'tenant-database-silent',
    'tenant-database-storage',
    'tenant-database-transaction-ids',
  ]);
});

test('connections go off at 80 % of what the instance class takes', () => {
  expect(alarm('tenant-database-connections')).toMatchObject({
    Threshold: Math.floor(maxConnections('r7g.xlarge') * 0.8),
    ComparisonOperator: 'GreaterThanOrEqualToThreshold',
    Statistic: 'Maximum',
  });
});

test('memory goes off below a tenth of that of the instance class', () => {
  expect(alarm('tenant-database-memory')).toMatchObject({
    Threshold: Math.floor(3.2 * 1024 ** 3),
    ComparisonOperator: 'LessThanThreshold',
  });
});

test('storage goes off below a tenth of what was allocated', () => {
  expect(alarm('tenant-database-storage')).toMatchObject({ Threshold: 20 * 1024 ** 3 });
});

test('load goes off above the vCPUs of the instance class', () => {
  expect(alarm('tenant-database-load')).toMatchObject({ Threshold: 4, ComparisonOperator: 'GreaterThanThreshold' });
});

test('a server that says nothing any more goes off', () => {
  expect(alarm('tenant-database-silent')).toMatchObject({ TreatMissingData: 'breaching', Statistic: 'SampleCount' });
});

test('every alarm goes to the topic, when it goes off and when it is over', () => {
  const made = Template.fromStack(alarms().stack);

  const topic = [{ Ref: Object.keys(made.findResources('AWS::SNS::Topic'))[0] }];
  made.allResourcesProperties('AWS::CloudWatch::Alarm', { AlarmActions: topic, OKActions: topic });
});

test('alarms may publish to the topic and use its key; nobody publishes without TLS', () => {
  const made = Template.fromStack(alarms().stack);

  made.hasResourceProperties('AWS::SNS::TopicPolicy', {
    PolicyDocument: {
      Statement: Match.arrayWith([
        Match.objectLike({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
        Match.objectLike({ Effect: 'Allow', Principal: { Service: 'cloudwatch.amazonaws.com' } }),
      ]),
    },
  });
  made.hasResourceProperties('AWS::KMS::Key', {
    KeyPolicy: {
      Statement: Match.arrayWith([
        Match.objectLike({
          Principal: { Service: 'cloudwatch.amazonaws.com' },
          Action: ['kms:Decrypt', 'kms:GenerateDataKey*'],
        }),
      ]),
    },
  });
});

test('each address is subscribed', () => {
  const made = Template.fromStack(alarms({ emails: ['ops@example.com', 'on-call@example.com'] }).stack);

  made.hasResourceProperties('AWS::SNS::Subscription', { Protocol: 'email', Endpoint: 'ops@example.com' });
  made.hasResourceProperties('AWS::SNS::Subscription', { Protocol: 'email', Endpoint: 'on-call@example.com' });
});

test('a given topic is used as it is', () => {
  const stack = new Stack(new App(), 'Prod');
  const topic = sns.Topic.fromTopicArn(stack, 'Theirs', 'arn:aws:sns:eu-west-1:111122223333:on-call');

  new TenancyAlarms(stack, 'Alarms', { topic });

  Template.fromStack(stack).templateMatches({});
});

test('an alarm made elsewhere can go to the same topic', () => {
  const stack = new Stack(new App(), 'Prod');
  const own = new cloudwatch.Alarm(stack, 'Own', {
    metric: new cloudwatch.Metric({ namespace: 'Own', metricName: 'Errors' }),
    threshold: 1,
    evaluationPeriods: 1,
  });

  new TenancyAlarms(stack, 'Alarms').addAlarm(own);

  Template.fromStack(stack).hasResourceProperties('AWS::CloudWatch::Alarm', { AlarmActions: [Match.anyValue()] });
});

test('the rule packs find nothing', () => {
  expect(policyFindings(alarms().stack)).toEqual([]);
});
