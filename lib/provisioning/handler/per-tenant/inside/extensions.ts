import { isUnsafeExtension } from '../../../unsafe-extensions';
import { identifier, sql } from '../../sql';
import { EXTENSIONS_SCHEMA } from '../place';
import { DatabaseInside, Mending } from './database-inside';

/** The extensions that every tenant's database has, in a schema of their own. */
export async function missingExtensions({ session, traits }: DatabaseInside): Promise<Mending> {
  const installed = await session.rows<{ name: string; schema: string }>(
    `SELECT e.extname::text AS name, n.nspname::text AS schema FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace`,
  );
  const reaching = traits.extensions.filter((name) => isUnsafeExtension(name));
  const elsewhere = installed.filter(
    ({ name, schema }) => traits.extensions.includes(name) && schema !== EXTENSIONS_SCHEMA && schema !== 'pg_catalog',
  );
  const schema = identifier(EXTENSIONS_SCHEMA);
  return {
    what: 'extensions made',
    statements: traits.extensions
      .filter((name) => !reaching.includes(name) && !installed.some((extension) => extension.name === name))
      .map((name) => sql`CREATE EXTENSION IF NOT EXISTS ${identifier(name)} SCHEMA ${schema}`),
    refused: [
      ...reaching.map(
        (name) =>
          `extension ${name} leads out of the database, or runs in the server what a tenant likes: leave it out of the extensions`,
      ),
      ...elsewhere.map(
        (extension) =>
          `extension ${extension.name} is in schema ${extension.schema}, where the tenant does not enter: as its owner, run ` +
          `ALTER EXTENSION ${identifier(extension.name).text} SET SCHEMA ${schema.text}`,
      ),
    ],
  };
}
