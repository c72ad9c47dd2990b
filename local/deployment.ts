import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { TenancyModel } from '../lib/environment/environment';
import { TenantLoaderSecret } from '../lib/tenant/tenant-loader-secret';
import { Account } from './account';
import { cdk } from './cdk';
import { EmulatedServer } from './emulator';
import { LocalCloud, ProxyInTemplate } from './local-cloud';
import { Login } from './login';
import { LocalPostgres } from './postgres';
import { Problem } from './problem';
import { CommandFailed } from './processes';
import { ExampleEnvironment, ExampleTenant } from './example-environment';

interface Template {
  readonly Resources?: Record<string, { readonly Type: string; readonly Properties?: Record<string, unknown> }>;
}

/** Makes the account ready for the CDK, as is done once for each account. */
export async function bootstrap(cloud: LocalCloud): Promise<void> {
  const { account, region } = cloud.emulator;
  await cdk(['bootstrap', `aws://${account}/${region}`], cloud.emulator, cloud.log('bootstrap'), cloud.directory);
}

/** Synthesises the app in a directory. */
export async function synthesise(
  cloud: LocalCloud,
  app: string,
  assembly: string,
  ...options: string[]
): Promise<void> {
  try {
    await cdk(['synth', '--quiet', '--output', assembly, ...options], cloud.emulator, cloud.log('synth'), app);
  } catch (error) {
    const reason = error instanceof CommandFailed ? error.output.trimEnd() : String(error);
    throw new Problem(`cdk synth failed:\n${reason}\n`, 'Mend the app or its environment file.');
  }
}

/**
 * Deploys a synthesised app with the CDK CLI; answers what the CLI wrote.
 *
 * The servers of the template that a function or task of it connects to are those of this machine.
 */
export async function deploy(cloud: LocalCloud, assembly: string, ...options: string[]): Promise<string> {
  cloud.emulator.setServers(serversOf(cloud, assembly));
  const args = [
    'deploy',
    '--all',
    '--app',
    assembly,
    '--require-approval',
    'never',
    '--progress',
    'events',
    ...options,
  ];
  try {
    return await cdk(args, cloud.emulator, cloud.log('deploy'), cloud.directory);
  } catch (error) {
    throw error instanceof CommandFailed ? new Problem(reasonOf(error.output), 'Mend it and deploy again.') : error;
  }
}

/** The logins of the tenants, from their own secrets. */
export async function tenantLogins(
  cloud: LocalCloud,
  account: Account,
  tenants: ExampleTenant[],
): Promise<Map<string, Login>> {
  const logins = tenants.map(async ({ id }) => [id, await loginOf(cloud, account, tenantSecretName(id))] as const);
  return new Map(await Promise.all(logins));
}

/** The login of the operator's ETL. */
export async function loaderLogin(cloud: LocalCloud, account: Account): Promise<Login> {
  const { LOADER_SECRET } = await account.provisionerEnvironment();
  return loginOf(cloud, account, LOADER_SECRET);
}

/** The login of each tenant's ETL. */
export async function loaderLogins(
  cloud: LocalCloud,
  account: Account,
  { model, tenants }: ExampleEnvironment,
): Promise<Map<string, Login>> {
  if (model === TenancyModel.SHARED_RLS) {
    const login = await loaderLogin(cloud, account);
    return new Map(tenants.map(({ id }) => [id, login]));
  }
  const logins = tenants.map(
    async ({ id }) => [id, await loginOf(cloud, account, TenantLoaderSecret.nameFor(id))] as const,
  );
  return new Map(await Promise.all(logins));
}

/** Name of a tenant's secret. */
export function tenantSecretName(id: string): string {
  return `superset/tenant/${id}/db_credentials`;
}

async function loginOf(cloud: LocalCloud, account: Account, secret: string): Promise<Login> {
  const login = await account.databaseSecret(secret);
  if (!login) {
    throw new Error(`there is no secret ${secret}`);
  }
  return { ...login, caFile: cloud.shardsCaFile };
}

/** What stands behind the servers of the template, by their logical ids. */
function serversOf(cloud: LocalCloud, assembly: string): Record<string, EmulatedServer> {
  const hosts = hostVariables(assembly);
  const behind = (variable: string, server: () => EmulatedServer) =>
    Object.fromEntries((hosts.get(variable) ?? []).map((id) => [id, server()]));
  const postgres = ({ host, port, caFile, master }: LocalPostgres) => ({ host, port, caFile, ...master });
  return {
    ...Object.fromEntries(shardsOf(assembly).map((id, index) => [id, postgres(shardAt(cloud, index))])),
    // Behind a proxy nobody is to change anything.
    ...Object.fromEntries(
      [...cloud.proxies].map(([id, { host, port, caFile }]) => [
        id,
        { host, port, caFile, username: '', password: '' },
      ]),
    ),
    ...(cloud.options.runsSuperset && {
      ...behind('SUPERSET_DATABASE_HOST', () => postgres(cloud.metadataPostgres)),
      ...behind('SUPERSET_CACHE_HOST', () => ({ ...cloud.valkey, ...cloud.valkey.administrator })),
    }),
  };
}

