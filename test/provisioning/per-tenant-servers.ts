import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { tenantRoleName } from '../../lib/provisioning/desired-state';
import {
  DatabaseServer,
  DesiredDatabase,
  DesiredDatabases,
  REGISTRY_DATABASE,
  loaderRoleName,
  metadataDatabaseName,
  metadataRoleName,
  tenantDatabaseName,
} from '../../lib/provisioning/desired-databases';
import { LocalPostgres, PostgresMajor, startPostgres } from '../../local/postgres';
import { startSecretsManager } from './secrets-manager';

/** A tenant that a test asks for; what it leaves out is the usual. */
export interface TestTenant extends Partial<Omit<DesiredDatabase, 'loaderSecret' | 'metadataSecret'>> {
  readonly id: string;
  /** Whether it has an ETL. @default false */
  readonly loader?: boolean;
  /** Whether the metadata of a Superset of its own are on the server. @default false */
  readonly metadata?: boolean;
}

interface Login {
  readonly user: string;
  readonly password: string;
}

// One for all servers of a test file: the handler keeps its client, as it does between two events of AWS.
const started = startSecretsManager();

/** Real PostgreSQL servers as RDS hands them over, named a, b, …, with the secrets of the tenants beside them. */
export async function startServers(version: PostgresMajor, count: number, maxConnections?: number) {
  const directory = mkdtempSync(join(tmpdir(), 'tenancy-postgres-'));
  const names = ['a', 'b', 'c'].slice(0, count);
  const postgres = new Map<string, LocalPostgres>();
  for (const name of names) {
    postgres.set(name, await startPostgres({ version, directory: join(directory, name), maxConnections }));
  }
  const { secrets, environment } = await started;
  const caFile = join(directory, 'authorities.pem');
  writeFileSync(caFile, [...postgres.values()].map((server) => readFileSync(server.caFile, 'utf8')).join('\n'));
  Object.assign(process.env, environment, { DATABASE_CA_FILE: caFile });

  const serverOf = (name: string) => postgres.get(name) as LocalPostgres;

  async function connect(server: string, { user, password }: Login, database: string): Promise<Client> {
    const { host, port } = serverOf(server);
    const client = new Client({ host, port, database, user, password, ssl: { ca: readFileSync(caFile, 'utf8') } });
    client.on('error', () => undefined);
    await client.connect();
    return client;
  }

  async function run<Row>(server: string, login: Login, database: string, statement: string): Promise<Row[]> {
    const client = await connect(server, login, database);
    try {
      const result = await client.query(statement);
      return ((Array.isArray(result) ? result.at(-1) : result) as { rows: Row[] }).rows;
    } finally {
      await client.end();
    }
  }

  const masterOf = (server: string) => ({
    user: serverOf(server).master.username,
    password: serverOf(server).master.password,
  });
  const superuserOf = (server: string) => ({
    user: serverOf(server).superuser.username,
    password: serverOf(server).superuser.password,
  });
  const secretOf = (name: string): Login => {
    const { username, password } = secrets.get(name) as Record<string, string>;
    return { user: username, password };
  };

  for (const name of names) {
    secrets.set(`master-${name}`, {
      username: serverOf(name).master.username,
      password: serverOf(name).master.password,
    });
    await run(name, masterOf(name), 'postgres', `CREATE DATABASE ${REGISTRY_DATABASE}`);
  }

  return {
    directory,
    names,
    secrets,
    serverOf,
    connect,
    masterOf,
    superuserOf,
    secretOf,

    servers(options: Partial<DatabaseServer> = {}): DatabaseServer[] {
      return names.map((name) => ({
        name,
        host: serverOf(name).host,
        port: String(serverOf(name).port),
        masterSecret: `master-${name}`,
        connections: '150',
        ...options,
      }));
    },

    desired(tenants: TestTenant[], options: Partial<DesiredDatabases> = {}): DesiredDatabases {
      return {
        batch: 'tenants0',
        servers: this.servers(),
        schema: 'analytics',
        extensions: [],
        tenants: tenants.map(({ loader, metadata, ...tenant }) => {
          const server = tenant.server ?? 'a';
          const secret = (name: string, username: string, database = tenantDatabaseName(tenant.id)) => {
            const { host, port } = serverOf(server);
            secrets.set(name, {
              password: `secret-of-${username}-${Math.random().toString(36).slice(2)}`,
              ...secrets.get(name),
              username,
              host,
              port: String(port),
              database,
            });
            return name;
          };
          return {
            server,
            secret: secret(tenantSecret(tenant.id), tenantRoleName(tenant.id)),
            ...(loader && { loaderSecret: secret(loaderSecret(tenant.id), loaderRoleName(tenant.id)) }),
            ...(metadata && {
              metadataSecret: secret(
                metadataSecret(tenant.id),
                metadataRoleName(tenant.id),
                metadataDatabaseName(tenant.id),
              ),
              metadataConnections: '20',
            }),
            removalPolicy: 'retain',
            connections: '10',
            statementTimeoutSeconds: '60',
            workMemMiB: '16',
            parallelWorkers: '1',
            tempFileMiB: '512',
            ...tenant,
          };
        }),
        ...options,
      };
    },

    master: <Row = Record<string, unknown>>(statement: string, database: string = REGISTRY_DATABASE, server = 'a') =>
      run<Row>(server, masterOf(server), database, statement),
    /** Only to set a scene that the master user cannot. */
    superuser: <Row = Record<string, unknown>>(statement: string, database: string = REGISTRY_DATABASE, server = 'a') =>
      run<Row>(server, superuserOf(server), database, statement),
    tenant: <Row = Record<string, unknown>>(
      id: string,
      statement: string,
      server = 'a',
      database = tenantDatabaseName(id),
    ) => run<Row>(server, secretOf(tenantSecret(id)), database, statement),
    loader: <Row = Record<string, unknown>>(
      id: string,
      statement: string,
      server = 'a',
      database = tenantDatabaseName(id),
    ) => run<Row>(server, secretOf(loaderSecret(id)), database, statement),
    metadata: <Row = Record<string, unknown>>(
      id: string,
      statement: string,
      server = 'a',
      database = metadataDatabaseName(id),
    ) => run<Row>(server, secretOf(metadataSecret(id)), database, statement),
    tenantSession: (id: string, server = 'a') => connect(server, secretOf(tenantSecret(id)), tenantDatabaseName(id)),

    /** The next test starts without tenants. */
    async clear() {
      for (const name of names) {
        const client = await connect(name, superuserOf(name), REGISTRY_DATABASE);
        const { rows } = await client.query(`SELECT datname FROM pg_database WHERE datname ~ '^(tenant|superset)_'`);
        for (const { datname } of rows) await client.query(`DROP DATABASE "${datname}" WITH (FORCE)`);
        await client.query('DROP SCHEMA IF EXISTS tenancy CASCADE');
        const roles = await client.query(`SELECT rolname FROM pg_roles WHERE rolname ~ '^(tenant|tenancy|superset)_'`);
        for (const { rolname } of roles.rows) await client.query(`DROP OWNED BY "${rolname}"; DROP ROLE "${rolname}"`);
        await client.end();
      }
      for (const name of [...secrets.keys()]) if (name.startsWith('superset/')) secrets.delete(name);
    },

    async stop() {
      for (const server of postgres.values()) await server.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

export type Servers = Awaited<ReturnType<typeof startServers>>;

export function tenantSecret(id: string): string {
  return `superset/tenant/${id}/db_credentials`;
}

export function loaderSecret(id: string): string {
  return `superset/tenant/${id}/loader_credentials`;
}

export function metadataSecret(id: string): string {
  return `superset/tenant/${id}/metadata_credentials`;
}

/** What a promise fails with: PostgreSQL's SQLSTATE, or that it did not. */
export async function sqlState(promise: Promise<unknown>): Promise<string | undefined> {
  return promise.then(
    () => 'no error',
    (error: { code?: string }) => error.code,
  );
}
