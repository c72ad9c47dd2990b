import { tenantRoleName } from '../../desired-state';
import { DesiredDatabase } from '../../desired-databases';
import { withSession } from '../master';
import { ProvisioningError } from '../provisioning-error';
import { Login } from '../secrets';
import { Session } from '../session';
import { IAM_ROLE } from './iam-login';

/** Role that is in `rds_iam` for the time of a trial. */
export const TRIAL_ROLE = 'tenancy_iam_trial';

/**
 * Tries, before the first tenant of a run is put into `rds_iam`, whether the master user can log in by its password afterwards.
 *
 * From PostgreSQL 16 on, who creates a role is a member of it for good, and RDS takes no password of members of `rds_iam`, be they
 * indirect ones. Whether it counts this membership is not documented: decision 30.
 */
export async function refuseLockOut(master: Session, login: Login, tenants: DesiredDatabase[]): Promise<void> {
  const byToken = tenants.filter(({ secret }) => !secret).map(({ id }) => tenantRoleName(id));
  const [{ missing }] = await master.rows<{ missing: boolean }>(
    `SELECT EXISTS (SELECT FROM unnest($1::text[]) AS want (role) WHERE NOT EXISTS (
              SELECT FROM pg_auth_members m WHERE m.roleid = to_regrole($2) AND m.member = to_regrole(quote_ident(want.role)))) AS missing`,
    [byToken, IAM_ROLE],
  );
  if (missing) await withSession(login, (session) => trial(master, session, login));
}

async function trial(master: Session, session: Session, login: Login): Promise<void> {
  await session.rows('SET client_connection_check_interval = 0');
  const running = session.rows(TRIAL);
  running.catch(() => undefined); // waited for below
  try {
    await until(master, running);
    // With the password of now, and no other: what is refused then is the login.
    const password = (await login.renewedPassword?.()) ?? login.password;
    await (await Session.open({ ...login, password, renewedPassword: undefined })).close();
    if (!(await isMember(master))) {
      throw new ProvisioningError('iam', 'the trial of the log-in by token ended too soon: deploy again');
    }
  } catch (error) {
    throw isRefusal(error) ? new ProvisioningError('iam', LOCKED_OUT) : error;
  } finally {
    await running;
  }
}

async function until(master: Session, running: Promise<unknown>): Promise<void> {
  let ended = false;
  void running.then(
    () => (ended = true),
    () => (ended = true),
  );
  while (!ended && !(await isMember(master))) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function isMember(master: Session): Promise<boolean> {
  const [{ known }] = await master.rows<{ known: boolean }>(`SELECT to_regrole($1) IS NOT NULL AS known`, [TRIAL_ROLE]);
  return known;
}

function isRefusal(error: unknown): boolean {
  return ['28000', '28P01'].includes((error as { code?: string }).code ?? '');
}

/** The server ends the trial by itself, whatever becomes of the client: otherwise a function that dies could leave it locked out. */
const TRIAL = `
  DO $$
  BEGIN
    DROP ROLE IF EXISTS ${TRIAL_ROLE};
    CREATE ROLE ${TRIAL_ROLE} NOLOGIN;
    GRANT ${IAM_ROLE} TO ${TRIAL_ROLE};
    COMMIT;
    PERFORM pg_sleep(3);
    DROP ROLE ${TRIAL_ROLE};
  END $$`;

const LOCKED_OUT =
  'RDS refuses the password of the master user while a role that it created is in rds_iam, so that tenants cannot log in by tokens ' +
  'here: the provisioner would lock itself out. Nothing was granted. Use the authentication by secrets';
