import { DesiredDatabase } from '../../desired-databases';
import { ProvisioningError } from '../provisioning-error';
import { Change, Session } from '../session';
import { Sql, identifier, literal, sql } from '../sql';
import { DatabaseState, TenantState } from './catalog';
import { actingFor, beginMembership, endMembership } from './membership';
import { OwnedDatabase, Place, hasLoader } from './place';
import { ServerTraits } from './server-traits';

const STEP = 'database';

/** The tenant's database, which its reader, its loader and the master user enter. */
export async function ensureTenantDatabase(
  session: Session,
  tenant: DesiredDatabase,
  place: Place,
  { database, registered }: TenantState,
  traits: ServerTraits,
): Promise<Change[]> {
  const entering = [traits.master, place.reader, ...(hasLoader(tenant) ? [place.loader] : [])];
  const noted = registered?.made
    ? []
    : [sql`UPDATE tenancy.tenant_database SET made = true WHERE id = ${literal(tenant.id)}`];
  return ensureOwnedDatabase(session, tenant.id, place, { database, entering, noted }, traits);
}

/** A database as it is, and as it is to be. */
export interface OwnedDatabaseState {
  readonly database?: DatabaseState;
  /** Who enters it, beside its owner. */
  readonly entering: string[];
  /** Statements that note that it was made, in one transaction with the last change. */
  readonly noted: Sql[];
}

/** A database of a tenant: nobody enters before it is closed to PUBLIC. */
export async function ensureOwnedDatabase(
  session: Session,
  tenant: string,
  owned: OwnedDatabase,
  { database: known, entering, noted }: OwnedDatabaseState,
  traits: ServerTraits,
): Promise<Change[]> {
  const changes = known ? [] : await create(session, tenant, owned, traits);
  const database = known ?? newDatabase(owned);
  const name = identifier(owned.database);
  const isOwner = database.owner === owned.owner;
  if (!isOwner && !database.mine) {
    throw new ProvisioningError(
      STEP,
      `database ${owned.database} belongs to ${database.owner}: as its owner, run ` +
        `ALTER DATABASE ${name.text} OWNER TO ${identifier(owned.owner).text}`,
      tenant,
    );
  }
  const statements: Sql[] = [
    ...(isOwner ? [] : [sql`ALTER DATABASE ${name} OWNER TO ${identifier(owned.owner)}`]),
    ...(database.acl.some((entry) => entry.startsWith('PUBLIC='))
      ? [sql`REVOKE ALL ON DATABASE ${name} FROM PUBLIC`]
      : []),
    ...(database.ownerHasAll ? [] : [sql`GRANT ALL ON DATABASE ${name} TO ${identifier(owned.owner)}`]),
    ...entering
      .filter((role) => !database.acl.includes(`${role}=CONNECT`))
      .map((role) => sql`GRANT CONNECT ON DATABASE ${name} TO ${identifier(role)}`),
    ...(database.connections === -1 ? [] : [sql`ALTER DATABASE ${name} CONNECTION LIMIT -1`]),
    ...(database.template ? [sql`ALTER DATABASE ${name} IS_TEMPLATE false`] : []),
    ...(database.open ? [] : [sql`ALTER DATABASE ${name} ALLOW_CONNECTIONS true`]),
  ];
  changes.push(
    ...(await session.apply({
      step: STEP,
      what: `database ${owned.database} opened to its logins`,
      tenant,
      statements: [...actingFor([owned.owner], traits.withGrantOptions, statements), ...noted],
    })),
  );
  return changes;
}

async function create(
  session: Session,
  tenant: string,
  { database, owner }: OwnedDatabase,
  traits: ServerTraits,
): Promise<Change[]> {
  await session.rows(beginMembership(owner, traits.withGrantOptions).text);
  try {
    return await session.concurrently({ step: STEP, what: `database ${database} created`, tenant }, [
      sql`CREATE DATABASE ${identifier(database)} OWNER ${identifier(owner)} TEMPLATE template0 ALLOW_CONNECTIONS false`,
    ]);
  } finally {
    await session.rows(endMembership(owner).text).catch(() => undefined); // the next run ends it
  }
}

/** What `CREATE DATABASE` makes. */
function newDatabase({ database, owner }: OwnedDatabase): DatabaseState {
  const acl = ['PUBLIC=CONNECT', 'PUBLIC=TEMPORARY'];
  return {
    name: database,
    oid: '',
    owner,
    mine: false,
    open: false,
    connections: -1,
    template: false,
    ownerHasAll: true,
    settings: [],
    acl,
  };
}
