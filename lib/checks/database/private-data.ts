import { CheckedResource, Json, isTrue } from '../checked-resource';
import { Rule } from '../rule';
import { Templates } from '../templates';

/**
 * "When the DB instance is publicly accessible ... its DNS endpoint resolves to the public IP address from outside of the VPC" (RDS User
 * Guide, "Hiding a DB instance in a VPC from the internet"). A subnet is public if its route table leads to an internet gateway (VPC User
 * Guide, "Subnets for your VPC").
 */
export const PRIVATE_DATA: Rule = {
  name: 'PrivateData',
  summary: 'No PostgreSQL server, proxy or cache is publicly accessible or stands in a public subnet.',
  types:
    /^AWS::(RDS::DB(Instance|Cluster|SubnetGroup|Proxy|ProxyEndpoint)|ElastiCache::(SubnetGroup|ServerlessCache))$/,
  check({ properties, stack }, { templates }) {
    const open = isTrue(properties.PubliclyAccessible) ? ['publiclyAccessible is true. Set it to false.'] : [];
    const subnets = templates
      .targets([properties.SubnetIds, properties.VpcSubnetIds], stack)
      .filter((subnet) => subnet.type === 'AWS::EC2::Subnet' && isPublic(subnet, templates))
      .map(({ construct }) => `stands in ${construct.node.path}, which is public. Use isolated or private subnets.`);
    return [...open, ...subnets];
  },
};

function isPublic(subnet: CheckedResource, templates: Templates): boolean {
  const tables = templates
    .ofType('AWS::EC2::SubnetRouteTableAssociation')
    .filter((association) => pointsTo(association, 'SubnetId', subnet, templates))
    .map(({ properties, stack }) => templates.target(properties.RouteTableId, stack));
  return (
    isTrue(subnet.properties.MapPublicIpOnLaunch) ||
    templates
      .ofType('AWS::EC2::Route')
      .filter((route) => tables.some((table) => table && pointsTo(route, 'RouteTableId', table, templates)))
      .some(({ properties, stack }) => leadsOut(properties.GatewayId, stack, templates))
  );
}

function pointsTo(from: CheckedResource, property: string, to: CheckedResource, templates: Templates): boolean {
  return templates.target(from.properties[property], from.stack) === to;
}

function leadsOut(gateway: Json, stack: CheckedResource['stack'], templates: Templates): boolean {
  return (
    templates.target(gateway, stack)?.type === 'AWS::EC2::InternetGateway' ||
    (typeof gateway === 'string' && gateway.startsWith('igw-'))
  );
}