function shardAt({ shards }: LocalCloud, index: number): LocalPostgres {
  if (index >= shards.length) {
    throw new Error(`the template has more servers of tenants than the ${shards.length} that were started`);
  }
  return shards[index];
}

/** Logical ids of the servers of tenants: all that Superset does not keep its metadata on, in the order of the template. */
function shardsOf(assembly: string): string[] {
  const metadata = hostVariables(assembly).get('SUPERSET_DATABASE_HOST') ?? [];
  return resourcesOf(assembly, 'AWS::RDS::DBInstance')
    .map(([id]) => id)
    .filter((id) => !metadata.includes(id));
}

/** The proxies of a synthesised app. */
export function proxiesOf(assembly: string): ProxyInTemplate[] {
  const shards = shardsOf(assembly);
  return resourcesOf(assembly, 'AWS::RDS::DBProxyTargetGroup').map(([, properties]) => {
    const { DBProxyName, DBInstanceIdentifiers, ConnectionPoolConfigurationInfo } =
      properties as unknown as TargetGroup;
    return {
      logicalId: DBProxyName.Ref,
      shard: shards.indexOf(DBInstanceIdentifiers[0].Ref),
      poolSize: POOL_SIZE,
      borrowTimeoutSeconds: ConnectionPoolConfigurationInfo.ConnectionBorrowTimeout,
    };
  });
}

interface TargetGroup {
  readonly DBProxyName: { readonly Ref: string };
  readonly DBInstanceIdentifiers: { readonly Ref: string }[];
  readonly ConnectionPoolConfigurationInfo: { readonly ConnectionBorrowTimeout: number };
}

/** Connections of one tenant: RDS Proxy has a bound for all of them together, which PgBouncer does not know. */
const POOL_SIZE = 10;

function resourcesOf(assembly: string, type: string): [logicalId: string, properties: Record<string, unknown>][] {
  return templates(assembly)
    .flatMap(({ Resources }) => Object.entries(Resources ?? {}))
    .filter(([, { Type }]) => Type === type)
    .map(([id, { Properties }]) => [id, Properties ?? {}]);
}

type Reference = { readonly 'Fn::GetAtt'?: [string, string] } | undefined;

/** Logical ids of the resources whose attributes functions and containers are given, by the name of the variable. */
function hostVariables(assembly: string): Map<string, string[]> {
  const ids = new Map<string, string[]>();
  for (const { Type, Properties } of templates(assembly).flatMap(({ Resources }) => Object.values(Resources ?? {}))) {
    for (const [name, value] of variablesOf(Type, Properties ?? {})) {
      const id = value?.['Fn::GetAtt']?.[0];
      if (id) {
        ids.set(name, [...(ids.get(name) ?? []), id]);
      }
    }
  }
  return ids;
}

function variablesOf(type: string, properties: Record<string, unknown>): [string, Reference][] {
  if (type === 'AWS::Lambda::Function') {
    const { Variables } = (properties.Environment ?? {}) as { Variables?: Record<string, Reference> };
    return Object.entries(Variables ?? {});
  }
  if (type === 'AWS::ECS::TaskDefinition') {
    const containers = properties.ContainerDefinitions as { Environment?: { Name: string; Value: Reference }[] }[];
    return containers.flatMap(({ Environment }) =>
      (Environment ?? []).map(({ Name, Value }) => [Name, Value] as [string, Reference]),
    );
  }
  return [];
}

/** Path that the load balancer asks the web server for. */
export function healthCheckPath(assembly: string): string {
  const [group] = resourcesOf(assembly, 'AWS::ElasticLoadBalancingV2::TargetGroup');
  if (!group) {
    throw new Error('no template has a target group');
  }
  return group[1].HealthCheckPath as string;
}

function templates(assembly: string): Template[] {
  return readdirSync(assembly)
    .filter((file) => file.endsWith('.template.json'))
    .map((file) => JSON.parse(readFileSync(join(assembly, file), 'utf8')) as Template);
}

const FAILURE = /_FAILED +\| \S+ +\| .+? \((\w+)\) (.+?)(?:\n\n|\n\S+ \| |$)/gs;

/** Why resources failed, without the progress of the others. */
function reasonOf(output: string): string {
  const reasons = [...output.matchAll(FAILURE)].map(([, logicalId, reason]) => `${logicalId}: ${reason}`);
  const lastLines = output.trimEnd().split('\n').slice(-8).join('\n');
  return `The deployment failed. ${reasons.length > 0 ? [...new Set(reasons)].join('\n') : lastLines}\n`;
}
