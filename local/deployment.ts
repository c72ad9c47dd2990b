import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { TenancyModel } from '../lib/environment/environment';
import { TenantLoaderSecret } from '../lib/tenant/tenant-loader-secret';
import { Account } from './account';
import { cdk } from './cdk';
import { EmulatedServer } from './emulator';
import { Entrance, LocalCloud, ProxyInTemplate } from './local-cloud';
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
 * Deploys a synthesised app with the CDK CLI, or one of its stacks and no other; answers what the CLI wrote.
 *
 * The servers of the template that a function or task of it connects to are those of this machine.
 */
export async function deploy(cloud: LocalCloud, assembly: string, stack?: string): Promise<string> {
  cloud.emulator.setServers(serversOf(cloud, assembly));
  const args = [
    'deploy',
    ...(stack ? [stack, '--exclusively'] : ['--all']),
    '--concurrency',
    '3',
    '--app',
    assembly,
    '--require-approval',
    'never',
    '--progress',
    'events',
  ];
  try {
    return await Promise.race([cdk(args, cloud.emulator, cloud.log('deploy'), cloud.directory), cloud.died]);
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

/** What stands behind the servers of the templates. */
export function serversOf(cloud: LocalCloud, assembly: string): Record<string, EmulatedServer> {
  const postgres = ({ host, port, caFile, master, superuser }: LocalPostgres) => ({
    ...{ host, port, caFile },
    ...master,
    superuser,
  });
  const behind = <Real>(ids: string[], real: (index: number) => Real, as: (real: Real) => EmulatedServer) =>
    Object.fromEntries(ids.map((id, index) => [id, as(real(index))]));
  const proxies = resourcesOf(assembly, 'AWS::RDS::DBProxy').map(([id]) => id);
  return {
    ...behind(shardsOf(assembly), (index) => nth(cloud.shards, index, 'servers of tenants'), postgres),
    // Behind a proxy nobody is to change anything.
    ...behind(
      proxies.filter((id) => cloud.proxies.has(logicalIdOf(id))),
      (index) => cloud.proxies.get(logicalIdOf(proxies[index]))!,
      ({ host, port, caFile }) => ({ host, port, caFile, username: '', password: '' }),
    ),
    ...(cloud.options.runsSuperset && {
      ...behind(metadataServersOf(assembly), () => cloud.metadataPostgres, postgres),
      ...behind(
        resourcesOf(assembly, 'AWS::ElastiCache::ReplicationGroup').map(([id]) => id),
        (index) => nth(cloud.valkeys, index, 'caches'),
        (valkey) => ({ ...valkey, ...valkey.administrator }),
      ),
    }),
  };
}

function nth<Part>(parts: Part[], index: number, what: string): Part {
  if (index >= parts.length) {
    throw new Error(`the templates have more ${what} than the ${parts.length} that were started`);
  }
  return parts[index];
}

/** The servers of tenants, in the order of the templates. */
function shardsOf(assembly: string): string[] {
  return databaseServers(assembly, ({ DBName }) => DBName !== METADATA);
}

/** The servers that hold nothing but Superset's metadata. */
function metadataServersOf(assembly: string): string[] {
  return databaseServers(assembly, ({ DBName }) => DBName === METADATA);
}

const METADATA = 'superset';

function databaseServers(assembly: string, isWanted: (properties: Record<string, unknown>) => boolean): string[] {
  return resourcesOf(assembly, 'AWS::RDS::DBInstance')
    .filter(([, properties]) => isWanted(properties))
    .map(([id]) => id);
}

function logicalIdOf(id: string): string {
  return id.split('/').at(-1)!;
}

function stackOf(id: string): string {
  return id.split('/')[0];
}

interface Listener {
  readonly DefaultActions: { readonly FixedResponseConfig?: { readonly StatusCode: string } }[];
}

interface ListenerRule {
  readonly ListenerArn: { readonly 'Fn::GetStackOutput'?: { readonly StackName: string } };
  readonly Priority: number;
  readonly Conditions: { readonly HostHeaderConfig?: { readonly Values: string[] } }[];
}

/** The load balancers of a synthesised app, with what their listeners do with a host name. */
export function entrancesOf(assembly: string): Entrance[] {
  const rules = resourcesOf(assembly, 'AWS::ElasticLoadBalancingV2::ListenerRule')
    .map(([id, properties]) => ({ to: stackOf(id), ...(properties as unknown as ListenerRule) }))
    .sort((a, b) => a.Priority - b.Priority);
  return resourcesOf(assembly, 'AWS::ElasticLoadBalancingV2::Listener').map(([id, properties]) => {
    const stack = stackOf(id);
    const [{ FixedResponseConfig: refusal }] = (properties as unknown as Listener).DefaultActions;
    return {
      stack,
      rules: rules
        .filter(({ to, ListenerArn }) => (ListenerArn['Fn::GetStackOutput']?.StackName ?? to) === stack)
        .map(({ to, Conditions }) => ({
          to,
          hosts: Conditions.flatMap(({ HostHeaderConfig }) => HostHeaderConfig?.Values ?? []),
        })),
      otherwise: refusal ? Number(refusal.StatusCode) : stack,
    };
  });
}

/** The proxies of a synthesised app. */
export function proxiesOf(assembly: string): ProxyInTemplate[] {
  const shards = shardsOf(assembly);
  return resourcesOf(assembly, 'AWS::RDS::DBProxyTargetGroup').map(([, properties]) => {
    const { DBProxyName, DBInstanceIdentifiers, ConnectionPoolConfigurationInfo } =
      properties as unknown as TargetGroup;
    return {
      logicalId: DBProxyName.Ref,
      shard: shards.findIndex((id) => logicalIdOf(id) === DBInstanceIdentifiers[0].Ref),
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

/** Resources of a type in all stacks, by `<stack>/<logical id>`. */
function resourcesOf(assembly: string, type: string): [id: string, properties: Record<string, unknown>][] {
  return stacksOf(assembly).flatMap(([stack, { Resources }]) =>
    Object.entries(Resources ?? {})
      .filter(([, { Type }]) => Type === type)
      .map(([id, { Properties }]): [string, Record<string, unknown>] => [`${stack}/${id}`, Properties ?? {}]),
  );
}

/** Path that the load balancer asks the web server for. */
export function healthCheckPath(assembly: string): string {
  const [group] = resourcesOf(assembly, 'AWS::ElasticLoadBalancingV2::TargetGroup');
  if (!group) {
    throw new Error('no template has a target group');
  }
  return group[1].HealthCheckPath as string;
}

interface Manifest {
  readonly artifacts: Record<
    string,
    { readonly type: string; readonly properties: { readonly stackName?: string; readonly templateFile: string } }
  >;
}

/** Names of the stacks of an assembly, but for those nested in them. */
export function stackNames(assembly: string): string[] {
  return stacksOf(assembly).map(([name]) => name);
}

/** The stacks of an assembly, but for those nested in them. */
function stacksOf(assembly: string): [name: string, template: Template][] {
  const read = (file: string) => JSON.parse(readFileSync(join(assembly, file), 'utf8'));
  const { artifacts } = read('manifest.json') as Manifest;
  return Object.entries(artifacts)
    .filter(([, { type }]) => type === 'aws:cloudformation:stack')
    .map(([id, { properties }]) => [properties.stackName ?? id, read(properties.templateFile) as Template]);
}

const FAILURE = /_FAILED +\| \S+ +\| .+? \((\w+)\) (.+?)(?:\n\n|\n\S+ \| |$)/gs;

/** Why resources failed, without the progress of the others. */
function reasonOf(output: string): string {
  const reasons = [...output.matchAll(FAILURE)].map(([, logicalId, reason]) => `${logicalId}: ${reason}`);
  const lastLines = output.trimEnd().split('\n').slice(-8).join('\n');
  return `The deployment failed. ${reasons.length > 0 ? [...new Set(reasons)].join('\n') : lastLines}\n`;
}
