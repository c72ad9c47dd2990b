import { Sql, identifier, sql } from '../../sql';
import { hasLoader } from '../place';
import { DatabaseInside, Mending, grantee } from './database-inside';

/** A right that PostgreSQL gives on what a role is yet to make; `schema` is empty where it holds for all. */
interface DefaultRight {
  readonly creator: string;
  readonly schema: string;
  readonly type: string;
  readonly role: string;
  readonly privilege: string;
}

const READ = ['SELECT'];
const WRITE = ['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE'];
const COUNT = ['USAGE', 'SELECT', 'UPDATE'];

/**
 * What the ETL, the owner or the master user makes from now on in the schema is the tenant's to read and its ETL's to write.
 * Functions are nobody's to call: one that is SECURITY DEFINER would write for the tenant.
 */
export async function missingDefaultPrivileges(inside: DatabaseInside): Promise<Mending> {
  const { place, tenant, traits, loader } = inside;
  const { schema } = traits;
  const rights = await readDefaultRights(inside);
  const makers = [traits.master, place.owner];
  const creators = [...makers, ...(loader ? [loader] : [])];
  const right = (creator: string, type: string, role: string) => (privilege: string) => ({
    creator,
    schema,
    type,
    role,
    privilege,
  });
  const wanted: DefaultRight[] = [
    ...creators.flatMap((creator) => READ.map(right(creator, 'r', place.reader))),
    ...(hasLoader(tenant)
      ? makers.flatMap((creator) => [
          ...WRITE.map(right(creator, 'r', place.loader)),
          ...COUNT.map(right(creator, 'S', place.loader)),
        ])
      : []),
  ];
  const isSame = (one: DefaultRight) => (other: DefaultRight) => text(one) === text(other);
  const missing = wanted.filter((one) => !rights.some(isSame(one)));
  const excess = rights.filter(
    (one) => [place.reader, 'PUBLIC'].includes(one.role) && 'rSfn'.includes(one.type) && !wanted.some(isSame(one)),
  );
  return {
    what: 'default rights set',
    statements: [...excess.map((one) => statement('REVOKE', one)), ...grouped(missing)],
  };
}

function text({ creator, schema, type, role, privilege }: DefaultRight): string {
  return [creator, schema, type, role, privilege].join('\n');
}

/** One statement for all privileges of a role on a type. */
function grouped(rights: DefaultRight[]): Sql[] {
  const groups = new Map<string, DefaultRight>();
  for (const right of rights) {
    const key = text({ ...right, privilege: '' });
    const privilege = [groups.get(key)?.privilege, right.privilege].filter(Boolean).join(', ');
    groups.set(key, { ...right, privilege });
  }
  return [...groups.values()].map((right) => statement('GRANT', right));
}

const OBJECTS: Record<string, Sql> = {
  r: sql`TABLES`,
  S: sql`SEQUENCES`,
  f: sql`ROUTINES`,
  n: sql`SCHEMAS`,
};

function statement(verb: 'GRANT' | 'REVOKE', { creator, schema, type, role, privilege }: DefaultRight): Sql {
  const where = schema ? sql` IN SCHEMA ${identifier(schema)}` : sql``;
  // A keyword of PostgreSQL's, from the lists above or from its catalog.
  const right = new Sql(privilege.replace('*', ''));
  const change =
    verb === 'GRANT'
      ? sql`GRANT ${right} ON ${OBJECTS[type]} TO ${grantee(role)}`
      : sql`REVOKE ${right} ON ${OBJECTS[type]} FROM ${grantee(role)}`;
  return sql`ALTER DEFAULT PRIVILEGES FOR ROLE ${identifier(creator)}${where} ${change}`;
}

/** With PostgreSQL's own default of functions where a role has none. */
async function readDefaultRights({ session, place, traits, loader }: DatabaseInside): Promise<DefaultRight[]> {
  return session.rows<DefaultRight>(
    `SELECT r.rolname::text AS creator, coalesce(n.nspname::text, '') AS schema, d.type, coalesce(g.rolname::text, 'PUBLIC') AS role,
            a.privilege_type || CASE WHEN a.is_grantable THEN '*' ELSE '' END AS privilege
       FROM pg_roles r
      CROSS JOIN LATERAL (
        SELECT defaclnamespace AS namespace, defaclobjtype::text AS type, defaclacl AS acl FROM pg_default_acl WHERE defaclrole = r.oid
         UNION ALL
        SELECT 0, 'f', acldefault('f', r.oid)
         WHERE NOT EXISTS (SELECT FROM pg_default_acl WHERE defaclrole = r.oid AND defaclnamespace = 0 AND defaclobjtype = 'f')
      ) d
      CROSS JOIN LATERAL aclexplode(d.acl) a
       LEFT JOIN pg_namespace n ON n.oid = d.namespace
       LEFT JOIN pg_roles g ON g.oid = a.grantee
      WHERE r.rolname IN ($1, $2, $3) AND a.grantee <> r.oid`,
    [traits.master, place.owner, loader ?? ''],
  );
}
