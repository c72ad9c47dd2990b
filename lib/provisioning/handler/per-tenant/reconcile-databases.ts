import pLimit from 'p-limit';
import { DatabaseServer, DesiredDatabases } from '../../desired-databases';
import { PARALLEL_SESSIONS, withMasterOf } from '../master';
import { ForeignServer } from '../owning-environment';
import { ProvisioningError, ProvisioningFailures, asProvisioningError } from '../provisioning-error';
import { Login } from '../secrets';
import { Change, Session, StatementListener } from '../session';
import { batchOn, registryOf } from './place';
import { PARALLEL_SERVERS, Survey, guardOf, neverCreate, surveyServers } from './placement';
import { hasRegistry, readRegistry, readStored, remember } from './registry';
import { Leaving, endTenants } from './removal';
import { ServerResult, reconcileServer } from './server-run';

/** What a run did. */
export interface DatabasesResult {
  readonly changes: Change[];
  /** `name: max_connections` of each server that the batch uses. */
  readonly connections: string[];
}

/** Brings all servers to what a batch asks for, and proves it by logging in as each tenant. */
export async function reconcileDatabases(
  desired: DesiredDatabases,
  onStatement?: StatementListener,
): Promise<DatabasesResult> {
  checkServers(desired);
  const surveys = await surveyServers(desired.servers, desired.batch);
  const guard = guardOf(surveys);
  const concerned = surveys.filter(
    ({ server, active, known, failure }) =>
      !failure && (active.length > 0 || known || desired.tenants.some((tenant) => tenant.server === server.name)),
  );
  const results = await onEach(concerned, ({ server }) => {
    const batch = batchOn(server, desired);
    const run = { server, batch, guard, everybody: false, onStatement };
    const sessions = Math.min(PARALLEL_SESSIONS, Math.max(1, batch.tenants.length));
    const work = (_: Session, masters: Session[], login: Login) => reconcileServer(masters, login, run);
    return withMasterOf(registryOf(server), onStatement, work, sessions);
  });
  results.push(...surveys.flatMap(({ server, failure }) => (failure ? [failed(server, failure)] : [])));
  const settled = await settle(desired, concerned, results, onStatement);
  const used = new Set(desired.tenants.map(({ server }) => server));
  return told([...results, ...settled], (server) => used.has(server));
}

/**
 * Reconciles what each server was asked for last, to heal drift; goes into each database and proves everybody again. What one
 * batch, or one server, fails at does not hinder the others.
 */
export async function reconcileStoredDatabases(servers: DatabaseServer[]): Promise<DatabasesResult> {
  const results = await onEach(
    servers.map((server) => ({ server })),
    ({ server }) =>
      withMasterOf(registryOf(server), undefined, async (master, masters, login) => {
        const stored = (await hasRegistry(master)) ? await readStored(master) : [];
        const runs: ServerResult[] = [];
        for (const batch of stored) {
          const run = { server, batch, guard: neverCreate, everybody: true };
          runs.push(await reconcileServer(masters, login, run).catch((error) => failed(server, error)));
        }
        return {
          server: server.name,
          changes: runs.flatMap(({ changes }) => changes),
          failures: unique(runs.flatMap(({ failures }) => failures)),
          maxConnections: runs[0]?.maxConnections,
        };
      }),
  );
  return told(results, () => true);
}

/** Ends the logins of all tenants of a batch, as if each had been removed. A server that is gone, or another environment's, has none to end. */
export async function removeDatabases(desired: DesiredDatabases): Promise<DatabasesResult> {
  const results = await onEach(
    desired.servers.map((server) => ({ server })),
    ({ server }) =>
      withMasterOf(registryOf(server), undefined, async (master) => {
        if (!(await hasRegistry(master))) {
          return { server: server.name, changes: [], failures: [] };
        }
        const leaving = (await readRegistry(master)).filter((entry) => entry.active && entry.batch === desired.batch);
        const ended = await endTenants(master, leaving);
        if (ended.failures.length === 0) {
          await remember(master, { ...desired, tenants: [] });
        }
        return { server: server.name, ...ended };
      }).catch((error) => {
        const isForeign = error instanceof ForeignServer;
        if (!isForeign && (error as { code?: string }).code !== 'ENOTFOUND') throw error;
        const what = isForeign ? error.message : `server ${server.name} is gone, and the logins with it`;
        console.log(JSON.stringify({ step: 'removal', what }));
        return { server: server.name, changes: [], failures: [] };
      }),
  );
  return told(results, () => false);
}

