import { DesiredDatabase } from '../../desired-databases';
import { ProvisioningError } from '../provisioning-error';
import { Change, Session } from '../session';
import { identifier, literal, sql } from '../sql';
import { DatabaseState, TenantState } from './catalog';
import { TenantLogins } from './logins';
import { actingFor } from './membership';
import { OwnedDatabase, Place, hasMetadata } from './place';
import { ServerTraits } from './server-traits';
import { ensureOwnedDatabase } from './tenant-database';
import {
  endedLogin,
  missingMemberships,
  missingRole,
  missingSettings,
  refuseForeignMemberships,
  refusePower,
} from './tenant-roles';

const STEP = 'metadata';

/**
 * The metadata of the tenant's own Superset: a database, and the login that owns it and enters nothing else. Where they are no longer
 * asked for, the login ends and the database stays.
 */
export async function ensureMetadataDatabase(
  session: Session,
  tenant: DesiredDatabase,
  { metadata }: Place,
  { metadataOwner: role, metadataDatabase: database, registered }: TenantState,
  logins: TenantLogins,
  traits: ServerTraits,
): Promise<Change[]> {
  const wanted = hasMetadata(tenant);
  refusePower(role, tenant.id);
  if (wanted && !database && registered?.metadataMade) refuseLostMetadata(tenant, metadata.database);
  const pieces = [
    ...(wanted
      ? [
          await missingRole(metadata.owner, role, {
            connections: Number(tenant.metadataConnections),
            // Before PostgreSQL 16, an owner that does not inherit has no rights on the schema public of its database.
            inherits: true,
            login: logins.metadata,
          }),
          missingSettings(metadata.owner, role, [], traits),
        ]
      : [endedLogin(metadata.owner, role)]),
    missingMemberships([role]),
  ].filter(({ statements }) => statements.length > 0);
  const changes = await session.apply({
    tenant: tenant.id,
    step: STEP,
    what: pieces.map(({ what }) => what).join(', '),
    statements: pieces.flatMap(({ statements }) => statements),
  });
  refuseForeignMemberships([role], tenant.id);
  if (!wanted) {
    if (role) await session.rows(END_SESSIONS, [metadata.owner]);
    return changes;
  }
  const noted = registered?.metadataMade
    ? []
    : [sql`UPDATE tenancy.tenant_database SET metadata_made = true WHERE id = ${literal(tenant.id)}`];
  const made = await ensureOwnedDatabase(session, tenant.id, metadata, { database, entering: [], noted }, traits);
  return [...changes, ...made, ...(await resetSettings(session, tenant.id, metadata, database, traits))];
}

/** The login owns the database, and may give it settings that outlast a new password. */
async function resetSettings(
  session: Session,
  tenant: string,
  { database, owner }: OwnedDatabase,
  known: DatabaseState | undefined,
  traits: ServerTraits,
): Promise<Change[]> {
  const reset = known?.settings.length ? [sql`ALTER DATABASE ${identifier(database)} RESET ALL`] : [];
  const statements = actingFor([owner], traits.withGrantOptions, reset);
  return session.apply({ step: STEP, what: `settings of database ${database} reset`, tenant, statements });
}

const END_SESSIONS = 'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1';

/** An empty database would make an empty Superset, as if nobody had ever drawn a chart. */
function refuseLostMetadata({ id, server }: DesiredDatabase, database: string): never {
  throw new ProvisioningError(
    STEP,
    `its Superset's metadata, database ${database}, are gone from server ${server}. Restore them; or, for a new and empty Superset, run ` +
      `UPDATE tenancy.tenant_database SET metadata_made = false WHERE id = '${id}' in database tenancy of that server. Then deploy again`,
    id,
  );
}
