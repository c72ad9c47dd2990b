import { CheckedResource, Json } from '../checked-resource';
import { Rule } from '../rule';
import { Templates } from '../templates';
import { allows, keyOf } from './key-policy';

/**
 * "To let an AWS service publish to an encrypted topic, the key policy must allow it kms:GenerateDataKey* and kms:Decrypt" (SNS Developer
 * Guide, "Key management"). The policy of the AWS managed key `alias/aws/sns` cannot be changed. Messages are lost without a word.
 */
export const TOPIC_KEY: Rule = {
  name: 'TopicKey',
  summary:
    'The policy of the key of an SNS topic lets the services use it that publish to the topic: alarms, EventBridge, S3.',
  types: /^AWS::SNS::Topic$/,
  check(topic, { templates }) {
    const { KmsMasterKeyId } = topic.properties;
    if (KmsMasterKeyId === undefined) return [];
    const publishers = PUBLISHERS.filter(({ publishes }) => publishes(templates).includes(topic)).map(
      ({ service }) => service,
    );
    if (KmsMasterKeyId === 'alias/aws/sns') {
      return publishers.map(
        (service) => `${service} cannot publish under alias/aws/sns. Give the topic a customer managed key.`,
      );
    }
    const key = keyOf(KmsMasterKeyId, topic.stack, templates);
    return publishers
      .filter((service) => key && !allows(key, service, ['kms:Decrypt', 'kms:GenerateDataKey']))
      .map(
        (service) =>
          `the policy of ${key?.construct.node.path} does not let ${service}.amazonaws.com use it, which publishes to the topic. Add kms:Decrypt and kms:GenerateDataKey* for it.`,
      );
  },
};

const PUBLISHERS = [
  {
    service: 'cloudwatch',
    publishes: (templates: Templates) =>
      named(templates, 'AWS::CloudWatch::Alarm', ({ AlarmActions, OKActions, InsufficientDataActions }) => [
        AlarmActions,
        OKActions,
        InsufficientDataActions,
      ]),
  },
  {
    service: 'events',
    publishes: (templates: Templates) => named(templates, 'AWS::Events::Rule', ({ Targets }) => Targets),
  },
  {
    service: 's3',
    publishes: (templates: Templates) =>
      named(templates, 'AWS::S3::Bucket', ({ NotificationConfiguration }) => NotificationConfiguration),
  },
];

function named(templates: Templates, type: string, values: (properties: Json) => Json): CheckedResource[] {
  return templates.ofType(type).flatMap(({ properties, stack }) => templates.targets(values(properties), stack));
}
