import { DesiredDatabase } from '../../../desired-databases';
import { ensureAudit } from '../../audit';
import { withSession } from '../../master';
import { ProvisioningError } from '../../provisioning-error';
import { Login } from '../../secrets';
import { Change, StatementListener } from '../../session';
import { actingFor } from '../membership';
import { TenantState } from '../catalog';
import { Place, hasLoader } from '../place';
import { ServerTraits } from '../server-traits';
import { DatabaseInside, actedFor } from './database-inside';
import { missingDefaultPrivileges } from './default-privileges';
import { missingExtensions } from './extensions';
import { openForeignData } from './foreign-data';
import { openFunctions } from './functions';
import { ownedByReader } from './ownership';
import { missingRelationRights } from './relations';
import { missingSchemas } from './schemas';

const STEP = 'inside the database';

/** Schemas, rights and extensions in a tenant's database, in one transaction. */
export async function ensureInside(
  master: Login,
  tenant: DesiredDatabase,
  place: Place,
  state: TenantState,
  traits: ServerTraits,
  onStatement?: StatementListener,
): Promise<Change[]> {
  return withSession(
    { ...master, database: place.database },
    async (session) => {
      const loader = hasLoader(tenant) || state.loader ? place.loader : undefined;
      const inside: DatabaseInside = { session, tenant, place, traits, loader };
      const owned = await ownedByReader(inside);
      const functions = await openFunctions(inside);
      const pieces = [
        owned,
        await missingSchemas(inside, functions.unsafeSchemas),
        await missingExtensions(inside),
        await missingDefaultPrivileges(inside),
        await missingRelationRights(inside),
        functions,
        await openForeignData(inside),
      ];
      const mending = pieces.filter(({ statements }) => statements.length > 0);
      const changes = await session.apply({
        tenant: tenant.id,
        step: STEP,
        what: mending.map(({ what }) => what).join(', '),
        statements: actingFor(
          actedFor(inside, owned.statements.length > 0),
          traits.withGrantOptions,
          mending.flatMap(({ statements }) => statements),
        ),
      });
      const refused = pieces.flatMap((piece) => piece.refused ?? []);
      if (refused.length > 0) {
        throw new ProvisioningError(STEP, refused.join('; '), tenant.id);
      }
      const audit = await ensureAudit(session, tenant.id, (statements) =>
        actingFor([place.owner], traits.withGrantOptions, statements),
      );
      return [...changes, ...audit];
    },
    onStatement,
  );
}
