import { createHash } from 'node:crypto';
import { Stack } from 'aws-cdk-lib';
import { IConstruct } from 'constructs';
import { ConfigurationError } from '../validation/configuration-error';
import { SECRET_NAME_PREFIX_RULE, isSecretNamePrefix } from './secret-name-prefix';

/** Props of {@link EnvironmentNames.define}. */
export interface EnvironmentNamesProps {
  /**
   * What the names of secrets, and the aliases of tenants' keys, begin with, so that two environments of one account and region may
   * have tenants of the same id: with `dev`, a tenant's login is `dev/superset/tenant/<id>/db_credentials`. For good: with another
   * prefix, CloudFormation makes new secrets.
   *
   * 1 to 64 letters, digits, `_` and `-`, in parts with `/` between them.
   *
   * @default - that of the environment above, or none
   */
  readonly secretNamePrefix?: string;
}

/**
 * What tells an environment from others in its account and region: the prefix of its secrets' names, and the value of the tag
 * `superset:environment` on its secrets, by which its roles may read them.
 *
 * A tenancy of any model is an environment. Constructs outside of one belong to the environment of their stack, unless it is defined,
 * or shared, above them.
 */
export class EnvironmentNames {
  /** Key of the tag on each secret that names its environment. */
  public static readonly TAG = 'superset:environment';

  /**
   * The environment that a construct belongs to.
   *
   * @param scope the construct.
   */
  public static of(scope: IConstruct): EnvironmentNames {
    const above = scope.node.scopes.reverse().find((each) => KNOWN.has(each));
    return (above && KNOWN.get(above)) ?? new EnvironmentNames(topLevelStack(scope));
  }

  /**
   * Makes a construct, with what is below it, an environment. Call it before anything is below.
   *
   * @param scope the construct.
   * @param props the prefix.
   * @throws ConfigurationError if the prefix is not valid.
   */
  public static define(scope: IConstruct, props: EnvironmentNamesProps = {}): EnvironmentNames {
    const prefix = props.secretNamePrefix;
    if (prefix !== undefined && !isSecretNamePrefix(prefix)) {
      throw new ConfigurationError(
        scope,
        'SECRET_NAME_PREFIX_INVALID',
        `secretNamePrefix is '${prefix}'; it must be ${SECRET_NAME_PREFIX_RULE}.`,
      );
    }
    const above = EnvironmentNames.of(scope).secretNamePrefix;
    return EnvironmentNames.share(scope, new EnvironmentNames(scope, prefix ?? above));
  }

  /**
   * Lets what is below a construct belong to an environment that is defined elsewhere, for instance in the stack of a shared provisioner.
   * Call it before anything is below.
   *
   * @param scope the construct.
   * @param names the environment.
   */
  public static share(scope: IConstruct, names: EnvironmentNames): EnvironmentNames {
    KNOWN.set(scope, names);
    return names;
  }

  /** Value of the tag: name of the stack, and path in it. No other environment of the account and region has it. */
  public readonly environment: string;

  /** What the names of its secrets begin with. */
  public readonly secretNamePrefix?: string;

  private constructor(scope: IConstruct, secretNamePrefix?: string) {
    this.environment = nameInAccount(scope);
    this.secretNamePrefix = secretNamePrefix;
  }
}

const KNOWN = new WeakMap<IConstruct, EnvironmentNames>();

/** By names that outlive refactoring above the stack; CloudFormation lets one stack of an account and region have a name. */
function nameInAccount(scope: IConstruct): string {
  const stack = topLevelStack(scope);
  const path = scope.node.scopes.slice(stack.node.scopes.length).map(({ node }) => node.id);
  const name = [stack.stackName, ...path].join('/');
  return TAG_VALUE.test(name)
    ? name
    : `${stack.stackName}/${createHash('sha256').update(path.join('/')).digest('hex')}`;
}

/** What AWS takes in any tag (Secrets Manager API Reference, "TagResource"). */
const TAG_VALUE = /^[\p{L}\p{N} _.:/=+@-]{1,255}$/u;

function topLevelStack(scope: IConstruct): Stack {
  let stack = Stack.of(scope);
  while (stack.nestedStackParent) stack = stack.nestedStackParent;
  return stack;
}
