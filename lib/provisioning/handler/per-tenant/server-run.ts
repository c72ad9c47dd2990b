import pLimit from 'p-limit';
import { DatabaseServer, DesiredDatabase } from '../../desired-databases';
import { recordOwner } from '../owning-environment';
import { ProvisioningError, asProvisioningError } from '../provisioning-error';
import { Login } from '../secrets';
import { outdatedVersion } from '../server-version';
import { Change, Session, StatementListener } from '../session';
import { readMaxConnections, tooFewConnections } from './capacity';
import { TenantState, readStates } from './catalog';
import { closeDatabases } from './close-databases';
import { refuseLockOut } from './iam-trial';
import { ensureInside } from './inside/ensure-inside';
import { TenantLogins, readTenantLogins } from './logins';
import { ensureMetadataDatabase } from './metadata-database';
import { ServerBatch, placeOf } from './place';
import { Guard, refuseLost } from './placement';
import { forgetProofs, proofOf, rememberProofs } from './proof';
import { ensureRegistry } from './registry';
import { ServerTraits, readTraits } from './server-traits';
import { ensureTenantDatabase } from './tenant-database';
import { ensureTenantRoles } from './tenant-roles';
import { verifyDatabases } from './verification';

/** What a run on one server did, and what failed there. */
export interface ServerResult {
  readonly server: string;
  readonly changes: Change[];
  readonly failures: ProvisioningError[];
  readonly maxConnections?: number;
}

/** What a run on one server is given. */
export interface ServerRun {
  readonly server: DatabaseServer;
  readonly batch: ServerBatch;
  readonly guard: Guard;
  /** Whether to look into each database and to log in as each tenant although its last proof still holds. */
  readonly everybody: boolean;
  readonly onStatement?: StatementListener;
}

/** Makes on one server what a batch asks of it; nobody is removed yet. What fails for one tenant does not keep the others from being made. */
export async function reconcileServer(masters: Session[], login: Login, run: ServerRun): Promise<ServerResult> {
  const [master] = masters;
  const { server, batch } = run;
  const max = await readMaxConnections(master);
  const traits = await readTraits(master, batch);
  const changes = [...(await ensureRegistry(master)), ...(await recordOwner(master))];
  const failures = [...tooFewConnections(server, max), ...(await outdatedVersion(master))];
  const take = (step: { readonly changes: Change[]; readonly failures: ProvisioningError[] }) => {
    changes.push(...step.changes);
    failures.push(...step.failures);
  };

  take(await closeDatabases(master, traits.withGrantOptions));
  await refuseLockOut(master, login, batch.tenants);
  const tenants = await ensureTenants(masters, login, run, traits);
  take(tenants);
  take(await proveTenants(master, run, traits, tenants));
  await forgetProofs(
    master,
    failures.flatMap(({ tenant }) => tenant ?? []),
  );
  return { server: server.name, changes, failures, maxConnections: max };
}

interface EnsuredTenants {
  readonly changes: Change[];
  readonly failures: ProvisioningError[];
  /** Tenants that have what they should, and whose last proof may not hold. */
  readonly due: DesiredDatabase[];
  readonly loginsOf: (id: string) => Promise<TenantLogins>;
}

/** Roles, database and what is in it of each tenant, a few tenants at a time. */
async function ensureTenants(
  masters: Session[],
  login: Login,
  { batch: { tenants }, guard, everybody, onStatement }: ServerRun,
  traits: ServerTraits,
): Promise<EnsuredTenants> {
  const loginsOf = readTenantLogins(tenants);
  const states = await readStates(
    masters[0],
    tenants.map(({ id }) => placeOf(id)),
  );
  const free = [...masters];
  const limit = pLimit(masters.length);
  const failures: ProvisioningError[] = [];
  const due: DesiredDatabase[] = [];
  const changes = await Promise.all(
    tenants.map((tenant) =>
      limit(async () => {
        const session = free.pop() as Session;
        const made: Change[] = [];
        try {
          const place = placeOf(tenant.id);
          const state = states.get(tenant.id) as TenantState;
          if (!state.database) {
            if (state.registered?.made) refuseLost(tenant);
            guard(tenant);
          }
          const logins = await loginsOf(tenant.id);
          made.push(...(await ensureTenantRoles(session, tenant, place, state, logins, traits)));
          made.push(...(await ensureTenantDatabase(session, tenant, place, state, traits)));
          made.push(...(await ensureMetadataDatabase(session, tenant, place, state, logins, traits)));
          if (everybody || made.length > 0 || state.registered?.proof !== proofOf(state, tenant, logins, traits)) {
            made.push(...(await ensureInside(login, tenant, place, state, traits, onStatement)));
            due.push(tenant);
          }
        } catch (error) {
          failures.push(asProvisioningError(error, 'database', tenant.id));
        } finally {
          free.push(session);
        }
        return made;
      }),
    ),
  );
  return { changes: changes.flat(), failures, due, loginsOf };
}

async function proveTenants(
  master: Session,
  { server }: ServerRun,
  traits: ServerTraits,
  { due, loginsOf }: EnsuredTenants,
) {
  const address = { host: server.host, port: Number(server.port) };
  const { changes, failures, busy } = await verifyDatabases(master, due, loginsOf, address, traits);
  const failed = new Set(failures.map(({ tenant }) => tenant));
  const states = await readStates(
    master,
    due.map(({ id }) => placeOf(id)),
  );
  const proved = await Promise.all(
    due
      .filter(({ id }) => !failed.has(id) && !busy.has(id))
      .map(async (tenant) => {
        const state = states.get(tenant.id) as TenantState;
        return { id: tenant.id, proof: proofOf(state, tenant, await loginsOf(tenant.id), traits) };
      }),
  );
  await rememberProofs(master, proved);
  return { changes, failures };
}
