import { Resources, rows } from './small-app';

const reading = (Resource: unknown): Resources => ({
  Policy: {
    Type: 'AWS::IAM::Policy',
    Properties: {
      PolicyDocument: { Statement: [{ Effect: 'Allow', Action: ['secretsmanager:GetSecretValue'], Resource }] },
    },
  },
});

const STATEMENT = 'Policy/Properties/PolicyDocument/Statement/0';
const WIDE = 'may read every secret of the account';

test.each(
  rows([
    {
      rule: 'ReadOnlyRoot',
      good: {
        Task: {
          Type: 'AWS::ECS::TaskDefinition',
          Properties: { ContainerDefinitions: [{ Name: 'web', ReadonlyRootFilesystem: true }] },
        },
      },
      bad: [
        ['Task/Properties/ContainerDefinitions/0/ReadonlyRootFilesystem', false, 'container web'],
        ['Task/Properties/ContainerDefinitions/1', { Name: 'sidecar' }, 'container sidecar'],
      ],
    },
    {
      rule: 'SecretsWildcard',
      good: reading('arn:aws:secretsmanager:eu-central-1:000000000000:secret:superset/tenant/a/db_credentials-??????'),
      bad: [
        [`${STATEMENT}/Resource`, '*', WIDE],
        [
          `${STATEMENT}/Resource`,
          ['arn:aws:s3:::it', 'arn:aws:secretsmanager:eu-central-1:000000000000:secret:*'],
          WIDE,
        ],
        [
          `${STATEMENT}/Resource`,
          { 'Fn::Join': ['', ['arn:', { Ref: 'AWS::Partition' }, ':secretsmanager:*:*:secret:*']] },
          WIDE,
        ],
      ],
    },
    {
      rule: 'SecretsWildcard',
      good: {
        Policy: {
          Type: 'AWS::IAM::Policy',
          Properties: { PolicyDocument: { Statement: [{ Effect: 'Allow', Action: 's3:*', Resource: '*' }] } },
        },
      },
      bad: [
        [`${STATEMENT}/Action`, '*', WIDE],
        [`${STATEMENT}/Action`, 'SecretsManager:Get*', WIDE],
        [`${STATEMENT}/NotAction`, 'iam:*', WIDE],
      ],
    },
  ]),
)('%s is found: %s', (_, __, run) => run());
