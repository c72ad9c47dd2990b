import { Sql, identifier, sql } from '../../sql';
import { DatabaseInside, Mending, grantee, mendable } from './database-inside';

/** A right to use a way out of the database. */
interface WayOut {
  readonly kind: 'wrapper' | 'server' | 'mapping';
  readonly name: string;
  readonly owner: string;
  readonly role: string;
}

/** Foreign-data wrappers, foreign servers and user mappings are nobody's but their owner's. */
export async function openForeignData(inside: DatabaseInside): Promise<Mending> {
  const statements: Sql[] = [];
  const refused: string[] = [];
  for (const way of await readWaysOut(inside)) {
    const closing = close(way);
    if (mendable(inside, way.owner)) {
      statements.push(closing);
    } else {
      refused.push(`${way.role} may use foreign ${way.kind} ${way.name}: as ${way.owner}, run ${closing.text}`);
    }
  }
  return { what: 'ways out of the database closed', statements, refused };
}

function close({ kind, name, role }: WayOut): Sql {
  switch (kind) {
    case 'wrapper':
      return sql`REVOKE ALL ON FOREIGN DATA WRAPPER ${identifier(name)} FROM ${grantee(role)} CASCADE`;
    case 'server':
      return sql`REVOKE ALL ON FOREIGN SERVER ${identifier(name)} FROM ${grantee(role)} CASCADE`;
    case 'mapping':
      return sql`DROP USER MAPPING FOR ${grantee(role)} SERVER ${identifier(name)}`;
  }
}

async function readWaysOut({ session, place }: DatabaseInside): Promise<WayOut[]> {
  return session.rows<WayOut>(
    `SELECT DISTINCT kind, name::text, pg_get_userbyid(owner)::text AS owner, coalesce(g.rolname::text, 'PUBLIC') AS role
       FROM (SELECT 'wrapper' AS kind, fdwname AS name, fdwowner AS owner, a.grantee
               FROM pg_foreign_data_wrapper, aclexplode(fdwacl) a WHERE a.grantee <> fdwowner
              UNION ALL
             SELECT 'server', srvname, srvowner, a.grantee
               FROM pg_foreign_server, aclexplode(srvacl) a WHERE a.grantee <> srvowner
              UNION ALL
             SELECT 'mapping', s.srvname, s.srvowner, m.umuser
               FROM pg_user_mappings m JOIN pg_foreign_server s ON s.oid = m.srvid) way
       LEFT JOIN pg_roles g ON g.oid = way.grantee
      WHERE way.grantee = 0 OR g.rolname IN ($1, $2)`,
    [place.reader, place.loader],
  );
}
