// The tenants' rows on a real PostgreSQL, as each model of tenancy keeps them.
import { join } from 'node:path';
import { TenancyModel } from '../../../lib/environment/environment';
import { EnvironmentFile } from '../../../lib/environment/environment-file';
import { tenantDatabaseName } from '../../../lib/provisioning/desired-databases';
import { reconcileDatabases } from '../../../lib/provisioning/handler/per-tenant/reconcile-databases';
import { reconcile } from '../../../lib/provisioning/handler/reconcile';
import { REPOSITORY } from '../../../local/directories';
import { loadRows, makeTables } from '../../../local/example-data';
import { ExampleEnvironment, withExampleData } from '../../../local/example-environment';
import { Login } from '../../../local/login';
import { LocalPostgres } from '../../../local/postgres';

/** A server with the rows of all tenants of an example, and the secrets that lead there. */
export interface TenantData {
  readonly environment: ExampleEnvironment;
  readonly postgres: LocalPostgres;
  readonly secrets: Map<string, Record<string, string>>;
  /** Name of the database with a tenant's rows. */
  databaseOf(tenant: string): string;
  stop(): Promise<void>;
}

const START: Record<string, () => Promise<TenantData>> = {
  [TenancyModel.SHARED_RLS]: startSharedDatabase,
  [TenancyModel.DATABASE_PER_TENANT]: startDatabases,
};

/** Starts the data of a model; only this file and the tests' `servers.model` know which models there are. */
export async function startTenantData(model: string): Promise<TenantData> {
  const start = START[model];
  if (!start) throw new Error(`The model is "${model}"; the tests have a world of: ${Object.keys(START).join(', ')}.`);
  return start();
}

async function startSharedDatabase(): Promise<TenantData> {
  const { startTenantServer } = await import('../../../test/provisioning/tenant-server');
  const environment = exampleOf(TenancyModel.SHARED_RLS);
  const server = await startTenantServer(17);
  const database = await server.newDatabase();
  const tables = environment.data.tables.map(({ name, strategy }) => ({ name, strategy }));
  await reconcile(database.desired([], tables, { batch: 'cell' }), database.environment);
  const loader = { ...server.secrets.get('loader'), caFile: server.postgres.caFile } as unknown as Login;
  await makeTables(environment, loader);
  const desired = database.desired(
    environment.tenants.map(({ id, value }) => ({ id, value })),
    tables,
  );
  await reconcile(desired, database.environment);
  await loadRows(environment, new Map(environment.tenants.map(({ id }) => [id, loader])));
  const { postgres, secrets, stop } = server;
  return { environment, postgres, secrets, databaseOf: () => database.name, stop };
}

async function startDatabases(): Promise<TenantData> {
  const { loaderSecret, startServers } = await import('../../../test/provisioning/per-tenant-servers');
  const environment = exampleOf(TenancyModel.DATABASE_PER_TENANT);
  const servers = await startServers(17, 1);
  const postgres = servers.serverOf('a');
  await reconcileDatabases(servers.desired(environment.tenants.map(({ id }) => ({ id, loader: true }))));
  const loaders = new Map(
    environment.tenants.map(({ id }) => {
      const login = { ...servers.secrets.get(loaderSecret(id)), caFile: postgres.caFile };
      return [id, login as unknown as Login];
    }),
  );
  for (const loader of loaders.values()) await makeTables(environment, loader);
  await loadRows(environment, loaders);
  return { environment, postgres, secrets: servers.secrets, databaseOf: tenantDatabaseName, stop: servers.stop };
}

function exampleOf(model: TenancyModel): ExampleEnvironment {
  return withExampleData(EnvironmentFile.load(join(REPOSITORY, 'examples', model, 'environments', 'demo.yaml')));
}
