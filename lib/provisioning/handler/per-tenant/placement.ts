import pLimit from 'p-limit';
import { DatabaseServer, DesiredDatabase } from '../../desired-databases';
import { masterLogin, withSession } from '../master';
import { refuseForeignServer } from '../owning-environment';
import { ProvisioningError, asProvisioningError } from '../provisioning-error';
import { Session } from '../session';
import { hasRegistry, readRegistry, readStored } from './registry';
import { placeOf, registryOf } from './place';

const STEP = 'placement';
export const PARALLEL_SERVERS = 4;

/** What a server has, or why it could not be asked. */
export interface Survey {
  readonly server: DatabaseServer;
  readonly databases: ReadonlySet<string>;
  /** Tenants of the batch whose logins are not ended. */
  readonly active: string[];
  /** Whether the batch had somebody here at its last deployment. */
  readonly known: boolean;
  readonly failure?: ProvisioningError;
}

/** Looks at every server of the environment: who has a database where? */
export async function surveyServers(servers: DatabaseServer[], batch: string): Promise<Survey[]> {
  const limit = pLimit(PARALLEL_SERVERS);
  return Promise.all(
    servers.map((server) =>
      limit(async () => {
        try {
          return await withSession(await masterLogin(registryOf(server)), (session) => survey(session, server, batch));
        } catch (error) {
          const failure = asProvisioningError(error, 'connection');
          return { server, databases: new Set<string>(), active: [], known: false, failure };
        }
      }),
    ),
  );
}

async function survey(session: Session, server: DatabaseServer, batch: string): Promise<Survey> {
  await refuseForeignServer(session);
  const databases = await session.rows<{ name: string }>(`SELECT datname::text AS name FROM pg_database`);
  const names = new Set(databases.map(({ name }) => name));
  if (!(await hasRegistry(session))) {
    return { server, databases: names, active: [], known: false };
  }
  const active = (await readRegistry(session)).filter((entry) => entry.active && entry.batch === batch);
  const known = (await readStored(session)).some((stored) => stored.batch === batch);
  return { server, databases: names, active: active.map(({ id }) => id), known };
}

/** Decides whether a tenant without a database on its server may get a new, empty one. */
export type Guard = (tenant: DesiredDatabase) => void;

/** Refuses whoever has a database on another server, or might have: nobody's rows are left behind without a word. */
export function guardOf(surveys: readonly Survey[]): Guard {
  return ({ id, server }) => {
    const { database } = placeOf(id);
    for (const other of surveys.filter((survey) => survey.server.name !== server)) {
      if (other.failure) {
        throw new ProvisioningError(
          STEP,
          `server ${other.server.name} cannot be asked whether it has database ${database} already (${other.failure.reason}), ` +
            `so that none is made on ${server}. Deploy again when it answers`,
          id,
        );
      }
      if (other.databases.has(database)) {
        throw new ProvisioningError(
          STEP,
          `its database ${database} is on server ${other.server.name}, and ${server} has none. Set its shard back to ` +
            `${other.server.name}; or, to move it, dump ${database} there, restore it on ${server}, and deploy again`,
          id,
        );
      }
    }
  };
}

/** The schedule knows one server only: it makes no database. */
export const neverCreate: Guard = ({ id, server }) => {
  throw new ProvisioningError(
    STEP,
    `its database ${placeOf(id).database} is gone from server ${server}. Restore it, then deploy again`,
    id,
  );
};

/** A database that was finished once and is gone was lost: whoever wants a new one has to say so. */
export function refuseLost(tenant: DesiredDatabase): never {
  const { database } = placeOf(tenant.id);
  throw new ProvisioningError(
    STEP,
    `its database ${database} is gone from server ${tenant.server}. Restore it; or, for a new and empty one, run ` +
      `DELETE FROM tenancy.tenant_database WHERE id = '${tenant.id}' in database tenancy of that server. Then deploy again`,
    tenant.id,
  );
}
