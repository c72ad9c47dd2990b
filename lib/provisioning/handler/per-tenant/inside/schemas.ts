import { Sql, identifier, sql } from '../../sql';
import { EXTENSIONS_SCHEMA, hasLoader } from '../place';
import { DatabaseInside, Mending, grantee, mendable } from './database-inside';

interface SchemaState {
  readonly name: string;
  readonly owner: string;
  /** `role=privilege` of the tenant's logins and PUBLIC. */
  readonly acl: string[];
}

/**
 * The schema of the tables and that of the extensions, and who enters: the tenant's logins these two only. What lies in
 * another schema, `public` too, is out of their reach, whatever is granted on it.
 */
export async function missingSchemas(inside: DatabaseInside, unsafe: ReadonlySet<string>): Promise<Mending> {
  const { place, tenant, traits } = inside;
  const owner = identifier(place.owner);
  const states = await readSchemas(inside);
  const wanted = new Map<string, string[]>([
    [traits.schema, [`${place.reader}=USAGE`]],
    [EXTENSIONS_SCHEMA, unsafe.has(EXTENSIONS_SCHEMA) ? [] : [`${place.reader}=USAGE`]],
  ]);
  if (hasLoader(tenant)) {
    wanted.get(traits.schema)?.push(`${place.loader}=USAGE`, `${place.loader}=CREATE`);
    wanted.get(EXTENSIONS_SCHEMA)?.push(...(unsafe.has(EXTENSIONS_SCHEMA) ? [] : [`${place.loader}=USAGE`]));
  }
  const statements: Sql[] = [];
  const refused: string[] = [];
  for (const name of wanted.keys()) {
    if (!states.some((state) => state.name === name)) {
      statements.push(sql`CREATE SCHEMA ${identifier(name)} AUTHORIZATION ${owner}`);
      states.push({ name, owner: place.owner, acl: [] });
    }
  }
  for (const state of states) {
    const expected = wanted.get(state.name) ?? [];
    const wrongOwner =
      [place.reader, place.loader].includes(state.owner) || (wanted.has(state.name) && state.owner !== place.owner);
    const change = [
      ...(wrongOwner ? [sql`ALTER SCHEMA ${identifier(state.name)} OWNER TO ${owner}`] : []),
      ...state.acl
        .filter((entry) => !expected.includes(entry))
        .map((entry) => schemaRight('REVOKE', state.name, entry)),
      ...expected.filter((entry) => !state.acl.includes(entry)).map((entry) => schemaRight('GRANT', state.name, entry)),
    ];
    if (change.length > 0 && !mendable(inside, state.owner)) {
      refused.push(
        `schema ${state.name} belongs to ${state.owner}: as that role, run ${change.map(({ text }) => text).join('; ')}`,
      );
    } else {
      statements.push(...change);
    }
  }
  return { what: 'schemas set', statements, refused };
}

function schemaRight(verb: 'GRANT' | 'REVOKE', schema: string, entry: string): Sql {
  const [role, right] = [entry.slice(0, entry.lastIndexOf('=')), entry.slice(entry.lastIndexOf('=') + 1)];
  const privilege = right.startsWith('USAGE') ? sql`USAGE` : sql`CREATE`;
  return verb === 'GRANT'
    ? sql`GRANT ${privilege} ON SCHEMA ${identifier(schema)} TO ${grantee(role)}`
    : sql`REVOKE ${privilege} ON SCHEMA ${identifier(schema)} FROM ${grantee(role)} CASCADE`;
}

async function readSchemas({ session, place }: DatabaseInside): Promise<SchemaState[]> {
  return session.rows<SchemaState>(
    `SELECT n.nspname::text AS name, pg_get_userbyid(n.nspowner)::text AS owner,
            ARRAY(SELECT coalesce(g.rolname, 'PUBLIC') || '=' || a.privilege_type || CASE WHEN a.is_grantable THEN '*' ELSE '' END
                    FROM aclexplode(n.nspacl) a LEFT JOIN pg_roles g ON g.oid = a.grantee
                   WHERE a.grantee <> n.nspowner AND (a.grantee = 0 OR g.rolname IN ($1, $2))) AS acl
       FROM pg_namespace n WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'`,
    [place.reader, place.loader],
  );
}
