import { Rule } from '../rule';
import { allows, keyOf } from './key-policy';

/**
 * "CloudWatch Logs must have permissions for the KMS key": the key policy names `logs.<region>.amazonaws.com` (CloudWatch Logs User Guide,
 * "Encrypt log data in CloudWatch Logs using AWS KMS"). The log group is refused otherwise.
 */
export const LOGS_KEY: Rule = {
  name: 'LogsKey',
  summary: 'The policy of the key of a log group lets CloudWatch Logs of the region use it.',
  types: /^AWS::Logs::LogGroup$/,
  check({ properties, stack }, { templates }) {
    const key = keyOf(properties.KmsKeyId, stack, templates);
    return !key || allows(key, 'logs', ['kms:Encrypt', 'kms:Decrypt', 'kms:GenerateDataKey'])
      ? []
      : [`the policy of ${key.construct.node.path} does not let CloudWatch Logs use it. Add its service principal.`];
  },
};
