import { Scalar, ScalarTag, Schema, isScalar } from 'yaml';

const OLD_TAGS = new Schema({ schema: 'yaml-1.1', merge: false }).tags.filter(
  (tag): tag is ScalarTag & { readonly test: RegExp } =>
    tag.default === true && 'test' in tag && tag.test !== undefined,
);

/**
 * What a reader of YAML 1.1 takes an unquoted value for, if that is something else than YAML 1.2 says: `no` for false,
 * `012` for ten. Many tools still read YAML 1.1.
 */
export function otherReading({ source = '', value }: Scalar): string | undefined {
  const tag = OLD_TAGS.find(({ test }) => test.test(source));
  if (!tag) return undefined;
  const resolved = tag.resolve(source, () => undefined, {});
  const other: unknown = isScalar(resolved) ? resolved.value : resolved;
  if (other instanceof Date) return 'a date';
  return Object.is(other, value) ? undefined : String(other);
}
