import { join } from 'node:path';
import { Client } from 'pg';
import { Environment } from '../../lib/environment/environment';
import { TableStrategy, TenantColumnType } from '../../lib/database/tenant-table';
import { TenancyModel } from '../../lib/environment/environment';
import { Tenant } from '../../lib/tenant/tenant';
import { Account } from '../../local/account';
import { cdk } from '../../local/cdk';
import {
  bootstrap,
  deploy,
  healthCheckPath,
  loaderLogin,
  loaderLogins,
  serversOf,
  stackNames,
  tenantSecretName,
} from '../../local/deployment';
import { REPOSITORY } from '../../local/directories';
import { ExampleEnvironment, withExampleData } from '../../local/example-environment';
import { LocalCloud } from '../../local/local-cloud';
import { Login, connect } from '../../local/login';
import { judgeRun } from '../../local/network/judged-run';
import { run } from '../../local/processes';
import recorded from '../network/recorded.json';
import { Change, STACK, synthesiseFleet, synthesiseStack } from './stack-under-test';
import { SAME, differences } from './unused-rights';

const DATABASE = 'analytics';

// The SDK's versions are pinned, and those take Node.js 20.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';

/** An environment with these tenants, and little else in it. */
export function environmentWith(tenants: Tenant[], overrides: Partial<Environment> = {}): ExampleEnvironment {
  return withExampleData({
    account: '123456789012',
    region: 'eu-central-1',
    model: TenancyModel.SHARED_RLS,
    network: { availabilityZones: ['eu-central-1a', 'eu-central-1b'] },
    domain: {
      name: 'superset.example.com',
      certificateArn: 'arn:aws:acm:eu-central-1:123456789012:certificate/00000000-0000-4000-8000-000000000000',
    },
    superset: { version: '6.1.0', image: '123456789012.dkr.ecr.eu-central-1.amazonaws.com/superset:6.1.0' },
    data: {
      tenantColumn: { name: 'tenant_id', type: TenantColumnType.UUID },
      tables: [
        { name: 'orders', strategy: TableStrategy.COLUMN },
        { name: 'events', strategy: TableStrategy.PARTITIONED },
        { name: 'notes', strategy: TableStrategy.SCHEMA },
      ],
    },
    tenants,
    ...overrides,
  });
}

