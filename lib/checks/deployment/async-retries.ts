import { CheckedResource, Json } from '../checked-resource';
import { Rule } from '../rule';

/**
 * "By default, Lambda retries an error that your function returns up to two more times" (Lambda Developer Guide, "How Lambda handles
 * errors and retries with asynchronous invocation"), whatever the retry policy of the rule that made the call is.
 */
export const ASYNC_RETRIES: Rule = {
  name: 'AsyncRetries',
  summary:
    'A function that EventBridge, SNS, S3, CloudWatch or a log subscription calls says how often Lambda retries (EventInvokeConfig).',
  types:
    /^(AWS::(Events::Rule|Scheduler::Schedule|SNS::Subscription|S3::Bucket|CloudWatch::Alarm|Logs::SubscriptionFilter)|Custom::S3BucketNotifications)$/,
  check(resource, { templates }) {
    const configured = templates
      .ofType('AWS::Lambda::EventInvokeConfig')
      .filter(({ properties }) => properties.MaximumRetryAttempts !== undefined)
      .map(({ properties, stack }) => templates.target(properties.FunctionName, stack));
    return templates
      .targets(calledBy(resource), resource.stack)
      .filter(({ type }) => type === 'AWS::Lambda::Function')
      .filter((fn) => !configured.includes(fn))
      .map(
        ({ construct }) =>
          `calls ${construct.node.path} asynchronously, which Lambda runs up to three times. Call configureAsyncInvoke({ retryAttempts }) on it.`,
      );
  },
};

/** Those properties that name what is called. */
function calledBy({ type, properties }: CheckedResource): Json[] {
  switch (type) {
    case 'AWS::Events::Rule':
      return (properties.Targets ?? []).map(({ Arn }: Json) => Arn);
    case 'AWS::Scheduler::Schedule':
      return [properties.Target?.Arn];
    case 'AWS::SNS::Subscription':
      return [properties.Endpoint];
    case 'AWS::S3::Bucket':
    case 'Custom::S3BucketNotifications':
      return [properties.NotificationConfiguration];
    case 'AWS::CloudWatch::Alarm':
      return [properties.AlarmActions, properties.OKActions, properties.InsufficientDataActions];
    default:
      return [properties.DestinationArn];
  }
}
