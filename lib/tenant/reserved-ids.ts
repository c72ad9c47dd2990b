/**
 * Key words that PostgreSQL reserves, as `pg_get_keywords()` of PostgreSQL 17 lists them (those of 15 are among them),
 * and the role names that it refuses or keeps for itself.
 */
const RESERVED_WORDS: ReadonlySet<string> = new Set(
  `all analyse analyze and any array as asc asymmetric authorization binary both case cast check collate collation
  column concurrently constraint create cross current_catalog current_date current_role current_schema current_time
  current_timestamp current_user default deferrable desc distinct do else end except false fetch for foreign freeze from
  full grant group having ilike in initially inner intersect into is isnull join lateral leading left like limit
  localtime localtimestamp natural not notnull null offset on only or order outer overlaps placing primary references
  returning right select session_user similar some symmetric system_user table tablesample then to trailing true union
  unique user using variadic verbose when where window with none`.split(/\s+/),
);

/** What the names of roles, databases and schemas of PostgreSQL, RDS and this library begin with. */
const RESERVED_PREFIXES = [
  'pg_',
  'postgres',
  'information_schema',
  'public',
  'template',
  'rds',
  'aws',
  'tenancy',
  'superset',
  'loader',
  'admin',
  'master',
  'root',
];

/** Whose name an id is or begins with, if it may not be given to a tenant. */
export function reservedFor(id: string): string | undefined {
  if (RESERVED_WORDS.has(id)) return 'a key word of SQL';
  const prefix = RESERVED_PREFIXES.find((each) => id.startsWith(each));
  return prefix && `kept: ids may not begin with ${prefix}`;
}
