import { App, Duration, Stack } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { Resources, rows } from './small-app';
import { MetadataDatabase } from '../../lib/database/metadata-database';
import { TenancyNetwork } from '../../lib/network/tenancy-network';
import { tenancyFindings } from '../tenancy-findings';

const group = (Family: string, Parameters: Record<string, string>): Resources => ({
  Group: { Type: 'AWS::RDS::DBParameterGroup', Properties: { Family, Parameters } },
});

const pool = (info: Record<string, unknown>): Resources => ({
  Pool: { Type: 'AWS::RDS::DBProxyTargetGroup', Properties: { ConnectionPoolConfigurationInfo: info } },
});

const POOL = 'Pool/Properties/ConnectionPoolConfigurationInfo';

const subnets = (holder: Resources[string]): Resources => ({
  Subnet: { Type: 'AWS::EC2::Subnet', Properties: {} },
  Table: { Type: 'AWS::EC2::RouteTable', Properties: {} },
  Association: {
    Type: 'AWS::EC2::SubnetRouteTableAssociation',
    Properties: { SubnetId: { Ref: 'Subnet' }, RouteTableId: { Ref: 'Table' } },
  },
  Gateway: { Type: 'AWS::EC2::InternetGateway', Properties: {} },
  Nat: { Type: 'AWS::EC2::NatGateway', Properties: {} },
  Route: { Type: 'AWS::EC2::Route', Properties: { RouteTableId: { Ref: 'Table' }, NatGatewayId: { Ref: 'Nat' } } },
  Holder: holder,
});

const PUBLIC: [string, unknown, string][] = [
  ['Subnet/Properties/MapPublicIpOnLaunch', true, 'stands in Small/Subnet, which is public'],
  ['Route/Properties/GatewayId', { Ref: 'Gateway' }, 'stands in Small/Subnet, which is public'],
  ['Route/Properties/GatewayId', 'igw-0a', 'stands in Small/Subnet, which is public'],
];

test.each(
  rows([
    {
      rule: 'PostgresParameter',
      good: group('postgres17', { 'rds.force_ssl': '1', temp_file_limit: '1024', transaction_timeout: '1000' }),
      bad: [
        ['Group/Properties/Parameters', { max_conections: '10' }, 'max_conections is not in the table'],
        ['Group/Properties/Parameters', { archive_command: 'cp' }, 'archive_command is not in the table'],
        ['Group/Properties/Parameters', { old_snapshot_threshold: '1' }, 'is gone from PostgreSQL 17 on'],
        ['Group/Properties/Family', 'postgres16', 'transaction_timeout is new in PostgreSQL 17'],
      ],
    },
    {
      rule: 'ProxyInitQuery',
      good: pool({ InitQuery: "SET statement_timeout = '60s'" }),
      bad: [[`${POOL}/InitQuery`, 'SET TEMP_FILE_LIMIT = 1024', 'temp_file_limit, which only a superuser may']],
    },
    {
      rule: 'SessionPinning',
      good: pool({ SessionPinningFilters: [] }),
      bad: [[`${POOL}/SessionPinningFilters`, ['EXCLUDE_VARIABLE_SETS'], 'would go on to the next client']],
    },
    {
      rule: 'PrivateData',
      good: { Server: { Type: 'AWS::RDS::DBInstance', Properties: { PubliclyAccessible: false } } },
      bad: [['Server/Properties/PubliclyAccessible', true, 'publiclyAccessible is true']],
    },
    ...[
      { Type: 'AWS::RDS::DBSubnetGroup', Properties: { SubnetIds: [{ Ref: 'Subnet' }] } },
      { Type: 'AWS::RDS::DBProxy', Properties: { VpcSubnetIds: [{ Ref: 'Subnet' }] } },
      { Type: 'AWS::ElastiCache::SubnetGroup', Properties: { SubnetIds: [{ Ref: 'Subnet' }] } },
    ].map((holder) => ({ rule: 'PrivateData', good: subnets(holder), bad: PUBLIC })),
    {
      rule: 'Backups',
      good: { Server: { Type: 'AWS::RDS::DBInstance', Properties: { BackupRetentionPeriod: 1 } } },
      bad: [
        ['Server/Properties/BackupRetentionPeriod', 0, 'backupRetention is 0'],
        ['Server/Properties/BackupRetentionPeriod', undefined, 'backupRetention is not set'],
      ],
    },
  ]),
)('%s is found: %s', (_, __, run) => run());

describe('the metadata database', () => {
  function found(letIn: (metadata: MetadataDatabase, network: TenancyNetwork, stack: Stack) => void): string[] {
    const app = new App();
    const stack = new Stack(app, 'Own', { env: { account: '000000000000', region: 'eu-central-1' } });
    const network = new TenancyNetwork(stack, 'Network', { availabilityZones: ['eu-central-1a', 'eu-central-1b'] });
    letIn(new MetadataDatabase(stack, 'Metadata', { network, backupRetention: Duration.days(1) }), network, stack);
    return tenancyFindings(app).filter((finding) => finding.startsWith('TenancyChecks-MetadataAccess:'));
  }

  test('may be reachable by no one yet', () => expect(found(() => undefined)).toEqual([]));

  test('must not be reachable from addresses', () => {
    const open = found(({ connections }) => connections.allowDefaultPortFrom(ec2.Peer.ipv4('10.40.0.0/16')));

    expect(open).toEqual([expect.stringContaining('lets in 10.40.0.0/16')]);
  });

  test("nor from functions of one's own", () => {
    const open = found(({ connections }, { vpc }, stack) =>
      connections.allowDefaultPortFrom(
        new lambda.Function(stack, 'Report', {
          runtime: lambda.Runtime.NODEJS_24_X,
          handler: 'index.handler',
          code: lambda.Code.fromInline('exports.handler = () => {}'),
          vpc,
          vpcSubnets: { subnetGroupName: 'service' },
        }),
      ),
    );

    expect(open).toEqual([expect.stringContaining('lets in Own/Report')]);
  });

  test('nor from a group that nothing uses, or that is not known', () => {
    const unused = found(({ connections }, { vpc }, stack) =>
      connections.allowDefaultPortFrom(new ec2.SecurityGroup(stack, 'Later', { vpc })),
    );
    const imported = found(({ connections }, _, stack) =>
      connections.allowDefaultPortFrom(ec2.SecurityGroup.fromSecurityGroupId(stack, 'Theirs', 'sg-0a')),
    );

    expect(unused).toEqual([expect.stringContaining('which nothing in the app uses')]);
    expect(imported).toEqual([expect.stringContaining('lets in sg-0a')]);
  });
});
