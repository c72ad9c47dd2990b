import { Stack } from 'aws-cdk-lib';
import { Json } from '../checked-resource';
import { statementsOf, textsOf } from '../policy-document';
import { Rule } from '../rule';

/**
 * "Grant least privilege: ... limit the resources" (AWS Secrets Manager User Guide, "Permissions policy examples", which names ARNs of
 * secrets): a role that may read every secret of the account reads those of all tenants.
 */
export const SECRETS_WILDCARD: Rule = {
  name: 'SecretsWildcard',
  summary: 'No role may read every secret of the account.',
  types: /^AWS::IAM::(Policy|ManagedPolicy|Role|User|Group)$/,
  check(resource) {
    return statementsOf(resource)
      .filter((statement) => reads(statement, resource.stack) && isWide(statement, resource.stack))
      .map(() => 'may read every secret of the account. Name the secrets, or ask for a tag in a condition.');
  },
};

function reads({ Effect, Action, NotAction }: Json, stack: Stack): boolean {
  return (
    Effect === 'Allow' &&
    (NotAction !== undefined ||
      textsOf(Action, stack).some((action) => pattern(action).test('secretsmanager:getsecretvalue')))
  );
}

function isWide({ Resource, NotResource, Condition }: Json, stack: Stack): boolean {
  const tagged = /ResourceTag\//i.test(JSON.stringify(Condition ?? {}));
  return !tagged && (NotResource !== undefined || textsOf(Resource, stack).some((arn) => /^\*$|:secret:\*$/.test(arn)));
}

/** What an action with wildcards stands for; IAM takes upper and lower case as the same. */
function pattern(action: string): RegExp {
  return new RegExp(
    `^${action
      .toLowerCase()
      .replace(/[.+^${}()|[\]\\]/g, '\\$&')
      .replace(/\*/g, '.*')
      .replace(/\?/g, '.')}$`,
  );
}
