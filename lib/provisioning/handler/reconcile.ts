import { DesiredState, ProvisionerEnvironment } from '../desired-state';
import { ensureAudit } from './audit';
import { revokePublic } from './databases';
import { withMasterOf } from './master';
import { ForeignServer, recordOwner } from './owning-environment';
import { ProvisioningFailures, asProvisioningError } from './provisioning-error';
import { closeUndeclared } from './relations';
import { endRemovedTenants } from './removed-tenants';
import { beginLoaderMembership, endLoaderMembership, ensureRoles } from './roles';
import { Login, readLogin, readLogins } from './secrets';
import { outdatedVersion } from './server-version';
import { Change, Session, StatementListener } from './session';
import { protectTables } from './tables';
import { ensureTenancySchema } from './tenancy-schema';
import { pendingTenantTables } from './tenant-schemas';
import { ensureTenants } from './tenants';
import { verifyLoader, verifyTenants } from './verification';

/** What a run did, and what it saw that is not ready. */
export interface ReconcileResult {
  readonly changes: Change[];
  /** Declared tables that do not exist yet. */
  readonly pending: string[];
  /** Relations beside the declared ones, which tenants cannot read. */
  readonly unreadable: string[];
}

/** How a run differs from the usual one. */
export interface ReconcileOptions {
  /** Whether to log in as each tenant although its last proof still holds. @default false */
  readonly verifyEverybody?: boolean;
  /** Gets each statement that changed something. @default - nobody */
  readonly onStatement?: StatementListener;
}

/** Brings PostgreSQL to what the template asks for, and proves it by logging in as each tenant. */
export async function reconcile(
  desired: DesiredState,
  environment: ProvisionerEnvironment,
  options: ReconcileOptions = {},
): Promise<ReconcileResult> {
  const logins = readTenantLogins(desired);
  return withMaster(environment, options.onStatement, async (master, masters) => {
    const loader = await readLogin(environment.LOADER_SECRET);
    const changes = await ensureRoles(master, loader);
    await beginLoaderMembership(master);
    try {
      changes.push(...(await ensureTenancySchema(master, desired)));
      changes.push(...(await recordOwner(master)));
      changes.push(...(await revokePublic(master)));
      changes.push(...(await ensureAudit(master)));
      const undeclared = await closeUndeclared(master, desired);
      const tables = await protectTables(master, desired);
      changes.push(...undeclared.changes, ...tables.changes);
      changes.push(...(await endRemovedTenants(master, desired)));
      changes.push(...(await ensureTenants(masters, desired, logins)));
      changes.push(...(await verifyLoader(master, loader)));
      changes.push(...(await verifyTenants(master, desired, await allOf(logins), options.verifyEverybody ?? false)));
      const outdated = await outdatedVersion(master);
      if (outdated.length > 0) throw new ProvisioningFailures(outdated);
      await remember(master, desired);
      const pending = [...tables.pending, ...(await pendingTenantTables(master, desired))];
      return { changes, pending, unreadable: undeclared.unreadable };
    } finally {
      await endLoaderMembership(master);
    }
  });
}

/** Reconciles what was asked for last, to heal drift and to protect tables that have appeared since; proves everybody again. */
export async function reconcileStored(environment: ProvisionerEnvironment): Promise<ReconcileResult> {
  const stored = await withMaster(environment, undefined, (master) =>
    master.rows<{ state: DesiredState }>(`SELECT state FROM tenancy.desired ORDER BY batch`),
  );
  const results: ReconcileResult[] = [];
  for (const { state } of stored) {
    results.push(await reconcile(state, environment, { verifyEverybody: true }));
  }
  return {
    changes: results.flatMap(({ changes }) => changes),
    pending: [...new Set(results.flatMap(({ pending }) => pending))],
    unreadable: [...new Set(results.flatMap(({ unreadable }) => unreadable))],
  };
}

/** Ends the logins of all tenants of a batch, as if each had been removed. A server of another environment has none. */
export async function removeBatch(desired: DesiredState, environment: ProvisionerEnvironment): Promise<Change[]> {
  return withMaster(environment, undefined, async (master) => {
    const [{ known }] = await master.rows<{ known: boolean }>(
      `SELECT to_regclass('tenancy.desired') IS NOT NULL AS known`,
    );
    if (!known) {
      return [];
    }
    await beginLoaderMembership(master);
    try {
      const changes = await endRemovedTenants(master, { ...desired, tenants: [] });
      await master.rows(`DELETE FROM tenancy.desired WHERE batch = $1`, [desired.batch]);
      return changes;
    } finally {
      await endLoaderMembership(master);
    }
  }).catch((error) => {
    if (!(error instanceof ForeignServer)) throw error;
    console.log(JSON.stringify({ step: 'removal', what: error.message }));
    return [];
  });
}

async function remember(master: Session, desired: DesiredState): Promise<void> {
  await master.rows(
    `INSERT INTO tenancy.desired AS d (batch, state) VALUES ($1, $2)
     ON CONFLICT (batch) DO UPDATE SET state = excluded.state WHERE d.state IS DISTINCT FROM excluded.state`,
    [desired.batch, JSON.stringify(desired)],
  );
}

/** Starts to read the secrets of all tenants; each step waits for the one that it needs. */
function readTenantLogins({ tenants }: DesiredState): Map<string, Promise<Login>> {
  const bySecret = readLogins(tenants.map(({ secret }) => secret));
  return new Map(
    tenants.map(({ id, secret }) => {
      const login = (bySecret.get(secret) as Promise<Login>).catch((error) => {
        throw asProvisioningError(error, 'secret', id);
      });
      login.catch(() => undefined); // told by whoever waits for it
      return [id, login] as const;
    }),
  );
}

async function allOf(logins: ReadonlyMap<string, Promise<Login>>): Promise<Map<string, Login>> {
  return new Map(await Promise.all([...logins].map(async ([id, login]) => [id, await login] as const)));
}

/** Sessions of the master user in the database that all tenants share. */
function withMaster<Result>(
  environment: ProvisionerEnvironment,
  onStatement: StatementListener | undefined,
  run: (master: Session, masters: Session[]) => Promise<Result>,
): Promise<Result> {
  const { DATABASE_HOST: host, DATABASE_PORT: port, DATABASE_NAME: database, MASTER_SECRET: secret } = environment;
  return withMasterOf({ host, port, database, secret }, onStatement, run);
}
