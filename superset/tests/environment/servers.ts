// What Superset needs around it, for its tests in Python: prints one line of JSON when all is there, and ends with its standard input.
// The argument is the model of tenancy.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Environment } from '../../../lib/environment/environment';
import { ensureEmulatorPython, findPython } from '../../../local/python';
import { certificateOfLocalhost } from '../../../local/certificates';
import { startIamFront } from '../../../local/iam-front';
import { startPgBouncer } from '../../../local/pgbouncer';
import { PostgresMajor, PostgresUser, startPostgres } from '../../../local/postgres';
import { startValkey } from '../../../local/valkey';
import { resourcesOf, synthesise } from '../../../test/tenancy/templates';
import { startTenantData } from './tenant-data';

/** What a test asks for, one a line. */
interface Command {
  readonly restart?: 'postgres' | 'valkey' | 'proxy';
  /** Name and value of a secret that changes; null deletes it. */
  readonly secret?: [string, object | null];
  /** Whom the proxy logs in from now on, with which password. */
  readonly proxyUser?: PostgresUser;
  /** What became of the tokens of IAM since this was asked last. */
  readonly tokens?: true;
}

const TOKEN = 'token-of-the-cache';
/** Login of web, worker and beat to Superset's metadata; that of their owner is `metadata`. */
const WEB_SECRET = 'metadata-web';

/** Major version of the server of Superset's metadata. */
const METADATA_POSTGRES = Number(process.env.METADATA_POSTGRES ?? 17) as PostgresMajor;

async function main(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'tenancy-superset-'));
  // What the provisioner logs is not for whoever reads the answer.
  const print = console.log;
  console.log = console.error;
  const python = await ensureEmulatorPython(findPython(), join(directory, 'python.log'));
  const [tenants, metadata, valkey] = await Promise.all([
    startTenantData(process.argv[2]),
    startPostgres({ version: METADATA_POSTGRES, directory: join(directory, 'metadata') }),
    startValkey({ python, directory: join(directory, 'valkey'), password: TOKEN }),
  ]);
  const { environment } = tenants;

  tenants.secrets.set('metadata', { ...metadata.master });
  tenants.secrets.set(WEB_SECRET, { username: 'superset_web', password: `of web's "login" % \\ ö` });
  for (const { id, adminEmail } of environment.tenants) {
    tenants.secrets.set(`superset/tenant/${id}/admin_login`, { username: adminEmail, password: `admin of ${id}` });
  }
  const proxy = await startPgBouncer({
    postgres: tenants.postgres,
    directory: join(directory, 'proxy'),
    poolSize: 4,
    borrowTimeoutSeconds: 2,
  });
  const proxyUsers = new Map<string, string>();
  const setProxyUser = ({ username, password }: PostgresUser) => {
    proxyUsers.set(username, password);
    proxy.setUsers([...proxyUsers].map(([name, word]) => ({ username: name, password: word })));
  };
  for (const { id } of environment.tenants) {
    setProxyUser(tenants.secrets.get(`superset/tenant/${id}/db_credentials`) as unknown as PostgresUser);
  }
  const iam = await startIamFront({
    postgres: tenants.postgres,
    name: 'iam',
    region: environment.region,
    key: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  // For a test that listens in between Superset and the proxy.
  const listener = await certificateOfLocalhost('listener');
  writeFileSync(join(directory, 'listener.pem'), `${listener.certificate}\n${listener.key}`, { mode: 0o600 });
  const authorities = join(directory, 'authorities.pem');
  writeFileSync(
    authorities,
    [
      ...[tenants.postgres, metadata, valkey, proxy].map(({ caFile }) => readFileSync(caFile, 'utf8')),
      listener.authority,
      iam.authority,
    ].join('\n'),
  );
  const { username, password } = tenants.postgres.superuser;
  print(
    JSON.stringify({
      environment: {
        AWS_REGION: environment.region,
        AWS_ACCESS_KEY_ID: 'test',
        AWS_SECRET_ACCESS_KEY: 'test',
        AWS_ENDPOINT_URL_SECRETS_MANAGER: process.env.AWS_ENDPOINT_URL_SECRETS_MANAGER,
        PGSSLROOTCERT: authorities,
        SSL_CERT_FILE: authorities,
        SUPERSET_URL: 'https://superset.example.com',
        SUPERSET_DATABASE_HOST: metadata.host,
        SUPERSET_DATABASE_PORT: String(metadata.port),
        SUPERSET_DATABASE_NAME: 'analytics',
        SUPERSET_DATABASE_SECRET: WEB_SECRET,
        SUPERSET_WEB_DATABASE_SECRET: WEB_SECRET,
        SUPERSET_CACHE_HOST: valkey.host,
        SUPERSET_CACHE_PORT: String(valkey.port),
        SUPERSET_CACHE_TOKEN: TOKEN,
        SUPERSET_SECRET_KEY: 'a key for tests that is long enough to sign with',
        SUPERSET_GUEST_TOKEN_SECRET: 'another key for tests that is long enough to sign with',
        SUPERSET_ASYNC_QUERIES_SECRET: 'a third key for tests that is long enough to sign with',
        SUPERSET_TENANT_SECRET: 'superset/tenant/{tenant}/db_credentials',
        SUPERSET_TENANT_ADMIN_SECRET: 'superset/tenant/{tenant}/admin_login',
        SUPERSET_LOADER_SECRET: 'superset/loader/db_credentials',
      },
      // Only to set scenes, and to look at what came of them.
      superuser: {
        host: tenants.postgres.host,
        port: tenants.postgres.port,
        dbname: tenants.databaseOf(environment.tenants[0].id),
        user: username,
        password,
        sslmode: 'verify-full',
        sslrootcert: tenants.postgres.caFile,
      },
      tenants: environment.tenants.map((tenant) => ({ ...tenant, database: tenants.databaseOf(tenant.id) })),
      proxy: { host: proxy.host, port: proxy.port, listener: join(directory, 'listener.pem') },
      tokenProxy: `${iam.host}:${iam.port}`,
      commands: commandsOf(environment),
    }),
  );

  const answer = (text: object) => print(JSON.stringify(text));
  for await (const line of process.stdin) {
    for (const command of String(line).trim().split('\n').filter(Boolean)) {
      const { restart, secret, proxyUser, tokens: tell } = JSON.parse(command) as Command;
      if (restart === 'postgres') await tenants.postgres.restart();
      if (restart === 'valkey') await valkey.restart();
      if (restart === 'proxy') await proxy.restart();
      if (secret) {
        const [name, value] = secret;
        if (value) tenants.secrets.set(name, value as Record<string, string>);
        else tenants.secrets.delete(name);
      }
      if (proxyUser) setProxyUser(proxyUser);
      answer({ done: true, ...(tell && { taken: iam.taken.splice(0), refusals: iam.refusals.splice(0) }) });
    }
  }
  await Promise.all([proxy.stop(), iam.stop()]);
  await Promise.all([tenants.stop(), metadata.stop(), valkey.stop()]);
  rmSync(directory, { recursive: true, force: true });
  process.exit(0);
}

/** What the containers of the synthesised template run, by name. */
function commandsOf(environment: Environment): Record<string, string[]> {
  process.env.CDK_VALIDATION = 'false';
  const definitions = Object.values(resourcesOf(synthesise(environment), /^AWS::ECS::TaskDefinition$/));
  const containers = definitions.flatMap(({ Properties }) => Properties.ContainerDefinitions as Container[]);
  return Object.fromEntries(containers.map(({ Name, Command }) => [Name, Command]));
}

interface Container {
  readonly Name: string;
  readonly Command: string[];
}

void main();
