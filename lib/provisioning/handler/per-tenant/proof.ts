import { createHash } from 'node:crypto';
import { DesiredDatabase } from '../../desired-databases';
import { Session } from '../session';
import { TenantState } from './catalog';
import { TenantLogins } from './logins';
import { ServerTraits } from './server-traits';

/**
 * What a proof holds for: the roles, their limits and memberships, the database and who enters it, all as PostgreSQL's shared
 * catalogs say; what was asked for; and the versions of the secrets. What happens inside of the database is not in it: the
 * schedule goes there every time.
 */
export function proofOf(
  { owner, reader, loader, database, metadataOwner, metadataDatabase }: TenantState,
  tenant: DesiredDatabase,
  logins: TenantLogins,
  { schema, extensions, limitsTempFiles, openAwsDatabases }: ServerTraits,
): string {
  const versions = [logins.reader, logins.loader, logins.metadata].map((login) => login?.version);
  // The stored state has its keys in another order than the template.
  const wanted = Object.entries(tenant).sort(([one], [other]) => (one < other ? -1 : 1));
  const metadata = [metadataOwner, metadataDatabase];
  const server = [schema, extensions, limitsTempFiles, openAwsDatabases];
  const facts = [owner, reader, loader, database, metadata, wanted, server, versions];
  return createHash('sha256').update(JSON.stringify(facts)).digest('base64');
}

/** Notes who was proved. */
export async function rememberProofs(
  master: Session,
  proved: { readonly id: string; readonly proof: string }[],
): Promise<void> {
  await master.rows(
    `UPDATE tenancy.tenant_database t SET proof = p.proof, proved_at = now()
       FROM unnest($1::text[], $2::text[]) AS p (id, proof) WHERE t.id = p.id`,
    [proved.map(({ id }) => id), proved.map(({ proof }) => proof)],
  );
}

/** Who failed is proved again, whatever held before. */
export async function forgetProofs(master: Session, ids: string[]): Promise<void> {
  if (ids.length > 0) {
    await master.rows(`UPDATE tenancy.tenant_database SET proof = NULL WHERE id = ANY ($1)`, [ids]);
  }
}
