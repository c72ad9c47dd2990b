import pRetry from 'p-retry';
import { ProvisioningError } from './provisioning-error';
import { scramVerifier } from './scram';
import { Login } from './secrets';
import { Change, Session } from './session';
import { identifier, literal, sql } from './sql';

const STEP = 'verification';

/** Connects with a secret; where PostgreSQL knows another password, that of the secret is set, once. */
export async function logIn(
  master: Session,
  role: string,
  login: Login,
  tenant?: string,
): Promise<{ readonly session: Session; readonly changes: Change[] }> {
  if (login.username !== role) {
    throw new ProvisioningError(STEP, `its secret names user ${login.username}, not ${role}`, tenant);
  }
  try {
    return { session: await Session.open(login), changes: [] };
  } catch (error) {
    if ((error as { code?: string }).code !== '28P01') throw error;
    const password = literal(await scramVerifier(login.password));
    const statements = [sql`ALTER ROLE ${identifier(role)} PASSWORD ${password}`];
    const changes = await master.apply({ step: STEP, what: 'password set to the secret', statements, tenant });
    return { session: await pRetry(() => Session.open(login), { retries: 2, minTimeout: 200 }), changes };
  }
}
