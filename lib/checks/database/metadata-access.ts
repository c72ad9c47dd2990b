import { IConstruct } from 'constructs';
import { MetadataDatabase } from '../../database/metadata-database';
import { DatabaseProvisioner } from '../../provisioning/database-provisioner';
import { ShardsProvisioner } from '../../provisioning/shards-provisioner';
import { SupersetService } from '../../superset/superset-service';
import { CheckedResource, Json } from '../checked-resource';
import { Rule } from '../rule';
import { Templates } from '../templates';

/**
 * "Each security group rule makes it possible for a specific source to access a DB instance" (RDS User Guide, "Controlling access with
 * security groups"). Superset's metadata hold what all tenants have made: nothing but Superset and the provisioner connects to them.
 */
export const METADATA_ACCESS: Rule = {
  name: 'MetadataAccess',
  summary: "Only Superset's tasks and the provisioner reach the server of Superset's metadata.",
  types: /^AWS::RDS::DBInstance$/,
  check({ construct, properties, stack }, { templates }) {
    if (!isWithin(construct, [MetadataDatabase])) return [];
    return templates
      .targets(properties.VPCSecurityGroups, stack)
      .flatMap((group) => ingressOf(group, templates))
      .flatMap(({ rule, in: where }) => fault(rule, where, templates));
  },
};

interface Ingress {
  readonly rule: Json;
  readonly in: CheckedResource;
}

function ingressOf(group: CheckedResource, templates: Templates): Ingress[] {
  const inline = [group.properties.SecurityGroupIngress ?? []].flat().map((rule: Json) => ({ rule, in: group }));
  const separate = templates
    .ofType('AWS::EC2::SecurityGroupIngress')
    .filter(({ properties, stack }) => templates.target(properties.GroupId, stack) === group)
    .map((resource) => ({ rule: resource.properties, in: resource }));
  return [...inline, ...separate];
}

function fault(rule: Json, { stack }: CheckedResource, templates: Templates): string[] {
  const source = templates.target(rule.SourceSecurityGroupId, stack);
  if (!source) {
    const name = rule.CidrIp ?? rule.CidrIpv6 ?? rule.SourcePrefixListId ?? rule.SourceSecurityGroupId;
    return [
      `lets in ${typeof name === 'string' ? name : 'a source that is not known'}. Let in Superset and the provisioner only.`,
    ];
  }
  const users = usersOf(source, templates);
  const strangers = users.filter(({ construct }) => !isWithin(construct, ALLOWED));
  if (users.length === 0)
    return [`lets in ${source.construct.node.path}, which nothing in the app uses. Take the rule out.`];
  return strangers.map(
    ({ construct }) => `lets in ${construct.node.path}. Give it a dedicated security group, without access.`,
  );
}

const ALLOWED = [SupersetService, DatabaseProvisioner, ShardsProvisioner];

/** What has a security group, but for the rules of security groups. */
function usersOf(group: CheckedResource, templates: Templates): CheckedResource[] {
  return templates.resources
    .filter(({ type }) => !/^AWS::(EC2::SecurityGroup|CloudFormation::Stack)/.test(type))
    .filter(({ properties, stack }) => templates.targets(properties, stack).includes(group));
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any
function isWithin(construct: IConstruct, classes: (new (...args: any[]) => IConstruct)[]): boolean {
  return construct.node.scopes.some((scope) => classes.some((made) => scope instanceof made));
}