/**
 * Ends whoever is no longer asked for, once all that is asked for was made; then each server remembers what was deployed.
 *
 * A tenant that moved is ended where it was when it is proved where it is now, and its old database stays whatever its policy.
 * Nothing is destroyed by a deployment that failed, since it is rolled back.
 */
async function settle(
  desired: DesiredDatabases,
  surveys: Survey[],
  results: ServerResult[],
  onStatement?: StatementListener,
): Promise<ServerResult[]> {
  const servers = new Map(desired.tenants.map(({ id, server }) => [id, server]));
  const failures = results.flatMap((result) => result.failures);
  const failing = new Set(failures.map(({ tenant }) => tenant));
  const broken = new Set(
    results.filter((result) => result.failures.some(({ tenant }) => !tenant)).map(({ server }) => server),
  );
  const mayGo = ({ id, policy }: Leaving) => {
    const now = servers.get(id);
    return now === undefined ? policy === 'retain' || failures.length === 0 : !failing.has(id) && !broken.has(now);
  };
  const settleOn = async (server: DatabaseServer, master: Session): Promise<ServerResult> => {
    const leaving = (await readRegistry(master))
      .filter(({ id, active, batch }) => active && batch === desired.batch && servers.get(id) !== server.name)
      .filter(mayGo)
      .map(({ id, policy }): Leaving => ({ id, policy: servers.has(id) ? 'retain' : policy }));
    const ended = await endTenants(master, leaving);
    if (failures.length + ended.failures.length === 0) {
      await remember(master, batchOn(server, desired));
    }
    return { server: server.name, ...ended };
  };
  const reached = new Set(results.filter((result) => result.maxConnections !== undefined).map(({ server }) => server));
  const open = surveys.filter(({ server }) => reached.has(server.name));
  return onEach(open, ({ server }) =>
    withMasterOf(registryOf(server), onStatement, (master) => settleOn(server, master), 1),
  );
}

/** Works on several servers, a few at a time; one that cannot be worked on is a failure beside those of the tenants. */
async function onEach<Item extends { readonly server: DatabaseServer }>(
  items: Item[],
  work: (item: Item) => Promise<ServerResult>,
): Promise<ServerResult[]> {
  const limit = pLimit(PARALLEL_SERVERS);
  return Promise.all(items.map((item) => limit(() => work(item).catch((error) => failed(item.server, error)))));
}

function failed({ name }: DatabaseServer, error: unknown): ServerResult {
  return { server: name, changes: [], failures: [asProvisioningError(error, 'connection')] };
}

/** The sum of all servers; their failures together, those that are nobody's with the name of the server. */
function told(results: ServerResult[], isUsed: (server: string) => boolean): DatabasesResult {
  const failures = results.flatMap(({ server, failures: some }) =>
    some.map((failure) =>
      failure.tenant ? failure : new ProvisioningError(`server ${server}, ${failure.step}`, failure.reason),
    ),
  );
  if (failures.length > 0) {
    throw new ProvisioningFailures(failures);
  }
  return {
    changes: results.flatMap(({ changes }) => changes),
    connections: results
      .filter(({ server, maxConnections }) => isUsed(server) && maxConnections !== undefined)
      .map(({ server, maxConnections }) => `${server}: ${maxConnections}`),
  };
}

function unique(failures: ProvisioningError[]): ProvisioningError[] {
  return [...new Map(failures.map((failure) => [failure.message, failure])).values()];
}

function checkServers({ servers, tenants, schema }: DesiredDatabases): void {
  const names = new Set(servers.map(({ name }) => name));
  const failures = tenants
    .filter(({ server }) => !names.has(server))
    .map(({ id, server }) => new ProvisioningError('placement', `there is no server ${server}`, id));
  if (['public', 'extensions', 'information_schema'].includes(schema) || schema.startsWith('pg_')) {
    failures.push(
      new ProvisioningError('placement', `schema ${schema} has another use: name the tables' schema otherwise`),
    );
  }
  if (failures.length > 0) {
    throw new ProvisioningFailures(failures);
  }
}
