import { App, CfnParameter, Fn, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as acm from 'aws-cdk-lib/aws-certificatemanager';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import { SharedLoadBalancer, TenancyNetwork } from '../../lib';

const ZONES = ['eu-central-1a', 'eu-central-1b'];

function inVpc(attributes: Partial<ec2.VpcAttributes> | ((stack: Stack) => Partial<ec2.VpcAttributes>)) {
  const stack = new Stack(new App(), 'Prod', { env: { account: '123456789012', region: 'eu-central-1' } });
  const vpc = ec2.Vpc.fromVpcAttributes(stack, 'Theirs', {
    vpcId: 'vpc-0123456789abcdef0',
    vpcCidrBlock: '10.0.0.0/16',
    availabilityZones: ZONES,
    ...(typeof attributes === 'function' ? attributes(stack) : attributes),
  });
  return { stack, network: () => new TenancyNetwork(stack, 'Network', { vpc }) };
}

/** The subnets of a load balancer in a VPC. */
function subnetsOf(attributes: Partial<ec2.VpcAttributes>, internetFacing = false): string[] {
  const { stack, network } = inVpc(attributes);
  const certificate = acm.Certificate.fromCertificateArn(
    stack,
    'Certificate',
    'arn:aws:acm:eu-central-1:123456789012:certificate/0f',
  );
  new SharedLoadBalancer(stack, 'LoadBalancer', { network: network(), certificate, internetFacing });
  const [made] = Object.values(Template.fromStack(stack).findResources('AWS::ElasticLoadBalancingV2::LoadBalancer'));
  return made.Properties.Subnets;
}

test('a load balancer has one subnet of each zone, however many there are', () => {
  expect(subnetsOf({ isolatedSubnetIds: ['a1', 'b1', 'a2', 'b2'] })).toEqual(['a1', 'b1']);
  expect(subnetsOf({ isolatedSubnetIds: ['a1', 'b1'] })).toEqual(['a1', 'b1']);
  expect(subnetsOf({ privateSubnetIds: ['a1', 'b1', 'a2', 'b2'] })).toEqual(['a1', 'b1']);
});

test('and so has one that faces the internet', () => {
  const subnets = { isolatedSubnetIds: ['a1', 'b1'], publicSubnetIds: ['p1', 'p2', 'p3', 'p4'] };

  expect(subnetsOf(subnets, true)).toEqual(['p1', 'p2']);
});

test('service subnets in one zone are refused for a load balancer, with the zone', () => {
  const stack = new Stack(new App(), 'Prod', { env: { account: '123456789012', region: 'eu-central-1' } });
  const vpc = ec2.Vpc.fromVpcAttributes(stack, 'Theirs', {
    vpcId: 'vpc-0123456789abcdef0',
    vpcCidrBlock: '10.0.0.0/16',
    availabilityZones: ['eu-central-1a'],
    privateSubnetIds: ['a1'],
  });
  const isolated = ZONES.map((availabilityZone, index) =>
    ec2.Subnet.fromSubnetAttributes(stack, `I${index}`, { subnetId: `i${index}`, availabilityZone }),
  );
  const mixed = Object.create(vpc, { isolatedSubnets: { value: isolated } }) as ec2.IVpc;
  const network = new TenancyNetwork(stack, 'Network', { vpc: mixed });
  const certificate = acm.Certificate.fromCertificateArn(
    stack,
    'Certificate',
    'arn:aws:acm:eu-central-1:123456789012:certificate/0f',
  );

  expect(() => new SharedLoadBalancer(stack, 'LoadBalancer', { network, certificate })).toThrow(
    /service subnets of the VPC are in 1 availability zone \(eu-central-1a\); a load balancer needs subnets in two.*SERVICE_ZONES_MISSING/,
  );
});

describe('a list of subnets of unknown length', () => {
  const later = (stack: Stack) => new CfnParameter(stack, 'List', { type: 'List<AWS::EC2::Subnet::Id>' }).valueAsList;

  test.each([
    ['isolated', (stack: Stack) => ({ isolatedSubnetIds: later(stack), availabilityZones: Fn.getAzs() })],
    ['private', (stack: Stack) => ({ privateSubnetIds: later(stack), availabilityZones: Fn.getAzs() })],
    ['split', () => ({ isolatedSubnetIds: Fn.split(',', Fn.importValue('ids')), availabilityZones: Fn.getAzs() })],
    ['zones', () => ({ isolatedSubnetIds: ['i1', 'i2'], availabilityZones: Fn.getAzs() })],
  ])('is refused, with what to give in its place (%s)', (_, attributes) => {
    const { network } = inVpc(attributes);

    expect(network).toThrow(
      /list whose length only the deployment knows.*Fn\.select\(0, list\).*NETWORK_SUBNETS_UNKNOWN/,
    );
    expect(network).not.toThrow(/TOKEN/);
  });

  test('of which each entry is given by itself works', () => {
    const { network } = inVpc((stack) => {
      const list = later(stack);
      return { isolatedSubnetIds: [Fn.select(0, list), Fn.select(1, list)] };
    });

    expect(network).not.toThrow();
  });
});
