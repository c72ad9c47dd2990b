import { App, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as kms from 'aws-cdk-lib/aws-kms';
import { TenancyNetwork, TenancyNetworkProps } from '../../lib/network/tenancy-network';
import { policyFindings } from '../policy-findings';

function network(props?: TenancyNetworkProps) {
  const stack = new Stack(new App(), 'Prod');
  return { stack, network: new TenancyNetwork(stack, 'Network', props) };
}

function template(props?: TenancyNetworkProps): Template {
  return Template.fromStack(network(props).stack);
}

function addressRanges(props?: TenancyNetworkProps): Record<string, string> {
  const subnets = Object.entries(template(props).findResources('AWS::EC2::Subnet'));
  return Object.fromEntries(subnets.map(([id, subnet]) => [id, subnet.Properties.CidrBlock]));
}

test('nothing gets out of a new network: no gateway to the internet, no NAT, no public subnet', () => {
  const made = template();

  made.resourceCountIs('AWS::EC2::InternetGateway', 0);
  made.resourceCountIs('AWS::EC2::NatGateway', 0);
  made.resourceCountIs('AWS::EC2::Route', 0);
  made.allResourcesProperties('AWS::EC2::Subnet', { MapPublicIpOnLaunch: false });
});

test('services in a network without egress reach the image registry, the logs and the secrets', () => {
  const endpoints = Object.values(template().findResources('AWS::EC2::VPCEndpoint'));

  const services = endpoints.map(
    ({ Properties }) => JSON.stringify(Properties.ServiceName).match(/\.([a-z0-9.]+)"\]\]/)![1],
  );
  expect(services.sort()).toEqual(['ecr.api', 'ecr.dkr', 'logs', 's3', 'secretsmanager']);
});

test('endpoints carry nothing to other accounts, except image layers from the bucket of the registry', () => {
  const endpoints = Object.values(template().findResources('AWS::EC2::VPCEndpoint'));

  const statements = endpoints.flatMap(({ Properties }) => Properties.PolicyDocument.Statement);
  const open = statements.filter(({ Condition }) => !Condition);
  expect(statements).toHaveLength(6);
  expect(open).toEqual([expect.objectContaining({ Action: 's3:GetObject', Resource: expect.anything() })]);
  expect(JSON.stringify(open[0].Resource)).toContain('-starport-layer-bucket/*');
});

test('with egress there is a NAT gateway for each zone, and no interface endpoint to pay for', () => {
  const made = template({ internetEgress: true });

  made.resourceCountIs('AWS::EC2::NatGateway', 2);
  made.resourcePropertiesCountIs('AWS::EC2::VPCEndpoint', { VpcEndpointType: 'Interface' }, 0);
});

test('turning egress on later moves no subnet', () => {
  expect(addressRanges({ internetEgress: true })).toMatchObject(addressRanges());
});

test.each(['10.0.0.0/16', '10.0.0.0/22'])('three zones with public subnets fit into %s', (cidr) => {
  const stack = new (class extends Stack {
    public get availabilityZones() {
      return ['eu-west-1a', 'eu-west-1b', 'eu-west-1c'];
    }
  })(new App(), 'Prod');

  new TenancyNetwork(stack, 'Network', { cidr, availabilityZones: stack.availabilityZones, publicSubnets: true });

  Template.fromStack(stack).resourceCountIs('AWS::EC2::Subnet', 9);
});

test('the default security group is closed', () => {
  template().resourceCountIs('Custom::VpcRestrictDefaultSG', 1);
});

test('flow logs are kept for three months under the given key, whose policy lets the logs use it', () => {
  const stack = new Stack(new App(), 'Prod');
  const encryptionKey = new kms.Key(stack, 'Key');

  new TenancyNetwork(stack, 'Network', { encryptionKey });

  const made = Template.fromStack(stack);
  made.resourceCountIs('AWS::KMS::Key', 1);
  made.hasResourceProperties('AWS::KMS::Key', {
    KeyPolicy: { Statement: Match.arrayWith([Match.objectLike({ Action: Match.arrayWith(['kms:Encrypt*']) })]) },
  });
  made.hasResourceProperties('AWS::Logs::LogGroup', { RetentionInDays: 90, KmsKeyId: Match.anyValue() });
  made.hasResourceProperties('AWS::EC2::FlowLog', { TrafficType: 'ALL', ResourceType: 'VPC' });
});

test('the VPC and the database subnets stay when the stack goes, since a retained database stands in them', () => {
  const made = template();

  made.hasResource('AWS::EC2::VPC', { DeletionPolicy: 'RetainExceptOnCreate' });
  expect(Object.keys(made.findResources('AWS::EC2::Subnet', { DeletionPolicy: 'RetainExceptOnCreate' }))).toEqual([
    expect.stringContaining('databaseSubnet1'),
    expect.stringContaining('databaseSubnet2'),
  ]);
});

test('the logical ids of what is retained do not change', () => {
  const retained = Object.entries(template().toJSON().Resources as Record<string, { DeletionPolicy?: string }>)
    .filter(([, { DeletionPolicy }]) => DeletionPolicy === 'RetainExceptOnCreate')
    .map(([id]) => id);

  expect(retained).toEqual([
    'NetworkVpc7FB7348F',
    'NetworkVpcdatabaseSubnet1Subnet20641EE5',
    'NetworkVpcdatabaseSubnet2Subnet8C27A689',
  ]);
});

test('a throw-away network leaves nothing', () => {
  const resources = Object.values(template({ removalPolicy: RemovalPolicy.DESTROY }).toJSON().Resources);

  expect(
    resources.filter((resource) => (resource as { DeletionPolicy?: string }).DeletionPolicy?.startsWith('Retain')),
  ).toEqual([]);
});

test('a given VPC gets nothing added', () => {
  const stack = new Stack(new App(), 'Prod');
  const vpc = new ec2.Vpc(stack, 'Theirs');
  const before = stack.node.findAll().length;

  new TenancyNetwork(stack, 'Network', { vpc });

  expect(stack.node.findAll()).toHaveLength(before + 1);
});

describe('in a given VPC', () => {
  function given(subnets: { private?: string[]; isolated?: string[]; public?: string[] }) {
    const stack = new Stack(new App(), 'Prod');
    return {
      stack,
      vpc: ec2.Vpc.fromVpcAttributes(stack, 'Theirs', {
        vpcId: 'vpc-0123456789abcdef0',
        availabilityZones: ['eu-west-1a', 'eu-west-1b'],
        privateSubnetIds: subnets.private,
        isolatedSubnetIds: subnets.isolated,
        publicSubnetIds: subnets.public,
      }),
    };
  }

  test('services use its private subnets, and databases its isolated ones', () => {
    const { stack, vpc } = given({ private: ['p1', 'p2'], isolated: ['i1', 'i2'] });

    const made = new TenancyNetwork(stack, 'Network', { vpc });

    expect(made.internetEgress).toBe(true);
    expect(vpc.selectSubnets(made.serviceSubnets).subnetIds).toEqual(['p1', 'p2']);
    expect(vpc.selectSubnets(made.databaseSubnets).subnetIds).toEqual(['i1', 'i2']);
  });

  test('databases share the private subnets if there are no isolated ones', () => {
    const { stack, vpc } = given({ private: ['p1', 'p2'] });

    const made = new TenancyNetwork(stack, 'Network', { vpc });

    expect(vpc.selectSubnets(made.databaseSubnets).subnetIds).toEqual(['p1', 'p2']);
  });

  test('public subnets alone are refused, with what it has and what is needed', () => {
    const { stack, vpc } = given({ public: ['a', 'b'] });

    expect(() => new TenancyNetwork(stack, 'Network', { vpc })).toThrow(
      /^Prod\/Network: internetEgress is false, and the given VPC has 0 private .* 0 isolated and 2 public .*\[NETWORK_SUBNETS_MISSING\]$/,
    );
  });

  test('databases in one zone only are refused', () => {
    const stack = new Stack(new App(), 'Prod');
    const vpc = ec2.Vpc.fromVpcAttributes(stack, 'Theirs', {
      vpcId: 'vpc-0123456789abcdef0',
      availabilityZones: ['eu-west-1a'],
      isolatedSubnetIds: ['i1'],
    });

    expect(() => new TenancyNetwork(stack, 'Network', { vpc })).toThrow(
      /1 availability zone \(eu-west-1a\).*NETWORK_ZONES_MISSING/,
    );
  });

  test('options of a new VPC are refused by name', () => {
    const { stack, vpc } = given({ private: ['p1', 'p2'] });

    expect(() => new TenancyNetwork(stack, 'Network', { vpc, cidr: '10.0.0.0/16' })).toThrow(
      /together with cidr.*NETWORK_OPTIONS_CONFLICT/,
    );
  });

  test('a look-up that is still to be made does not stop the synthesis that asks for it', () => {
    const stack = new Stack(new App(), 'Prod', { env: { account: '111122223333', region: 'eu-west-1' } });
    const vpc = ec2.Vpc.fromLookup(stack, 'Theirs', { vpcId: 'vpc-0123456789abcdef0' });

    expect(() => new TenancyNetwork(stack, 'Network', { vpc })).not.toThrow();
  });
});

test.each(['10.0.0.0/8', '10.0.0.0/24', '10.0.0.0', 'fd00::/16'])('the address range %s is refused', (cidr) => {
  expect(() => network({ cidr })).toThrow(/cidr is ".*"; allowed: an IPv4 range from \/16 to \/22.*VALUE_INVALID/);
});

test('a single availability zone is refused', () => {
  expect(() => network({ availabilityZones: ['eu-west-1a'] })).toThrow(
    /availabilityZones has 1 entry; allowed: a list of 2 to 3.*LIST_LENGTH/,
  );
});

test.each([{}, { publicSubnets: true }, { internetEgress: true }])('the rule packs find nothing in %j', (props) => {
  expect(policyFindings(network(props).stack)).toEqual([]);
});

test('the function that closes the default security group logs to the group of the flow logs, which has a retention', () => {
  const made = template();
  const [flowLogs] = Object.keys(made.findResources('AWS::Logs::LogGroup', { Properties: { RetentionInDays: 90 } }));

  made.allResourcesProperties('AWS::Lambda::Function', { LoggingConfig: { LogGroup: { Ref: flowLogs } } });
});
