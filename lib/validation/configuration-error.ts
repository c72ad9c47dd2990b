import { IConstruct } from 'constructs';

/**
 * A mistake in what was given to a construct: where, what, what is allowed and how to mend it.
 *
 * The message starts with the construct's path, so that the place in the app is found at once.
 */
export class ConfigurationError extends Error {
  /** Stable name of the rule that was broken, for instance `TENANT_ID_INVALID`. */
  public readonly code: string;

  /** Path of the construct that refused, empty for the app itself. */
  public readonly constructPath: string;

  /**
   * @param scope the construct that was given the bad value.
   * @param code stable name of the rule, in upper snake case.
   * @param message the value, what is allowed and the way out.
   */
  constructor(scope: IConstruct, code: string, message: string) {
    // Where several things are wrong, each line says its own.
    const ending = message.includes(`[${code}]`) ? '' : ` [${code}]`;
    super(`${scope.node.path || 'App'}: ${message}${ending}`);
    this.name = 'ConfigurationError';
    this.code = code;
    this.constructPath = scope.node.path;
  }
}
