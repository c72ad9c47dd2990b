import { TenancyModel } from '../lib/environment/environment';
import { TenantLoaderSecret } from '../lib/tenant/tenant-loader-secret';
import { Account } from './account';
import { cdk } from './cdk';
import { EmulatedServer } from './emulator';
import { LocalCloud } from './local-cloud';
import { Login } from './login';
import { LocalPostgres } from './postgres';
import { Problem } from './problem';
import { CommandFailed } from './processes';
import { TemplateResource, addressOf, metadataServersOf, resourcesOf, shardsOf } from './templates';
import { ExampleEnvironment, ExampleTenant } from './example-environment';

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
 * Deploys a synthesised app with the CDK CLI, or one stack of it; answers what the CLI wrote.
 *
 * The servers of the template that a function or task of it connects to are those of this machine.
 */
export async function deploy(cloud: LocalCloud, assembly: string, stack?: string): Promise<string> {
  cloud.emulator.setServers(serversOf(cloud, assembly));
  const which = stack ? [stack, '--exclusively'] : ['--all'];
  const args = ['deploy', ...which, '--app', assembly, '--require-approval', 'never', '--progress', 'events'];
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

/** What stands behind the servers of the template, by their stacks and logical ids. */
function serversOf(cloud: LocalCloud, assembly: string): Record<string, EmulatedServer> {
  const postgres = ({ host, port, caFile, master }: LocalPostgres) => ({ host, port, caFile, ...master });
  const behind = (
    resources: TemplateResource[],
    server: (resource: TemplateResource, index: number) => EmulatedServer,
  ) => Object.fromEntries(resources.map((each, index) => [addressOf(each), server(each, index)]));
  return {
    ...behind(shardsOf(assembly), (_, index) => postgres(shardAt(cloud, index))),
    // Behind a proxy nobody is to change anything.
    ...behind(
      resourcesOf(assembly, 'AWS::RDS::DBProxy').filter(({ logicalId }) => cloud.proxies.has(logicalId)),
      ({ logicalId }) => {
        const { host, port, caFile } = cloud.proxies.get(logicalId)!;
        return { host, port, caFile, username: '', password: '' };
      },
    ),
    ...(cloud.options.runsSuperset && {
      ...behind(metadataServersOf(assembly), () => postgres(cloud.metadataPostgres)),
      ...behind(resourcesOf(assembly, 'AWS::ElastiCache::ReplicationGroup'), ({ stack }) => {
        const valkey = cloud.valkeyOf(stack);
        return { ...valkey, ...valkey.administrator };
      }),
    }),
  };
}

function shardAt({ shards }: LocalCloud, index: number): LocalPostgres {
  if (index >= shards.length) {
    throw new Error(`the template has more servers of tenants than the ${shards.length} that were started`);
  }
  return shards[index];
}

const FAILURE = /_FAILED +\| \S+ +\| .+? \((\w+)\) (.+?)(?:\n\n|\n\S+ \| |$)/gs;

/** Why resources failed, without the progress of the others. */
function reasonOf(output: string): string {
  const reasons = [...output.matchAll(FAILURE)].map(([, logicalId, reason]) => `${logicalId}: ${reason}`);
  const lastLines = output.trimEnd().split('\n').slice(-8).join('\n');
  return `The deployment failed. ${reasons.length > 0 ? [...new Set(reasons)].join('\n') : lastLines}\n`;
}
