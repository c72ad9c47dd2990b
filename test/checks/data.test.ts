import { App, Stack } from 'aws-cdk-lib';
import * as sns from 'aws-cdk-lib/aws-sns';
import { Residency } from '../../lib/tenant/tenant-instance';
import { tenancyFindings } from '../tenancy-findings';
import { rows } from './small-app';

const EUROPE = { residency: Residency.EUROPEAN_UNION };

test.each(
  rows([
    {
      rule: 'LogRetention',
      good: { Log: { Type: 'AWS::Logs::LogGroup', Properties: { RetentionInDays: 30 } } },
      bad: [['Log/Properties/RetentionInDays', undefined, 'kept for ever']],
    },
    {
      rule: 'LogRetention',
      good: { Function: { Type: 'AWS::Lambda::Function', Properties: { LoggingConfig: { LogGroup: 'its' } } } },
      bad: [['Function/Properties/LoggingConfig', undefined, 'Lambda makes a log group']],
    },
    {
      rule: 'Residency',
      props: EUROPE,
      good: {
        Secret: { Type: 'AWS::SecretsManager::Secret', Properties: { ReplicaRegions: [{ Region: 'eu-west-1' }] } },
      },
      bad: [['Secret/Properties/ReplicaRegions/0/Region', 'us-east-1', "names us-east-1, and the residency is 'eu'"]],
    },
    {
      rule: 'Residency',
      props: EUROPE,
      good: {
        Plan: {
          Type: 'AWS::Backup::BackupPlan',
          Properties: {
            BackupPlan: {
              BackupPlanRule: [
                {
                  CopyActions: [{ DestinationBackupVaultArn: 'arn:aws:backup:eu-west-1:000000000000:backup-vault:it' }],
                },
              ],
            },
          },
        },
      },
      bad: [
        [
          'Plan/Properties/BackupPlan/BackupPlanRule/0/CopyActions/0/DestinationBackupVaultArn',
          'arn:aws:backup:ca-central-1:000000000000:backup-vault:it',
          'names ca-central-1',
        ],
      ],
    },
    {
      rule: 'Residency',
      props: EUROPE,
      good: { Server: { Type: 'AWS::RDS::DBInstance', Properties: { AvailabilityZone: 'eu-central-1a' } } },
      bad: [
        ['Server/Properties/AutomaticBackupReplicationRegion', 'eu-central-2', 'names eu-central-2'],
        ['Server/Properties/AvailabilityZone', 'us-gov-west-1b', 'names us-gov-west-1'],
      ],
    },
    {
      rule: 'Residency',
      props: EUROPE,
      good: {
        Copy: { Type: 'AWS::S3::Bucket', Properties: {} },
        Bucket: {
          Type: 'AWS::S3::Bucket',
          Properties: {
            ReplicationConfiguration: { Rules: [{ Destination: { Bucket: { 'Fn::GetAtt': ['Copy', 'Arn'] } } }] },
          },
        },
      },
      bad: [
        [
          'Bucket/Properties/ReplicationConfiguration/Rules/0/Destination/Bucket',
          'arn:aws:s3:::elsewhere',
          'a bucket outside of the app',
        ],
      ],
    },
  ]),
)('%s is found: %s', (_, __, run) => run());

test.each([
  [{ region: 'eu-west-1' }, []],
  [{ region: 'eu-west-2' }, ["the stack is in eu-west-2, and the residency is 'eu'"]],
  [undefined, ['the stack names no region']],
])('a stack in %j and the residency: %j', (env, expected) => {
  const app = new App();
  const stack = new Stack(app, 'Placed', { env });
  new sns.CfnTopic(stack, 'One');
  new sns.CfnTopic(stack, 'Two');

  const found = tenancyFindings(app, EUROPE).filter((finding) => finding.includes('Residency'));
  expect(found).toEqual(expected.map((text) => expect.stringContaining(text)));
});

test('without a residency, everything may be anywhere', () => {
  const app = new App();
  new sns.CfnTopic(new Stack(app, 'Anywhere'), 'One', { topicName: 'us-east-1' });

  expect(tenancyFindings(app).filter((finding) => finding.includes('Residency'))).toEqual([]);
});
