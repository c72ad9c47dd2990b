import { DatabaseServer } from '../../desired-databases';
import { admitProxy, hasProxyAccount } from '../aws-own';
import { masterLogin, withSession } from '../master';
import { refuseForeignServer } from '../owning-environment';
import { Change, Session } from '../session';
import { registryOf } from './place';

const WAIT_MINUTES = 10;
const POLL_MILLISECONDS = 2_000;

/**
 * Lets RDS Proxy's account into the database that it checks, as soon as RDS has made the account: the deployment that registers the
 * target closed that database before. Without an account there is nothing to let in, and whoever waits for the proxy says why.
 */
export async function admitProxies(servers: DatabaseServer[], waitMinutes = WAIT_MINUTES): Promise<Change[]> {
  const until = Date.now() + waitMinutes * 60_000;
  const changes = await Promise.all(
    servers.map(async (server) => withSession(await masterLogin(registryOf(server)), (master) => admit(master, until))),
  );
  return changes.flat();
}

async function admit(master: Session, until: number): Promise<Change[]> {
  await refuseForeignServer(master);
  while (!(await hasProxyAccount(master))) {
    if (Date.now() > until) {
      console.log(JSON.stringify({ step: 'proxies', what: 'RDS has made no account of a proxy yet' }));
      return [];
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MILLISECONDS));
  }
  return admitProxy(master);
}
