import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Tenant } from '../lib/tenant/tenant';
import { Account } from './account';
import { cdk } from './cdk';
import { EmulatedServer } from './emulator';
import { LocalCloud } from './local-cloud';
import { Login } from './login';
import { Problem } from './problem';
import { CommandFailed } from './processes';

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
 * The servers of the template that a database provisioner connects to are the PostgreSQL of this machine.
 */
export async function deploy(cloud: LocalCloud, assembly: string, ...options: string[]): Promise<string> {
  const { host, port, caFile, master } = cloud.postgres;
  const server: EmulatedServer = { host, port, caFile, ...master };
  cloud.emulator.setServers(Object.fromEntries(tenantServers(assembly).map((id) => [id, server])));
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
  tenants: Tenant[],
): Promise<Map<string, Login>> {
  const logins = tenants.map(async ({ id }) => [id, await loginOf(cloud, account, tenantSecretName(id))] as const);
  return new Map(await Promise.all(logins));
}

/** The login of the operator's ETL. */
export async function loaderLogin(cloud: LocalCloud, account: Account): Promise<Login> {
  const { LOADER_SECRET } = await account.provisionerEnvironment();
  return loginOf(cloud, account, LOADER_SECRET);
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
  return { ...login, caFile: cloud.postgres.caFile };
}

/** Logical ids of the RDS instances that a function of the template connects to as DATABASE_HOST. */
function tenantServers(assembly: string): string[] {
  return templates(assembly).flatMap(({ Resources }) =>
    Object.values(Resources ?? {})
      .filter(({ Type }) => Type === 'AWS::Lambda::Function')
      .flatMap(({ Properties }) => {
        const { Variables } = (Properties?.Environment ?? {}) as { Variables?: Record<string, unknown> };
        const { 'Fn::GetAtt': reference } = (Variables?.DATABASE_HOST ?? {}) as { 'Fn::GetAtt'?: [string, string] };
        return reference ? [reference[0]] : [];
      }),
  );
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
