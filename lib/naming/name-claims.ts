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
  const other = claim(scope.node.root, [account, region, what, name].join('|'), scope);
  if (other === undefined) return;
  throw new ConfigurationError(
    scope,
    'NAME_TAKEN',
    `the ${what} '${name}' is that of ${other}, too, in the same account and region. ${remedy}`,
  );
}

/**
 * Remembers a name that only one construct may have at another one, for instance a priority at a load balancer, and refuses a second.
 *
 * @param at what the name is unique at.
 * @param name as the error says it, for instance `listenerPriority 2`.
 * @param remedy how to choose another one.
 */
export function claimAt(scope: IConstruct, at: IConstruct, name: string, remedy: string): void {
  const other = claim(at, name, scope);
  if (other === undefined) return;
  throw new ConfigurationError(scope, 'NAME_TAKEN', `${name} at ${at.node.path} is taken by ${other}. ${remedy}`);
}

/**
 * Remembers what uses a part that one environment has for itself, and refuses a second one.
 *
 * @param what what the part is, for instance `server`.
 * @param part the part; a second construct may use it for another purpose.
 */
export function claimPart(scope: IConstruct, what: string, part: IConstruct): void {
  const other = claim(part, what, scope);
  if (other === undefined) return;
  throw new ConfigurationError(
    scope,
    'PART_TAKEN',
    `the ${what} ${part.node.path} is that of ${other} already. Two environments over one ${what} would change each other's tenants: give each its own.`,
  );
}

/**
 * Remembers the batches of a provisioner, and refuses a second one of the same name.
 *
 * @param provisioner what both are given to.
 */
export function claimBatch(scope: IConstruct, batch: string, provisioner: IConstruct): void {
  const other = claim(provisioner, `batch ${batch}`, scope);
  if (other === undefined) return;
  throw new ConfigurationError(
    scope,
    'BATCH_TAKEN',
    `batch '${batch}' is that of ${other} already, with the same provisioner ${provisioner.node.path}: each would end the other's tenants. Give one of the two another batch.`,
  );
}

/** Path of the construct that has claimed it before, if one has. */
function claim(within: IConstruct, what: string, by: IConstruct): string | undefined {
  const claims = CLAIMS.get(within) ?? new Map<string, string>();
  CLAIMS.set(within, claims);
  const other = claims.get(what);
  if (other === undefined) claims.set(what, by.node.path);
  return other;
}

const CLAIMS = new WeakMap<IConstruct, Map<string, string>>();

/** The remedy for names with the prefix of an environment. */
export const OTHER_PREFIX =
  'Give one of the two environments a secretNamePrefix, for instance dev; or give the tenant to one of them only.';

/** The remedy for names that are made of the stack's. */
export const OTHER_STACK = 'Give one of the two stacks another name.';
