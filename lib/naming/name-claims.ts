import { Stack } from 'aws-cdk-lib';
import { IConstruct } from 'constructs';
import { ConfigurationError } from '../validation/configuration-error';

/**
 * Remembers a name that an account and region has once, and refuses a second construct of the app that wants it. Of another app,
 * CloudFormation refuses it at deployment.
 *
 * @param what what is called so, for instance `secret`.
 * @param remedy how to get another name.
 */
export function claimName(scope: IConstruct, what: string, name: string, remedy: string): void {
  const { account, region } = Stack.of(scope);
  const { root } = scope.node;
  const claims = CLAIMS.get(root) ?? new Map<string, string>();
  CLAIMS.set(root, claims);
  const claim = [account, region, what, name].join('|');
  const other = claims.get(claim);
  if (other !== undefined) {
    throw new ConfigurationError(
      scope,
      'NAME_TAKEN',
      `the ${what} '${name}' is that of ${other}, too, in the same account and region. ${remedy}`,
    );
  }
  claims.set(claim, scope.node.path);
}

/** Names by the app that they are in. */
const CLAIMS = new WeakMap<IConstruct, Map<string, string>>();

/** The remedy for names with the prefix of an environment. */
export const OTHER_PREFIX =
  'Give one of the two environments a secretNamePrefix, for instance dev; or give the tenant to one of them only.';

/** The remedy for names that are made of the stack's. */
export const OTHER_STACK = 'Give one of the two stacks another name.';
