import { Sql, identifier, list, sql } from '../../sql';
import { hasLoader } from '../place';
import { DatabaseInside, Mending, mendable } from './database-inside';

/** A relation in the schema of the tables whose rights are not as they should be. */
interface RelationState {
  readonly name: string;
  readonly kind: 'r' | 'p' | 'v' | 'm' | 'f' | 'S';
  readonly owner: string;
  /** The tenant, or PUBLIC, may do what it should not. */
  readonly tooOpen: boolean;
  readonly unreadable: boolean;
  readonly unwritable: boolean;
}

/**
 * The tenant's login reads each table and view in the schema; its ETL writes the tables, those too that somebody else made.
 * Neither gets at a foreign table, nor may it make a trigger on a table of another.
 */
export async function missingRelationRights(inside: DatabaseInside): Promise<Mending> {
  const { place, tenant, traits } = inside;
  const statements: Sql[] = [];
  const refused: string[] = [];
  for (const relation of await readRelations(inside)) {
    const name = identifier(traits.schema, relation.name);
    const object = relation.kind === 'S' ? sql`SEQUENCE ${name}` : sql`TABLE ${name}`;
    const change = [
      ...(relation.tooOpen ? [sql`REVOKE ALL ON ${object} FROM PUBLIC, ${identifier(place.reader)} CASCADE`] : []),
      ...(isReadable(relation) && (relation.tooOpen || relation.unreadable)
        ? [sql`GRANT SELECT ON ${object} TO ${identifier(place.reader)}`]
        : []),
      ...(hasLoader(tenant) && relation.unwritable
        ? [sql`GRANT ${loaderRights(relation)} ON ${object} TO ${identifier(place.loader)}`]
        : []),
    ];
    if (mendable(inside, relation.owner)) {
      statements.push(...change);
    } else {
      refused.push(
        `${traits.schema}.${relation.name} belongs to ${relation.owner}: as that role, run ` +
          change.map(({ text }) => text).join('; '),
      );
    }
  }
  return { what: 'rights on tables set', statements, refused };
}

function isReadable({ kind }: RelationState): boolean {
  return kind !== 'S' && kind !== 'f';
}

function loaderRights({ kind }: RelationState): Sql {
  switch (kind) {
    case 'r':
    case 'p':
      return list([sql`SELECT`, sql`INSERT`, sql`UPDATE`, sql`DELETE`, sql`TRUNCATE`]);
    case 'S':
      return list([sql`USAGE`, sql`SELECT`, sql`UPDATE`]);
    default:
      return sql`SELECT`;
  }
}

async function readRelations({ session, place, tenant, traits }: DatabaseInside): Promise<RelationState[]> {
  return session.rows<RelationState>(
    `SELECT * FROM (
       SELECT c.relname::text AS name, c.relkind::text AS kind, pg_get_userbyid(c.relowner)::text AS owner,
              EXISTS (SELECT FROM aclexplode(c.relacl) a
                       WHERE a.grantee <> c.relowner
                         AND (a.grantee = 0
                              OR a.grantee = $2::regrole
                                 AND (a.privilege_type <> 'SELECT' OR a.is_grantable OR c.relkind IN ('S', 'f'))))
                OR EXISTS (SELECT FROM pg_attribute t, aclexplode(t.attacl) a
                            WHERE t.attrelid = c.oid AND NOT t.attisdropped AND a.grantee IN (0, $2::regrole)) AS "tooOpen",
              -- What the tenant owns is taken from it, and the right with it.
              c.relkind NOT IN ('S', 'f')
                AND (c.relowner = $2::regrole OR NOT has_table_privilege($2::regrole, c.oid, 'SELECT')) AS unreadable,
              $3::text IS NOT NULL AND NOT CASE
                WHEN c.relkind = 'f' THEN true
                WHEN c.relkind = 'S' THEN has_sequence_privilege(l.oid, c.oid, 'USAGE')
                                      AND has_sequence_privilege(l.oid, c.oid, 'UPDATE')
                ELSE has_table_privilege(l.oid, c.oid, 'SELECT')
                 AND (c.relkind NOT IN ('r', 'p')
                      OR has_table_privilege(l.oid, c.oid, 'INSERT') AND has_table_privilege(l.oid, c.oid, 'UPDATE')
                     AND has_table_privilege(l.oid, c.oid, 'DELETE') AND has_table_privilege(l.oid, c.oid, 'TRUNCATE'))
              END AS unwritable
         FROM pg_class c LEFT JOIN pg_roles l ON l.rolname = $3
        WHERE c.relnamespace = to_regnamespace(quote_ident($1)) AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
     ) relation WHERE "tooOpen" OR unreadable OR unwritable`,
    [traits.schema, place.reader, hasLoader(tenant) ? place.loader : null],
  );
}
