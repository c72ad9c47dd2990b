import { Rule } from '../rule';

/**
 * "By default, log data is stored in CloudWatch Logs indefinitely" (CloudWatch Logs User Guide, "Change log data retention in CloudWatch
 * Logs"). A function without a log group gets one by Lambda, which has no retention either.
 */
export const LOG_RETENTION: Rule = {
  name: 'LogRetention',
  summary: 'A log group has a retention, and a function has a log group.',
  types: /^AWS::(Logs::LogGroup|Lambda::Function)$/,
  check({ type, properties }) {
    if (type === 'AWS::Lambda::Function') {
      return properties.LoggingConfig?.LogGroup
        ? []
        : ['Lambda makes a log group for it that is kept for ever. Give it a logGroup.'];
    }
    return properties.RetentionInDays ? [] : ['it is kept for ever. Set retention.'];
  },
};
