import { UNSAFE_EXTENSIONS } from '../../../unsafe-extensions';
import { Sql, identifier, list, sql } from '../../sql';
import { EXTENSIONS_SCHEMA } from '../place';
import { DatabaseInside, Mending, mendable } from './database-inside';

/** A function within reach of the tenant's logins that could do more than the login itself. */
interface OpenFunction {
  readonly schema: string;
  /** With its arguments, quoted by PostgreSQL. */
  readonly signature: string;
  readonly owner: string;
  readonly extension: string | null;
}

/** Those that were asked for, and the one that every database has. */
export function allowedExtensions(extensions: string[]): string[] {
  return [...extensions, 'plpgsql'];
}

/**
 * Takes the right to call from the tenant's logins on functions that run with somebody else's rights, as the parts of an
 * aggregate may; that are written in an untrusted language; or that belong to an extension that nobody asked for. One that the
 * master user cannot take, since a superuser owns it, closes the schema of the extensions instead. What is in pg_catalog
 * without an extension is the vendor's.
 */
export async function openFunctions(
  inside: DatabaseInside,
): Promise<Mending & { readonly unsafeSchemas: ReadonlySet<string> }> {
  const { place, loader } = inside;
  const statements: Sql[] = [];
  const refused: string[] = [];
  const unsafeSchemas = new Set<string>();
  const logins = list([sql`PUBLIC`, identifier(place.reader), ...(loader ? [identifier(loader)] : [])]);
  const stubborn = new Map<string, OpenFunction[]>();
  for (const open of await readOpenFunctions(inside)) {
    if (mendable(inside, open.owner)) {
      statements.push(sql`REVOKE EXECUTE ON ROUTINE ${new Sql(open.signature)} FROM ${logins} CASCADE`);
      if (open.owner === loader) {
        statements.push(sql`GRANT EXECUTE ON ROUTINE ${new Sql(open.signature)} TO ${identifier(loader)}`);
      }
    } else {
      unsafeSchemas.add(open.schema);
      const key = open.extension ?? open.signature;
      stubborn.set(key, [...(stubborn.get(key) ?? []), open]);
    }
  }
  for (const [name, functions] of stubborn) {
    const [{ extension, owner, signature }] = functions;
    refused.push(
      extension
        ? `extension ${name} has ${functions.length} function(s) that reach out of the database or that nobody asked for, ` +
            `such as ${signature}, and the tenant may call them: as its owner, run DROP EXTENSION ${identifier(name).text}`
        : `the tenant may call ${signature} with the rights of ${owner}: as that role, run REVOKE EXECUTE ON ROUTINE ` +
            `${signature} FROM PUBLIC`,
    );
  }
  return { what: 'right to call functions revoked', statements, refused, unsafeSchemas };
}

async function readOpenFunctions({ session, place, traits, loader }: DatabaseInside): Promise<OpenFunction[]> {
  return session.rows<OpenFunction>(
    `SELECT n.nspname::text AS schema, p.oid::regprocedure::text AS signature,
            pg_get_userbyid(p.proowner)::text AS owner, e.extname::text AS extension
       FROM pg_proc p
       JOIN pg_namespace n ON n.oid = p.pronamespace
       JOIN pg_language l ON l.oid = p.prolang
       LEFT JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
                            AND d.refclassid = 'pg_extension'::regclass
       LEFT JOIN pg_extension e ON e.oid = d.refobjid
      WHERE p.oid >= 16384 AND n.nspname IN ('pg_catalog', 'information_schema', $1, $2)
        AND EXISTS (SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a LEFT JOIN pg_roles g ON g.oid = a.grantee
                     WHERE a.grantee <> p.proowner AND (a.grantee = 0 OR g.rolname IN ($3, $4)))
        AND CASE WHEN e.oid IS NULL AND n.nspname IN ('pg_catalog', 'information_schema') THEN false
                 WHEN e.oid IS NULL THEN p.prosecdef OR p.prokind = 'a'
                                      OR NOT l.lanpltrusted AND l.lanname NOT IN ('sql', 'internal')
                 ELSE e.extname <> ALL ($5) OR e.extname::text ~ $6 OR EXISTS
                        (SELECT FROM pg_depend w WHERE w.refclassid = 'pg_extension'::regclass AND w.refobjid = e.oid
                            AND w.classid = 'pg_foreign_data_wrapper'::regclass) END`,
    [
      traits.schema,
      EXTENSIONS_SCHEMA,
      place.reader,
      loader ?? '',
      allowedExtensions(traits.extensions),
      UNSAFE_EXTENSIONS,
    ],
  );
}
