import { LOADER_ROLE, TENANTS_ROLE } from '../desired-state';
import { ProvisioningError } from './provisioning-error';
import { scramVerifier } from './scram';
import { Login } from './secrets';
import { Change, Session } from './session';
import { identifier, literal, sql } from './sql';

const STEP = 'roles';

/** The role that holds what all tenants may read, and the login of the operator's ETL. */
export async function ensureRoles(master: Session, loader: Login): Promise<Change[]> {
  if (loader.username !== LOADER_ROLE) {
    throw new ProvisioningError(STEP, `the loader's secret names user ${loader.username}, not ${LOADER_ROLE}`);
  }
  const [state] = await master.rows<{ tenants: boolean; loader: boolean; loaderCanLogin: boolean }>(
    `SELECT to_regrole($1) IS NOT NULL AS tenants,
            to_regrole($2) IS NOT NULL AS loader,
            coalesce((SELECT rolcanlogin FROM pg_roles WHERE rolname = $2), false) AS "loaderCanLogin"`,
    [TENANTS_ROLE, LOADER_ROLE],
  );
  const changes: Change[] = [];
  if (!state.tenants) {
    const statements = [sql`CREATE ROLE ${identifier(TENANTS_ROLE)} NOLOGIN NOINHERIT`];
    changes.push(...(await master.apply({ step: STEP, what: `role ${TENANTS_ROLE} created`, statements })));
  }
  if (!state.loader) {
    const verifier = literal(await scramVerifier(loader.password));
    const statements = [sql`CREATE ROLE ${identifier(LOADER_ROLE)} LOGIN NOINHERIT PASSWORD ${verifier}`];
    changes.push(...(await master.apply({ step: STEP, what: `role ${LOADER_ROLE} created`, statements })));
  } else if (!state.loaderCanLogin) {
    const statements = [sql`ALTER ROLE ${identifier(LOADER_ROLE)} LOGIN`];
    changes.push(...(await master.apply({ step: STEP, what: `login of ${LOADER_ROLE} restored`, statements })));
  }
  return changes;
}

/**
 * Lets the master user act as the loader, whose tables it protects, without inheriting what the loader may read:
 * a plain view of the master's must not see through the loader's policy.
 */
export async function beginLoaderMembership(master: Session): Promise<void> {
  const options = (await master.majorVersion()) >= 16 ? sql` WITH SET TRUE, INHERIT FALSE` : sql``;
  await master.rows(sql`GRANT ${identifier(LOADER_ROLE)} TO CURRENT_USER${options}`.text);
}

/** Before PostgreSQL 16 a membership always inherits, so that it must not outlive the run. */
export async function endLoaderMembership(master: Session): Promise<void> {
  if ((await master.majorVersion()) < 16) {
    await master.rows(sql`REVOKE ${identifier(LOADER_ROLE)} FROM CURRENT_USER`.text);
  }
}
