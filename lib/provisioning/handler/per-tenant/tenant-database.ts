import { DesiredDatabase } from '../../desired-databases';
import { ProvisioningError } from '../provisioning-error';
import { Change, Session } from '../session';
import { Sql, identifier, literal, sql } from '../sql';
import { DatabaseState, TenantState } from './catalog';
import { actingFor, beginMembership, endMembership } from './membership';
import { Place, hasLoader } from './place';
import { ServerTraits } from './server-traits';

const STEP = 'database';

/** The tenant's database: nobody enters before it is closed to PUBLIC. */
export async function ensureTenantDatabase(
  session: Session,
  tenant: DesiredDatabase,
  place: Place,
  state: TenantState,
  traits: ServerTraits,
): Promise<Change[]> {
  const changes = state.database ? [] : await create(session, place, traits);
  const database = state.database ?? newDatabase(place);
  const name = identifier(place.database);
  const owned = database.owner === place.owner;
  if (!owned && !database.mine) {
    throw new ProvisioningError(
      STEP,
      `database ${place.database} belongs to ${database.owner}: as its owner, run ` +
        `ALTER DATABASE ${name.text} OWNER TO ${identifier(place.owner).text}`,
      tenant.id,
    );
  }
  const entering = [traits.master, place.reader, ...(hasLoader(tenant) ? [place.loader] : [])];
  const statements: Sql[] = [
    ...(owned ? [] : [sql`ALTER DATABASE ${name} OWNER TO ${identifier(place.owner)}`]),
    ...(database.acl.some((entry) => entry.startsWith('PUBLIC='))
      ? [sql`REVOKE ALL ON DATABASE ${name} FROM PUBLIC`]
      : []),
    ...entering
      .filter((role) => !database.acl.includes(`${role}=CONNECT`))
      .map((role) => sql`GRANT CONNECT ON DATABASE ${name} TO ${identifier(role)}`),
    ...(database.connections === -1 ? [] : [sql`ALTER DATABASE ${name} CONNECTION LIMIT -1`]),
    ...(database.open ? [] : [sql`ALTER DATABASE ${name} ALLOW_CONNECTIONS true`]),
  ];
  const made = state.registered?.made
    ? []
    : [sql`UPDATE tenancy.tenant_database SET made = true WHERE id = ${literal(tenant.id)}`];
  changes.push(
    ...(await session.apply({
      step: STEP,
      what: `database ${place.database} opened to its logins`,
      tenant: tenant.id,
      statements: [...actingFor([place.owner], traits.withGrantOptions, statements), ...made],
    })),
  );
  return changes;
}

async function create(session: Session, { id, database, owner }: Place, traits: ServerTraits): Promise<Change[]> {
  await session.rows(beginMembership(owner, traits.withGrantOptions).text);
  try {
    return await session.concurrently({ step: STEP, what: `database ${database} created`, tenant: id }, [
      sql`CREATE DATABASE ${identifier(database)} OWNER ${identifier(owner)} TEMPLATE template0 ALLOW_CONNECTIONS false`,
    ]);
  } finally {
    await session.rows(endMembership(owner).text).catch(() => undefined); // the next run ends it
  }
}

/** What `CREATE DATABASE` makes. */
function newDatabase({ database, owner }: Place): DatabaseState {
  const acl = ['PUBLIC=CONNECT', 'PUBLIC=TEMPORARY'];
  return { name: database, oid: '', owner, mine: false, open: false, connections: -1, acl };
}
