/** The first minor version of each supported major with CVE-2025-8713, 8714 and 8715 fixed (postgresql.org/support/security). */
const LEAST_MINOR: ReadonlyMap<string, number> = new Map([
  ['15', 14],
  ['16', 10],
  ['17', 6],
]);

/** The supported major versions of PostgreSQL. */
export const POSTGRES_MAJORS: readonly string[] = [...LEAST_MINOR.keys()];

/** The version of new servers: RDS takes its preferred minor, and none that it no longer creates servers with. */
export const POSTGRES_VERSION = '17';

/**
 * The version to use instead, if statistics of this one show rows that row-level security hides. Undefined for a major version: the
 * provisioner reads the minor from the server.
 */
export function saferVersion(version: string): string | undefined {
  const [major, minor] = version.split('.');
  const least = LEAST_MINOR.get(major);
  return least !== undefined && Number(minor) < least ? `${major}.${least}` : undefined;
}
