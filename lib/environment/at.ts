import { Token } from 'aws-cdk-lib';
import { Path } from '../validation/problem';

/** What is at a path, or undefined. */
export function at(value: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (inner, key) =>
      typeof inner === 'object' && inner !== null && Object.hasOwn(inner, key)
        ? (inner as Record<string | number, unknown>)[key]
        : undefined,
    value,
  );
}

/** The text at a path, or undefined; what is not known before the deployment is none. */
export function text(value: unknown, path: Path): string | undefined {
  const found = at(value, path);
  return typeof found === 'string' && !Token.isUnresolved(found) ? found : undefined;
}
