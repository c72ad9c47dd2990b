import { Rule } from '../rule';

/**
 * A DB instance that outlives its stack keeps using what it was made with: "the IAM role permits RDS to send metrics on your behalf"
 * (RDS User Guide, "Setting up Enhanced Monitoring"), and without its key it ends in `inaccessible-encryption-credentials` (RDS User
 * Guide, "Encrypting Amazon RDS resources"). Changes are refused from then on.
 */
export const RETAINED_NEEDS: Rule = {
  name: 'RetainedNeeds',
  summary: 'A DB instance that is retained has its key, role, subnet, parameter and security groups retained with it.',
  types: /^AWS::RDS::DB(Instance|Cluster)$/,
  check({ properties, deletionPolicy, stack }, { templates }) {
    if (!isRetained(deletionPolicy)) return [];
    return templates
      .targets(
        NEEDS.map((name) => properties[name]),
        stack,
      )
      .filter((needed, index, all) => !isRetained(needed.deletionPolicy) && all.indexOf(needed) === index)
      .map(
        ({ construct }) =>
          `retained, and ${construct.node.path}, which it needs, is deleted with the stack. Retain both: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE.`,
      );
  },
};

const NEEDS = ['MonitoringRoleArn', 'KmsKeyId', 'DBSubnetGroupName', 'DBParameterGroupName', 'VPCSecurityGroups'];

function isRetained(deletionPolicy: string | undefined): boolean {
  return ['Retain', 'RetainExceptOnCreate'].includes(deletionPolicy ?? '');
}
