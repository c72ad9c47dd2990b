import { Path, Problem, valueText } from '../validation/problem';

const NAME = /^([a-z_][a-z0-9_]{0,62}\.)?[a-z_][a-z0-9_]{0,62}$/;

/** What is wrong with names of PostgreSQL's functions, each with or without its schema. */
export function functionNameProblems(names: readonly unknown[], path: Path): Problem[] {
  return names.flatMap((name, index) =>
    typeof name !== 'string' || NAME.test(name)
      ? []
      : [
          {
            path: [...path, index],
            code: 'FUNCTION_NAME_INVALID',
            fault: `is ${valueText(name)}, which is not the name of a function`,
            allowed: 'a to z, 0 to 9 and _, with or without a schema in front, for instance analytics.margin',
            remedy: 'leave out parentheses and parameters',
          },
        ],
  );
}
