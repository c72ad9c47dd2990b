import { ProvisioningError, asProvisioningError } from '../provisioning-error';
import { Change, Session } from '../session';
import { Sql, identifier, list, literal, sql } from '../sql';
import { DatabaseState, TenantState, readStates } from './catalog';
import { beginMembership, endMembership } from './membership';
import { OwnedDatabase, Place, placeOf } from './place';

const STEP = 'removal';

/** A tenant that goes, and what becomes of its database. */
export interface Leaving {
  readonly id: string;
  readonly policy: 'retain' | 'destroy';
}

/** Ends the logins of tenants; their databases stay, unless their policy was `destroy` when they were deployed last. */
export async function endTenants(
  master: Session,
  leaving: Leaving[],
): Promise<{ readonly changes: Change[]; readonly failures: ProvisioningError[] }> {
  const changes: Change[] = [];
  const failures: ProvisioningError[] = [];
  if (leaving.length === 0) {
    return { changes, failures };
  }
  const states = await readStates(
    master,
    leaving.map(({ id }) => placeOf(id)),
  );
  for (const { id, policy } of leaving) {
    try {
      const state = states.get(id) as TenantState;
      changes.push(...(await endLogins(master, placeOf(id), state)));
      const finish = policy === 'destroy' ? destroy : retain;
      changes.push(...(await finish(master, placeOf(id), state)));
    } catch (error) {
      failures.push(asProvisioningError(error, STEP, id));
    }
  }
  return { changes, failures };
}

/** Committed on its own and first: from here on nobody new gets in, whatever becomes of the rest. */
async function endLogins(
  master: Session,
  { id, reader, loader, metadata }: Place,
  state: TenantState,
): Promise<Change[]> {
  const statements = [state.reader, state.loader, state.metadataOwner]
    .filter((role) => role?.canLogin)
    .map((role) => sql`ALTER ROLE ${identifier(role?.name as string)} NOLOGIN PASSWORD NULL`);
  const changes = await master.apply({ step: STEP, what: 'logins ended', tenant: id, statements });
  await master.rows(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = ANY ($1)`, [
    [reader, loader, metadata.owner],
  ]);
  return changes;
}

async function retain(master: Session, { id }: Place): Promise<Change[]> {
  const statements = [
    sql`UPDATE tenancy.tenant_database SET active = false, proof = NULL, removal_policy = 'retain' WHERE id = ${literal(id)}`,
  ];
  return master.apply({ step: STEP, what: 'database kept', tenant: id, statements });
}

async function destroy(master: Session, place: Place, state: TenantState): Promise<Change[]> {
  const { id } = place;
  const withGrantOptions = (await master.majorVersion()) >= 16;
  const changes: Change[] = [];
  if (state.database) {
    changes.push(...(await drop(master, id, place, state.database, Boolean(state.owner), withGrantOptions)));
  }
  if (state.metadataDatabase) {
    const { metadataDatabase, metadataOwner } = state;
    changes.push(
      ...(await drop(master, id, place.metadata, metadataDatabase, Boolean(metadataOwner), withGrantOptions)),
    );
  }
  const roles = [state.reader, state.loader, state.owner, state.metadataOwner].flatMap((role) =>
    role ? [role.name] : [],
  );
  const names = list(roles.map((role) => identifier(role)));
  const dropRoles: Sql[] =
    roles.length === 0
      ? []
      : [
          // These memberships end with the roles.
          ...roles.map((role) => beginMembership(role, withGrantOptions)),
          sql`DROP OWNED BY ${names} CASCADE`,
          sql`DROP ROLE ${names}`,
        ];
  changes.push(
    ...(await master.apply({
      step: STEP,
      what: 'roles destroyed',
      tenant: id,
      statements: [...dropRoles, sql`DELETE FROM tenancy.tenant_database WHERE id = ${literal(id)}`],
    })),
  );
  return changes;
}

async function drop(
  master: Session,
  tenant: string,
  { database, owner }: OwnedDatabase,
  { template }: DatabaseState,
  hasOwner: boolean,
  withGrantOptions: boolean,
): Promise<Change[]> {
  const what = `database ${database} destroyed, as its removal policy says`;
  try {
    if (hasOwner) {
      await master.rows(beginMembership(owner, withGrantOptions).text);
    }
    return await master.concurrently({ step: STEP, what, tenant }, [
      // The owner of its metadata may have made it one.
      ...(template ? [sql`ALTER DATABASE ${identifier(database)} IS_TEMPLATE false`] : []),
      sql`DROP DATABASE ${identifier(database)} WITH (FORCE)`,
    ]);
  } catch (error) {
    await master.rows(endMembership(owner).text).catch(() => undefined);
    throw error;
  }
}