/** A tenant with a value of its own. */
export function tenant(id: string, number: number, overrides: Partial<Tenant> = {}): Tenant {
  const value = `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;
  return { id, value, displayName: `Tenant ${number}`, adminEmail: `admin@${number}.example.com`, ...overrides };
}

/** The emulator and the PostgreSQL that the tests of one file deploy to. */
export class EnvironmentUnderTest {
  /** Starts the parts and bootstraps the account. Superset runs only if asked for: it takes most of the time. */
  public static async start(
    options: { runsSuperset?: boolean; shardCount?: number; freshSeconds?: number } = {},
  ): Promise<EnvironmentUnderTest> {
    const { account, region } = environmentWith([]);
    const cloud = new LocalCloud({ account, region, ...options });
    try {
      await Promise.all([
        cloud.startPostgres(),
        cloud.prepareEmulatorPython(),
        run(process.execPath, [join(REPOSITORY, 'scripts', 'bundle.mjs')], cloud.log('bundle')),
      ]);
      await cloud.startEmulator();
      await bootstrap(cloud);
      if (options.runsSuperset) {
        await Promise.all([cloud.startMetadataPostgres(), cloud.startValkey(), cloud.prepareSupersetPython()]);
        await cloud.startSuperset();
      }
      return new EnvironmentUnderTest(cloud);
    } catch (error) {
      await cloud.stop();
      throw error;
    }
  }

  public readonly account: Account;
  private assembly = '';
  private assemblies = 0;

  private constructor(public readonly cloud: LocalCloud) {
    this.account = new Account(cloud.emulator);
  }

  /** Synthesises and deploys; rejects with the reason when CloudFormation does. */
  public async deploy(environment: Environment, change?: Change): Promise<void> {
    this.synthesise(environment, change);
    await deploy(this.cloud, this.assembly);
  }

  /** Deploys, which must fail; answers what failed, and why. */
  public async failuresOf(environment: Environment, change?: Change): Promise<string[]> {
    const since = new Date(Math.floor(Date.now() / 1_000) * 1_000);
    await expect(this.deploy(environment, change)).rejects.toThrow();
    return this.account.failures(since);
  }

  /** Has the servers of an assembly be those of this machine, for whoever deploys it. */
  public useServersOf(assembly: string): void {
    this.assembly = assembly;
    this.cloud.emulator.setServers(serversOf(this.cloud, assembly));
  }

  /** What `cdk diff` says of an environment against what is deployed. */
  public async diff(environment: Environment): Promise<string> {
    this.synthesise(environment);
    return cdk(['diff', '--app', this.assembly], this.cloud.emulator, this.cloud.log('diff'), this.cloud.directory);
  }

  /** Turns termination protection off, and deletes the stacks that were synthesised last. */
  public async destroy(): Promise<void> {
    for (const stack of stackNames(this.assembly)) await this.account.allowDeletion(stack);
    await this.cdkDestroy();
  }

  /** `cdk destroy`, and nothing before it. */
  public async cdkDestroy(): Promise<void> {
    const args = ['destroy', '--all', '--force', '--app', this.assembly];
    await cdk(args, this.cloud.emulator, this.cloud.log('destroy'), this.cloud.directory);
  }

  /** Asks PostgreSQL itself, as nobody on RDS can. */
  public superuser<Row>(sql: string, database = DATABASE, shard = 0): Promise<Row[]> {
    const { host, port, caFile, superuser } = this.cloud.shards[shard];
    return query({ ...superuser, host, port: String(port), database, caFile }, sql);
  }

  /** Asks the server of Superset's metadata as its master user. */
  public metadata<Row>(sql: string, database: string): Promise<Row[]> {
    const { host, port, caFile, master } = this.cloud.metadataPostgres;
    return query({ ...master, host, port: String(port), database, caFile }, sql);
  }

  /** Resolves when Superset passes its health check. */
  public supersetIsHealthy(): Promise<void> {
    return Promise.race([this.cloud.superset.healthy(healthCheckPath(this.assembly)), this.cloud.died]);
  }

  /** Asks as the operator's ETL. */
  public async loader<Row>(sql: string): Promise<Row[]> {
    return query(await this.loaderLogin(), sql);
  }

  /** The login that loads the rows of each tenant. */
  public loaders(environment: ExampleEnvironment): Promise<Map<string, Login>> {
    return loaderLogins(this.cloud, this.account, environment);
  }

  public loaderLogin(): Promise<Login> {
    return loaderLogin(this.cloud, this.account);
  }

  /** Asks as a tenant, with its real secret. */
  public async tenant<Row>(id: string, sql: string): Promise<Row[]> {
    return query(await this.tenantLogin(id), sql);
  }

  public async tenantLogin(id: string): Promise<Login> {
    const secret = await this.account.databaseSecret(tenantSecretName(id));
    if (!secret) {
      throw new Error(`tenant ${id} has no secret`);
    }
    return { ...secret, caFile: this.cloud.shardsCaFile };
  }

  public stop(): Promise<void> {
    return stopUnrefused(this.cloud, { assembly: this.assembly });
  }

  private synthesise(environment: Environment, change?: Change): void {
    // Each in a directory of its own: the CDK stages an asset once in a process, and not again where it was removed.
    this.assembly = join(this.cloud.directory, `cdk.out-${++this.assemblies}`);
    if (environment.model === TenancyModel.INSTANCE_PER_TENANT) {
      synthesiseFleet(environment, STACK, this.assembly, change);
    } else {
      synthesiseStack(environment, this.assembly, change);
    }
  }
}

async function query<Row>(login: Login, sql: string): Promise<Row[]> {
  const client: Client = await connect(login);
  try {
    const result: unknown = await client.query(sql);
    return ((Array.isArray(result) ? result.at(-1) : result) as { rows: Row[] }).rows;
  } finally {
    await client.end();
  }
}

/** What was deployed to a cloud, for the end of its tests. */
export interface Deployed {
  /** @default - what `local/steps.ts` synthesises */
  readonly assembly?: string;
  /** Model whose example it is. @default - none */
  readonly example?: TenancyModel;
}

/**
 * Stops all, and fails if the policies of the templates have refused a call, or their networks lack what a connection needs. An
 * example makes only the connections that are recorded for its model, which the tests of the networks start from, and needs all
 * that its networks let through; docs/permissions.md lists the rights that it does not use.
 */
export async function stopUnrefused(cloud: LocalCloud, { assembly, example }: Deployed = {}): Promise<void> {
  try {
    expect(cloud.emulator.denied()).toEqual([]);
    const rights = cloud.emulator.rights();
    const { problems, observed, unused } = await judgeRun(cloud, assembly ?? join(cloud.directory, 'cdk.out'));
    expect(problems).toEqual([]);
    if (example) {
      // Which tasks are clients of a proxy is asked twice a second, so that no two runs need see the same.
      const always = observed.filter((line) => !line.endsWith('/Proxy'));
      expect(recorded[example]).toEqual(expect.arrayContaining(always));
      expect(unused).toEqual([]);
      expect(differences(rights, example)).toEqual(SAME);
    }
  } finally {
    await cloud.stop();
  }
}
