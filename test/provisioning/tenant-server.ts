import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import {
  DesiredState,
  DesiredTenant,
  LOADER_ROLE,
  ProvisionerEnvironment,
  tenantRoleName,
} from '../../lib/provisioning/desired-state';
import { startPostgres } from '../../local/postgres';
import { startSecretsManager } from './secrets-manager';

/** A tenant that a test asks for; what it leaves out is the usual. */
export interface TestTenant extends Partial<DesiredTenant> {
  readonly id: string;
  readonly value: string;
}

// One for all servers of a test file: the handler keeps its client, as it does between two events of AWS.
const started = startSecretsManager();

/** A real PostgreSQL as RDS hands it over, with the secrets of the tenants beside it. */
export async function startTenantServer(version: 15 | 17) {
  const directory = mkdtempSync(join(tmpdir(), 'tenancy-postgres-'));
  const postgres = await startPostgres({ version, directory });
  const secretsManager = await started;
  process.env.DATABASE_CA_FILE = postgres.caFile;
  Object.assign(process.env, secretsManager.environment);

  let counter = 0;

  async function connect(user: string, password: string, database: string): Promise<Client> {
    const client = new Client({
      host: postgres.host,
      port: postgres.port,
      database,
      user,
      password,
      ssl: { ca: readFileSync(postgres.caFile, 'utf8') },
    });
    client.on('error', () => undefined);
    await client.connect();
    return client;
  }

  async function run<Row>(client: Client, statement: string): Promise<Row[]> {
    try {
      const result = await client.query(statement);
      return ((Array.isArray(result) ? result.at(-1) : result) as { rows: Row[] }).rows;
    } finally {
      await client.end();
    }
  }

  return {
    postgres,
    secrets: secretsManager.secrets,
    async stop() {
      await postgres.stop();
      rmSync(directory, { recursive: true, force: true });
    },

    /** A database of its own for one test file, owned by the master user, and the environment that names it. */
    async newDatabase(): Promise<TenantDatabase> {
      const database = `analytics_${++counter}`;
      const { username, password } = postgres.master;
      await run(await connect(username, password, 'postgres'), `CREATE DATABASE ${database}`);
      const login = (user: string) => ({
        username: user,
        password: `secret-of-${user}-${Math.random().toString(36).slice(2)}`,
        host: postgres.host,
        port: String(postgres.port),
        database,
      });
      const { secrets } = secretsManager;
      secrets.set('master', { username, password });
      secrets.set('loader', login(LOADER_ROLE));
      const environment: ProvisionerEnvironment = {
        DATABASE_HOST: postgres.host,
        DATABASE_PORT: String(postgres.port),
        DATABASE_NAME: database,
        MASTER_SECRET: 'master',
        LOADER_SECRET: 'loader',
      };
      const as = async <Row>(secret: string, statement: string) => {
        const { username: user, password: word } = secrets.get(secret) as Record<string, string>;
        return run<Row>(await connect(user, word, database), statement);
      };
      return {
        name: database,
        environment,
        desired(tenants, tables, options = {}) {
          for (const { id } of tenants) {
            const name = `superset/tenant/${id}/db_credentials`;
            if (!secrets.has(name)) secrets.set(name, login(tenantRoleName(id)));
          }
          return {
            batch: 'tenants0',
            server: `${postgres.host}:${postgres.port}/${database}`,
            schema: 'analytics',
            tenantColumn: { name: 'tenant_id', type: 'uuid' },
            tables,
            tenants: tenants.map((tenant) => ({
              secret: `superset/tenant/${tenant.id}/db_credentials`,
              removalPolicy: 'retain',
              connections: '10',
              statementTimeoutSeconds: '60',
              workMemMiB: '16',
              tempFileMiB: '2048',
              parallelWorkers: '1',
              ...tenant,
            })),
            ...options,
          };
        },
        master: (statement) => as('master', statement),
        loader: (statement) => as('loader', statement),
        tenant: (id, statement) => as(`superset/tenant/${id}/db_credentials`, statement),
        tenantSession: (id) => {
          const { username: user, password: word } = secrets.get(`superset/tenant/${id}/db_credentials`) as Record<
            string,
            string
          >;
          return connect(user, word, database);
        },
        superuser: async (statement) =>
          run(await connect(postgres.superuser.username, postgres.superuser.password, database), statement),
        async drop() {
          // Roles belong to the server, not to a database: the next test starts without them.
          await run(
            await connect(postgres.superuser.username, postgres.superuser.password, 'postgres'),
            `DROP DATABASE ${database} WITH (FORCE)`,
          );
          const roles = await run<{ rolname: string }>(
            await connect(postgres.superuser.username, postgres.superuser.password, 'postgres'),
            `SELECT rolname FROM pg_roles WHERE rolname LIKE 'tenan%'`,
          );
          for (const { rolname } of roles) {
            await run(
              await connect(postgres.superuser.username, postgres.superuser.password, 'postgres'),
              `DROP OWNED BY "${rolname}"; DROP ROLE "${rolname}"`,
            );
          }
          for (const name of [...secrets.keys()]) if (name.startsWith('superset/')) secrets.delete(name);
        },
      };
    },
  };
}

/** One database of the server, and who may ask it what. */
export interface TenantDatabase {
  readonly name: string;
  readonly environment: ProvisionerEnvironment;
  desired(tenants: TestTenant[], tables: DesiredState['tables'], options?: Partial<DesiredState>): DesiredState;
  master<Row = Record<string, unknown>>(statement: string): Promise<Row[]>;
  loader<Row = Record<string, unknown>>(statement: string): Promise<Row[]>;
  tenant<Row = Record<string, unknown>>(id: string, statement: string): Promise<Row[]>;
  tenantSession(id: string): Promise<Client>;
  /** Only to set a scene that the master user cannot. */
  superuser<Row = Record<string, unknown>>(statement: string): Promise<Row[]>;
  drop(): Promise<void>;
}
