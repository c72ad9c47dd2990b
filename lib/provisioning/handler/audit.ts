import { Change, Session } from './session';
import { Sql, identifier, sql } from './sql';

/** The extension that adds type and name of the object to the records of DDL, where its library is loaded (README of pgaudit). */
export const AUDIT = { extension: 'pgaudit' };

/** Where it is: no tenant may enter. */
const SCHEMA = 'tenancy_audit';

const STEP = 'audit';

/**
 * Makes the extension in the database of the session where the server has it and loads it. Records are written without it, too: that it
 * cannot be made is reported, and hinders nothing.
 */
export async function ensureAudit(
  session: Session,
  tenant?: string,
  acting: (statements: Sql[]) => Sql[] = (statements) => statements,
): Promise<Change[]> {
  const [{ missing }] = await session.rows<{ missing: boolean }>(
    `SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = $1 AND installed_version IS NULL)
        AND $1 = ANY (regexp_split_to_array(current_setting('shared_preload_libraries'), '\\s*,\\s*')) AS missing`,
    [AUDIT.extension],
  );
  if (!missing) return [];
  const statements = acting([
    sql`CREATE SCHEMA IF NOT EXISTS ${identifier(SCHEMA)}`,
    sql`CREATE EXTENSION ${identifier(AUDIT.extension)} SCHEMA ${identifier(SCHEMA)}`,
  ]);
  try {
    return await session.apply({ step: STEP, what: `extension ${AUDIT.extension} made`, tenant, statements });
  } catch (error) {
    const reason = (error as Error).message;
    console.log(JSON.stringify({ step: STEP, what: `extension ${AUDIT.extension} not made: ${reason}`, tenant }));
    return [];
  }
}
