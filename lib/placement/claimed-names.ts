import { IConstruct } from 'constructs';
import { ConfigurationError } from '../validation/configuration-error';

const CLAIMS = new WeakMap<IConstruct, Map<string, IConstruct>>();

/**
 * Takes a name that only one construct may have at another one, for instance a priority at a load balancer.
 *
 * @param at what the name is unique at.
 * @param by the construct that takes it.
 * @param name as the error says it, for instance `listenerPriority 2`.
 * @param remedy how to choose another one.
 * @throws ConfigurationError if another construct has it.
 */
export function claimName(at: IConstruct, by: IConstruct, name: string, remedy: string): void {
  const claims = CLAIMS.get(at) ?? new Map<string, IConstruct>();
  CLAIMS.set(at, claims);
  const other = claims.get(name);
  if (other && other !== by) {
    throw new ConfigurationError(
      by,
      'NAME_TAKEN',
      `${name} at ${at.node.path} is taken by ${other.node.path}. ${remedy}.`,
    );
  }
  claims.set(name, by);
}
