import { IConstruct } from 'constructs';
import { ConfigurationError } from './configuration-error';
import { Problem, problemText } from './problem';

/**
 * Refuses what a construct was given, if there is anything wrong with it, and names all of it.
 *
 * @throws ConfigurationError with the code of the first problem, and a line for each.
 */
export function refuse(scope: IConstruct, problems: readonly Problem[]): void {
  if (problems.length === 0) return;
  throw new ConfigurationError(scope, problems[0].code, problems.map(problemText).join('\n'));
}
