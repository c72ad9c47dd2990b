/**
 * Extensions that lead out of a tenant's database, or let a tenant run in the server what it likes: refused in an environment file,
 * never created, and never the tenant's to call where they exist. Some have no foreign-data wrapper by which PostgreSQL could tell.
 *
 * The text is a regular expression that JavaScript and PostgreSQL read alike.
 */
export const UNSAFE_EXTENSIONS =
  '^(dblink|.*_fdw|adminpack|aws_.*|rds_tools|pg_cron|pg_tle|pg_transport|pglogical|pl(perl|python|tcl|v8|rust).*|lo|pageinspect|pg_visibility)$';

/** Whether an extension is one of them. */
export function isUnsafeExtension(name: string): boolean {
  return new RegExp(UNSAFE_EXTENSIONS).test(name);
}
