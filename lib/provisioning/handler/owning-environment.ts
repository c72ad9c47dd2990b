import { ProvisioningError } from './provisioning-error';
import { Change, Session } from './session';
import { literal, sql } from './sql';

const STEP = 'environment';

/** A server that is another environment's. */
export class ForeignServer extends ProvisioningError {}

/** The environment that this function is of, as its variable says. */
function ownEnvironment(): string | undefined {
  return process.env.TENANCY_ENVIRONMENT;
}

/** Refuses to work on a server that another environment has provisioned: its tenants would lose their logins, or more. */
export async function refuseForeignServer(master: Session): Promise<void> {
  const owner = await readOwner(master);
  const own = ownEnvironment();
  if (owner === undefined || owner === own) return;
  throw new ForeignServer(
    STEP,
    `the server belongs to environment ${owner}, and this is environment ${own}: nothing was changed. Give this environment a server ` +
      `of its own. To hand the server over, take it from ${owner} first; then run, as its master user in database ` +
      `${await nameOfDatabase(master)}: UPDATE tenancy.environment SET name = '${own}'`,
  );
}

/** Records whose server it is, once; the schema `tenancy` exists. A server that was provisioned before there was a record is taken. */
export async function recordOwner(master: Session): Promise<Change[]> {
  const own = ownEnvironment();
  if (own === undefined || (await readOwner(master)) !== undefined) return [];
  return master.apply({
    step: STEP,
    what: `recorded that the server is that of ${own}`,
    statements: [
      sql`CREATE TABLE IF NOT EXISTS tenancy.environment (one boolean PRIMARY KEY DEFAULT true CHECK (one), name text NOT NULL)`,
      sql`INSERT INTO tenancy.environment (name) VALUES (${literal(own)})`,
    ],
  });
}

async function readOwner(master: Session): Promise<string | undefined> {
  const [{ known }] = await master.rows<{ known: boolean }>(
    `SELECT to_regclass('tenancy.environment') IS NOT NULL AS known`,
  );
  if (!known) return undefined;
  const [row] = await master.rows<{ name: string }>(`SELECT name FROM tenancy.environment`);
  return row?.name;
}

async function nameOfDatabase(master: Session): Promise<string> {
  const [{ name }] = await master.rows<{ name: string }>(`SELECT current_database() AS name`);
  return name;
}
