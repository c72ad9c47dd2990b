import { CheckedResource, Json, isTrue } from '../checked-resource';
import { statementsOf } from '../policy-document';
import { Rule } from '../rule';
import { Templates } from '../templates';

/**
 * "Use the aws:SecureTransport condition in your policy to deny requests that are not made over HTTPS" (Amazon S3 User Guide, "Security
 * best practices for Amazon S3"; the same for SNS and SQS in their developer guides).
 */
export const TLS_ONLY_POLICY: Rule = {
  name: 'TlsOnlyPolicy',
  summary: 'The policy of a bucket, topic or queue denies requests without TLS.',
  types: /^AWS::(S3::Bucket|SNS::Topic|SQS::Queue)$/,
  check(resource, { templates }) {
    return policiesOf(resource, templates).some((policy) => statementsOf(policy).some(deniesPlain))
      ? []
      : ['requests without TLS are answered. Set enforceSSL.'];
  },
};

function policiesOf(resource: CheckedResource, templates: Templates): CheckedResource[] {
  return templates
    .ofType('AWS::S3::BucketPolicy', 'AWS::SNS::TopicPolicy', 'AWS::SQS::QueuePolicy')
    .filter(({ properties: { Bucket, Topics, Queues }, stack }) =>
      templates.targets([Bucket, Topics, Queues], stack).includes(resource),
    );
}

function deniesPlain({ Effect, Condition }: Json): boolean {
  const secure = Condition?.Bool?.['aws:SecureTransport'];
  return Effect === 'Deny' && secure !== undefined && !isTrue(secure);
}
