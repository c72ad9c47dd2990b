import { identifier, sql } from '../../sql';
import { DatabaseInside, Mending } from './database-inside';

/** What the tenant's login owns, it could write: it goes to the owner of the database. */
export async function ownedByReader({ session, place }: DatabaseInside): Promise<Mending> {
  const [{ owns }] = await session.rows<{ owns: boolean }>(
    `SELECT EXISTS (SELECT FROM pg_shdepend d
                     WHERE d.refclassid = 'pg_authid'::regclass AND d.refobjid = $1::regrole AND d.deptype = 'o'
                       AND d.dbid IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))) AS owns`,
    [place.reader],
  );
  const statements = owns ? [sql`REASSIGN OWNED BY ${identifier(place.reader)} TO ${identifier(place.owner)}`] : [];
  return { what: 'what the login owned taken from it', statements };
}
