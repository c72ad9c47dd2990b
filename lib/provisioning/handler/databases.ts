import { LOADER_ROLE, TENANTS_ROLE } from '../desired-state';
import { AWS_ACCOUNT, admitProxy } from './aws-own';
import { ProvisioningError } from './provisioning-error';
import { Change, Session } from './session';
import { Sql, identifier, sql } from './sql';

const STEP = 'databases';

/**
 * Closes every database of the server to PUBLIC, and gives CONNECT on this one to tenants and loader. CREATE on the schema
 * `public` goes, too.
 */
export async function revokePublic(master: Session): Promise<Change[]> {
  return [...(await closeToPublic(master)), ...(await grantConnect(master)), ...(await closePublicSchema(master))];
}

/**
 * Takes CONNECT and TEMPORARY from PUBLIC on every database of the server, which PostgreSQL grants by default; RDS Proxy's account keeps
 * what it needs.
 *
 * What the master user cannot close is reported. It is refused where a tenant can connect: at once if it is no database of AWS's, and
 * otherwise when the tenants are verified.
 */
export async function closeToPublic(master: Session): Promise<Change[]> {
  const changes = await admitProxy(master);
  const open = await master.rows<{ name: string; owner: string; mine: boolean; enterable: boolean }>(
    `SELECT d.datname AS name, pg_get_userbyid(d.datdba) AS owner, pg_has_role(d.datdba, 'USAGE') AS mine,
            pg_get_userbyid(d.datdba) !~ $1
              AND EXISTS (SELECT FROM aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a
                           WHERE a.grantee = 0 AND a.privilege_type = 'CONNECT') AS enterable
       FROM pg_database d
      WHERE d.datallowconn
        AND EXISTS (SELECT FROM aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a
                     WHERE a.grantee = 0 AND a.privilege_type IN ('CONNECT', 'TEMPORARY'))`,
    [AWS_ACCOUNT],
  );
  open
    .filter(({ mine, enterable }) => !mine && !enterable)
    .forEach(({ name, owner }) =>
      console.log(JSON.stringify({ step: STEP, what: `database ${name} has rights for PUBLIC, and ${owner} owns it` })),
    );
  const foreign = open.filter(({ mine, enterable }) => !mine && enterable);
  if (foreign.length > 0) {
    throw new ProvisioningError(
      STEP,
      foreign
        .map(({ name, owner }) => `every role may connect to database ${name}, which ${owner} owns: as its owner, run `)
        .map(
          (text, i) =>
            text + sql`REVOKE CONNECT, TEMPORARY ON DATABASE ${identifier(foreign[i].name)} FROM PUBLIC`.text,
        )
        .join('; '),
    );
  }
  for (const { name } of open.filter(({ mine }) => mine)) {
    const statements = [sql`REVOKE CONNECT, TEMPORARY ON DATABASE ${identifier(name)} FROM PUBLIC`];
    changes.push(...(await master.apply({ step: STEP, what: `database ${name} closed to PUBLIC`, statements })));
  }
  return changes;
}

async function grantConnect(master: Session): Promise<Change[]> {
  const missing = await master.rows<{ role: string; database: string }>(
    `SELECT role, current_database() AS database FROM unnest($1::text[]) AS role
      WHERE NOT EXISTS (SELECT FROM pg_database d, aclexplode(d.datacl) a
                         WHERE d.datname = current_database() AND a.grantee = role::regrole
                           AND a.privilege_type = 'CONNECT')`,
    [[TENANTS_ROLE, LOADER_ROLE]],
  );
  const statements: Sql[] = missing.map(
    ({ role, database }) => sql`GRANT CONNECT ON DATABASE ${identifier(database)} TO ${identifier(role)}`,
  );
  return master.apply({ step: STEP, what: 'CONNECT granted to tenants and loader', statements });
}

async function closePublicSchema(master: Session): Promise<Change[]> {
  const [{ open }] = await master.rows<{ open: boolean }>(
    `SELECT EXISTS (SELECT FROM pg_namespace n, aclexplode(n.nspacl) a
                     WHERE n.nspname = 'public' AND a.grantee = 0 AND a.privilege_type = 'CREATE') AS open`,
  );
  const statements = open ? [sql`REVOKE CREATE ON SCHEMA public FROM PUBLIC`] : [];
  return master.apply({ step: STEP, what: 'CREATE on schema public revoked', statements });
}
