import { ProvisioningError, asProvisioningError } from './provisioning-error';
import { Login } from './secrets';
import { Change, Session } from './session';
import { identifier, sql } from './sql';

/**
 * The accounts that RDS for PostgreSQL uses itself, and no others whose names begin as theirs do: a customer may have a role
 * `rdsreporting`. What they own, hold and run is left as it is found.
 *
 * Its groups, such as `rds_superuser` and `rds_iam`, are for customers to put logins into: a tenant's membership in one, or a right of
 * one on a tenant's database, is the doing of a customer, and ends like any other.
 */
export const AWS_ACCOUNT = '^rds(admin|proxyadmin|repladmin|topmgr)$';

/** As whom RDS Proxy checks its target, and in which database (RDS User Guide, "Managing an RDS Proxy"). */
const PROXY_ACCOUNT = 'rdsproxyadmin';
const PROXY_DATABASE = 'postgres';

const STEP = 'databases';

/** Gives RDS Proxy's account CONNECT on the database that it checks: without it, a target never becomes available. */
export async function admitProxy(master: Session): Promise<Change[]> {
  const [{ missing }] = await master.rows<{ missing: boolean }>(
    `SELECT EXISTS (SELECT FROM pg_database d JOIN pg_roles r ON r.rolname = $1
                     WHERE d.datname = $2 AND pg_has_role(d.datdba, 'USAGE')
                       AND NOT EXISTS (SELECT FROM aclexplode(d.datacl) a
                                        WHERE a.grantee = r.oid AND a.privilege_type = 'CONNECT')) AS missing`,
    [PROXY_ACCOUNT, PROXY_DATABASE],
  );
  const statements = missing
    ? [sql`GRANT CONNECT ON DATABASE ${identifier(PROXY_DATABASE)} TO ${identifier(PROXY_ACCOUNT)}`]
    : [];
  return master.apply({ step: STEP, what: `database ${PROXY_DATABASE} opened to ${PROXY_ACCOUNT}`, statements });
}

/** Whether RDS has made the account, which it does when a target of a proxy is registered. */
export async function hasProxyAccount(master: Session): Promise<boolean> {
  const [{ known }] = await master.rows<{ known: boolean }>(`SELECT to_regrole($1) IS NOT NULL AS known`, [
    PROXY_ACCOUNT,
  ]);
  return known;
}

/** A database of AWS's that roles may enter, as far as its rights say. */
export interface OpenAwsDatabase {
  readonly name: string;
  readonly owner: string;
}

/**
 * AWS's databases whose rights let one of the roles, or without any `PUBLIC`, connect. The master user cannot close them, and RDS may
 * keep everybody out by other means (pg_hba.conf): a login tells.
 */
export async function readOpenAwsDatabases(master: Session, roles?: string[]): Promise<OpenAwsDatabase[]> {
  return master.rows<OpenAwsDatabase>(
    `SELECT d.datname::text AS name, o.rolname::text AS owner
       FROM pg_database d JOIN pg_roles o ON o.oid = d.datdba
      WHERE d.datallowconn AND o.rolname ~ $1
        AND CASE WHEN $2::text[] IS NULL
                 THEN EXISTS (SELECT FROM aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a
                               WHERE a.grantee = 0 AND a.privilege_type = 'CONNECT')
                 ELSE EXISTS (SELECT FROM pg_roles r WHERE r.rolname = ANY ($2)
                                                       AND has_database_privilege(r.oid, d.oid, 'CONNECT')) END
      ORDER BY 1`,
    [AWS_ACCOUNT, roles ?? null],
  );
}

/** Tries to enter AWS's databases with a tenant's login, and refuses the tenant where it gets in. */
export async function refuseEntry(databases: OpenAwsDatabase[], login: Login, tenant: string): Promise<void> {
  for (const { name, owner } of databases) {
    if (await enters({ ...login, database: name })) {
      const statement = sql`REVOKE CONNECT, TEMPORARY ON DATABASE ${identifier(name)} FROM PUBLIC, ${identifier(login.username)}`;
      throw new ProvisioningError(
        'verification',
        `it may connect to database ${name}, which ${owner} owns: as its owner, run ${statement.text}`,
        tenant,
      );
    }
  }
}

/** SQLSTATE of a connection that the rights on a database, or pg_hba.conf, refuse. */
const REFUSALS = ['42501', '28000'];

async function enters(login: Login): Promise<boolean> {
  try {
    await (await Session.open(login)).close();
    return true;
  } catch (error) {
    if (REFUSALS.includes((error as { code?: string }).code ?? '')) {
      return false;
    }
    throw asProvisioningError(error, 'verification');
  }
}
