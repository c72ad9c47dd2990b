import { CheckedResource } from '../checked-resource';
import { Rule } from '../rule';

/**
 * "For resources that are created as part of a stack creation that is rolled back, RetainExceptOnCreate deletes them" (CloudFormation
 * Template Reference, "DeletionPolicy attribute"). With `Retain` they stay, and with a fixed name the next deployment ends with
 * "already exists".
 */
export const RETAINED_NAME: Rule = {
  name: 'RetainedName',
  summary: 'What is retained under a fixed name is not retained when the deployment that makes it fails.',
  types: /^AWS::/,
  check(resource) {
    const name = resource.deletionPolicy === 'Retain' && nameOf(resource);
    return name
      ? [
          `retained, with a fixed ${name}: after a failed first deployment it would stay, and the next one would find the name taken. ` +
            'Use RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE.',
        ]
      : [];
  },
};

/** Properties that name what is made and do not follow the name of its type. */
const NAMES: Record<string, string> = {
  'AWS::CloudWatch::Alarm': 'AlarmName',
  'AWS::ElastiCache::ReplicationGroup': 'ReplicationGroupId',
  'AWS::ElastiCache::ServerlessCache': 'ServerlessCacheName',
  'AWS::ElastiCache::SubnetGroup': 'CacheSubnetGroupName',
  'AWS::IAM::ManagedPolicy': 'ManagedPolicyName',
  'AWS::KMS::Alias': 'AliasName',
  'AWS::RDS::DBInstance': 'DBInstanceIdentifier',
  'AWS::RDS::DBCluster': 'DBClusterIdentifier',
  'AWS::EC2::SecurityGroup': 'GroupName',
  'AWS::SNS::Topic': 'TopicName',
};

/** Of the others it is `Name`, or their type with `Name`, as in `LogGroupName`. */
function nameOf({ type, properties }: CheckedResource): string | undefined {
  const candidates = [NAMES[type], `${type.split('::')[2]}Name`, 'Name'];
  return candidates.find((name) => name !== undefined && properties[name] !== undefined);
}
