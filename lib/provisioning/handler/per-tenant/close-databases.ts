import { AWS_ACCOUNT } from '../aws-own';
import { closeToPublic } from '../databases';
import { ProvisioningError, asProvisioningError } from '../provisioning-error';
import { Change, Session } from '../session';
import { identifier, sql } from '../sql';
import { actingFor } from './membership';

const STEP = 'databases';

/** A right on a database that nobody should have. */
interface Intrusion {
  readonly database: string;
  readonly owner: string;
  readonly ownedByTenant: boolean;
  readonly mine: boolean;
  readonly grantee: string | null;
  readonly privilege: string;
}

/**
 * Closes every database of the server: a tenant's to all but its own logins and the master user, that of its Superset's metadata to
 * all but its owner, the others to tenants and to PUBLIC. Sessions that got in while one was open are ended.
 */
export async function closeDatabases(
  master: Session,
  withGrantOptions: boolean,
): Promise<{ readonly changes: Change[]; readonly failures: ProvisioningError[] }> {
  const changes: Change[] = [];
  const failures: ProvisioningError[] = [];
  const attempt = async (work: () => Promise<Change[]>) => {
    try {
      changes.push(...(await work()));
    } catch (error) {
      failures.push(asProvisioningError(error, STEP));
    }
  };
  for (const intrusion of await readIntrusions(master)) {
    await attempt(() => end(master, intrusion, withGrantOptions));
  }
  await attempt(() => closeToPublic(master));
  await attempt(() => endStrangers(master));
  return { changes, failures };
}

async function readIntrusions(master: Session): Promise<Intrusion[]> {
  return master.rows<Intrusion>(
    `WITH tenant AS (SELECT 'tenant_' || id AS reader, 'tenancy_loader_' || id AS loader, 'tenancy_owner_' || id AS owner,
                            'superset_' || id AS metadata
                       FROM tenancy.tenant_database)
     SELECT d.datname::text AS database, pg_get_userbyid(d.datdba)::text AS owner, pg_has_role(d.datdba, 'USAGE') AS mine,
            pg_get_userbyid(d.datdba) IN (t.owner, m.metadata) IS TRUE AS "ownedByTenant",
            g.rolname::text AS grantee, a.privilege_type AS privilege
       FROM pg_database d
      CROSS JOIN LATERAL aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a
       LEFT JOIN pg_roles g ON g.oid = a.grantee
       LEFT JOIN tenant t ON t.reader = d.datname
       LEFT JOIN tenant m ON m.metadata = d.datname
      WHERE d.datallowconn AND a.grantee <> d.datdba AND (g.rolname ~ $1) IS NOT TRUE
        AND CASE
              WHEN m.metadata IS NOT NULL THEN true
              WHEN t.reader IS NULL THEN g.rolname IN (SELECT unnest(ARRAY[reader, loader, owner, metadata]) FROM tenant)
              ELSE (g.rolname IN (t.reader, t.loader, current_user) AND a.privilege_type = 'CONNECT' AND NOT a.is_grantable)
                   IS NOT TRUE
            END`,
    [AWS_ACCOUNT],
  );
}

async function end(master: Session, intrusion: Intrusion, withGrantOptions: boolean): Promise<Change[]> {
  const { database, owner, grantee, privilege } = intrusion;
  const who = grantee === null ? sql`PUBLIC` : identifier(grantee);
  const revoke = sql`REVOKE ${privilegeOf(privilege)} ON DATABASE ${identifier(database)} FROM ${who} CASCADE`;
  if (!intrusion.mine && !intrusion.ownedByTenant) {
    throw new ProvisioningError(
      STEP,
      `${grantee ?? 'every role'} has ${privilege} on database ${database}, which ${owner} owns: as its owner, run ${revoke.text}`,
    );
  }
  const statements = intrusion.mine ? [revoke] : actingFor([owner], withGrantOptions, [revoke]);
  return master.apply({
    step: STEP,
    what: `${privilege} on database ${database} taken from ${grantee ?? 'PUBLIC'}`,
    statements,
  });
}

function privilegeOf(privilege: string) {
  switch (privilege) {
    case 'CONNECT':
      return sql`CONNECT`;
    case 'TEMPORARY':
      return sql`TEMPORARY`;
    default:
      return sql`CREATE`;
  }
}

async function endStrangers(master: Session): Promise<Change[]> {
  const ended = await master.rows<{ database: string; role: string }>(
    `SELECT a.datname::text AS database, a.usename::text AS role, pg_terminate_backend(a.pid)
       FROM pg_stat_activity a
       JOIN tenancy.tenant_database t ON a.datname IN ('tenant_' || t.id, 'superset_' || t.id)
       JOIN pg_roles r ON r.oid = a.usesysid
      WHERE NOT r.rolsuper AND r.rolname !~ $1 AND NOT has_database_privilege(a.usesysid, a.datid, 'CONNECT')`,
    [AWS_ACCOUNT],
  );
  return ended.map(({ database, role }) => {
    const change = { step: STEP, what: `a session of ${role} in database ${database} ended` };
    console.log(JSON.stringify(change));
    return change;
  });
}
