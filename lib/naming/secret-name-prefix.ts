/** What a prefix may be, for error messages. */
export const SECRET_NAME_PREFIX_RULE =
  '1 to 64 letters, digits, `_` and `-`, in parts with `/` between them, and not begin with aws/; for instance dev';

/** What both Secrets Manager and, for the aliases of keys, KMS take. */
export const SECRET_NAME_PREFIX_PATTERN = '^(?!aws(/|$))(?=.{1,64}$)[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*$';

/** Whether a text may be what names of secrets begin with. */
export function isSecretNamePrefix(prefix: string): boolean {
  return new RegExp(SECRET_NAME_PREFIX_PATTERN).test(prefix);
}

/** A name with the prefix of its environment. */
export function prefixed(name: string, prefix?: string): string {
  return prefix ? `${prefix}/${name}` : name;
}
