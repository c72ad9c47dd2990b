import { CheckedResource, Json } from '../checked-resource';
import { servicesOf, statementsOf, textsOf } from '../policy-document';
import { Rule } from '../rule';

/**
 * "CloudWatch Logs must have permissions for the KMS key": the key policy names `logs.<region>.amazonaws.com` (CloudWatch Logs User Guide,
 * "Encrypt log data in CloudWatch Logs using AWS KMS"). The log group is refused otherwise.
 */
export const LOGS_KEY: Rule = {
  name: 'LogsKey',
  summary: 'The policy of the key of a log group lets CloudWatch Logs of the region use it.',
  types: /^AWS::Logs::LogGroup$/,
  check({ properties, stack }, { templates }) {
    const key = templates.target(properties.KmsKeyId, stack);
    return !key || allows(key, 'logs', ['kms:Encrypt', 'kms:Decrypt', 'kms:GenerateDataKey'])
      ? []
      : [`the policy of ${key.construct.node.path} does not let CloudWatch Logs use it. Add its service principal.`];
  },
};

/** Whether a key policy lets a service do something. */
export function allows(key: CheckedResource, service: string, actions: string[]): boolean {
  const allowed = statementsOf(key)
    .filter(({ Effect }) => Effect === 'Allow')
    .filter((statement) => servicesOf(statement, key.stack).some((name) => name.split('.')[0] === service))
    .flatMap(({ Action }: Json) => textsOf(Action, key.stack));
  return actions.every((action) => allowed.some((pattern) => matches(pattern, action)));
}

function matches(pattern: string, action: string): boolean {
  const [start, ...rest] = pattern.split('*');
  return rest.length > 0 ? action.startsWith(start) : action === pattern;
}
