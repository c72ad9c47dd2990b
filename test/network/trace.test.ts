import { judgeNetwork } from '../../local/network/judge';
import { Network } from '../../local/network/network';
import { Properties } from '../../local/network/templates';
import { trace } from '../../local/network/trace';

const resource = (Type: string, Properties: Properties) => ({ Type, Properties });
const rule = (FromPort: number, ToPort: number, peer: Properties) => ({ IpProtocol: 'tcp', FromPort, ToPort, ...peer });

/** As the CDK writes that nothing is let out. */
const NONE = [{ IpProtocol: 'icmp', CidrIp: '255.255.255.255/32' }];

/** A function that connects to a cache in another subnet, by rules that a test gives. */
function network(
  egress: Properties[] | undefined,
  ingress: Properties[],
  others: Record<string, object> = {},
): Network {
  const Resources = {
    Vpc: resource('AWS::EC2::VPC', { CidrBlock: '10.0.0.0/16' }),
    Services: resource('AWS::EC2::Subnet', { VpcId: { Ref: 'Vpc' }, CidrBlock: '10.0.0.0/24' }),
    Data: resource('AWS::EC2::Subnet', { VpcId: { Ref: 'Vpc' }, CidrBlock: '10.0.1.0/24' }),
    Client: resource('AWS::EC2::SecurityGroup', { VpcId: { Ref: 'Vpc' }, SecurityGroupEgress: egress }),
    Server: resource('AWS::EC2::SecurityGroup', {
      VpcId: { Ref: 'Vpc' },
      SecurityGroupIngress: ingress,
      SecurityGroupEgress: NONE,
    }),
    Function: resource('AWS::Lambda::Function', {
      VpcConfig: { SubnetIds: [{ Ref: 'Services' }], SecurityGroupIds: [{ 'Fn::GetAtt': ['Client', 'GroupId'] }] },
    }),
    CacheSubnets: resource('AWS::ElastiCache::SubnetGroup', { SubnetIds: [{ Ref: 'Data' }] }),
    Cache: resource('AWS::ElastiCache::ReplicationGroup', {
      CacheSubnetGroupName: { Ref: 'CacheSubnets' },
      SecurityGroupIds: [{ 'Fn::GetAtt': ['Server', 'GroupId'] }],
      Port: 6380,
    }),
    ...others,
  };
  return new Network({
    account: '123456789012',
    region: 'eu-central-1',
    stacks: new Map([['Demo', { Resources } as never]]),
  });
}

const problems = (given: Network) => trace(given, { from: 'Demo/Function', to: 'Demo/Cache' }).problems;
const toServer = rule(6380, 6380, { DestinationSecurityGroupId: { 'Fn::GetAtt': ['Server', 'GroupId'] } });
const fromClient = rule(6380, 6380, { SourceSecurityGroupId: { 'Fn::GetAtt': ['Client', 'GroupId'] } });

test.each([
  ['by group', [toServer], [fromClient]],
  [
    'by the range of the subnet',
    [rule(0, 65_535, { CidrIp: '10.0.1.0/24' })],
    [rule(6000, 7000, { CidrIp: '10.0.0.0/16' })],
  ],
  ['without any rule for egress, which AWS takes for all', undefined, [fromClient]],
])('rules let a connection through: %s', (_, egress, ingress) => {
  expect(problems(network(egress, ingress))).toEqual([]);
});

const NO_EGRESS = 'No egress rule of Demo/Client lets it out to tcp 6380 of Demo/Cache: it needs one to Demo/Server.';
const NO_INGRESS =
  'No ingress rule of Demo/Server lets it in to Demo/Cache on tcp 6380: it needs one from Demo/Client.';

test.each([
  ['another port', rule(6379, 6379, { DestinationSecurityGroupId: { Ref: 'Server' } })],
  ['another group', rule(6380, 6380, { DestinationSecurityGroupId: { Ref: 'Client' } })],
  ['a range without the subnet', rule(6380, 6380, { CidrIp: '10.0.0.0/24' })],
  ['a part of the subnet', rule(6380, 6380, { CidrIp: '10.0.1.0/25' })],
  ['another protocol', { ...toServer, IpProtocol: 'udp' }],
])('an egress rule for %s does not', (_, egress) => {
  expect(problems(network([egress], [fromClient]))).toEqual([NO_EGRESS]);
});

test('nor does a rule for the other direction', () => {
  expect(problems(network([toServer], []))).toEqual([NO_INGRESS]);
});

test('rules in another stack count, by the outputs and parameters that lead there', () => {
  const app = network([toServer], []).templates.app;
  const stacks = new Map([
    ...app.stacks,
    [
      'Demo',
      {
        ...app.stacks.get('Demo'),
        Outputs: {
          Server: { Value: { 'Fn::GetAtt': ['Server', 'GroupId'] } },
          Client: { Value: { Ref: 'Client' }, Export: { Name: 'client' } },
        },
      },
    ],
    [
      'Other',
      {
        Resources: {
          Ingress: resource('AWS::EC2::SecurityGroupIngress', {
            ...rule(6380, 6380, { SourceSecurityGroupId: { 'Fn::ImportValue': 'client' } }),
            GroupId: { 'Fn::GetStackOutput': { StackName: 'Demo', OutputName: 'Server' } },
          }),
        },
      },
    ],
  ]);
  expect(problems(new Network({ ...app, stacks }))).toEqual([]);
});

test('a network ACL is not understood, and reported', () => {
  const acl = resource('AWS::EC2::SubnetNetworkAclAssociation', { SubnetId: { Ref: 'Data' }, NetworkAclId: 'acl-1' });
  expect(problems(network([toServer], [fromClient], { Acl: acl }))).toEqual([
    'Demo/Data has the network ACL acl-1, which is not understood here.',
  ]);
});

test('a subnet of another VPC is not reached', () => {
  const data = resource('AWS::EC2::Subnet', { VpcId: 'vpc-other', CidrBlock: '10.0.1.0/24' });
  expect(problems(network([toServer], [fromClient], { Data: data }))).toEqual([
    'Demo/Cache is in another VPC: Demo/Vpc, vpc-other.',
  ]);
});

test('a rule that no connection needs is listed: one for another port, and one that is wider than another', () => {
  const toAnywhere = { ...rule(6380, 6380, { CidrIp: '0.0.0.0/0' }), Description: 'All caches' };
  const ssh = { ...rule(22, 22, { CidrIp: '10.0.0.0/16' }), Description: 'SSH' };
  const given = network([toServer, toAnywhere], [fromClient, ssh]);
  const connections = [{ from: 'Demo/Function', to: 'Demo/Cache' }];

  expect(judgeNetwork(given, connections)).toMatchObject({
    problems: [],
    unused: [
      'egress tcp 6380 of Demo/Client to 0.0.0.0/0 (All caches)',
      'ingress tcp 22 of Demo/Server from 10.0.0.0/16 (SSH)',
    ],
  });
  expect(judgeNetwork(given, []).unused).toHaveLength(4);
});

test('a group that lets all out, as AWS has it where a template is silent, is listed', () => {
  expect(judgeNetwork(network(undefined, []), []).unused).toEqual([
    'egress all of Demo/Client to 0.0.0.0/0 (what AWS adds to a group without a rule for egress)',
  ]);
});
