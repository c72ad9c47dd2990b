import { join } from 'node:path';
import { Listr, ListrTask, PRESET_TIMER } from 'listr2';
import { Account } from './account';
import { DemoUser, addDemoUsers } from './demo-users';
import {
  bootstrap,
  deploy,
  entrancesOf,
  healthCheckPath,
  loaderLogins,
  proxiesOf,
  synthesise,
  tenantLogins,
} from './deployment';
import { REPOSITORY } from './directories';
import { loadRows, makeTables } from './example-data';
import { InstanceProof, proveApart } from './instance-isolation';
import { LocalCloud } from './local-cloud';
import { Login } from './login';
import { PlatformAdministrator, addPlatformAdministrator } from './platform-administrator';
import { freePort } from './ports';
import { run } from './processes';
import { TenantProof, expectUnreadable, proveTenants } from './proof';
import { findPython } from './python';
import { Superset } from './superset';
import { PersonProof, proveThroughSuperset } from './superset-proof';
import { hasDatabases } from './tenant-tables';
import { ExampleEnvironment, ExampleTenant } from './example-environment';
import { TenancyModel } from '../lib/environment/environment';

const BUNDLE = join(REPOSITORY, 'scripts', 'bundle.mjs');

/** A step that failed; the reason is told once, at the end. */
export class StepFailed extends Error {
  constructor(cause: unknown) {
    super('', { cause });
  }
}

/** What the steps hand on. */
export interface Progress {
  readonly environment: ExampleEnvironment;
  readonly cloud: LocalCloud;
  account: Account;
  loaders: ReadonlyMap<string, Login>;
  logins: ReadonlyMap<string, Login>;
  proofs: TenantProof[];
  users: DemoUser[];
  /** Of each Superset. */
  platforms: ReadonlyMap<Superset, PlatformAdministrator>;
  supersetProofs: PersonProof[];
  /** Where each tenant has a Superset of its own. */
  instanceProofs: InstanceProof[];
}

/** Deploys an app with an environment of that name, gives it data, and proves its isolation, showing each step. */
export function deployAndProve(
  app: string,
  name: string,
  given: Pick<Progress, 'environment' | 'cloud'>,
): Promise<Progress> {
  const { environment, cloud } = given;
  const { emulatorPort, postgresPort, webPort } = cloud.options;
  const assembly = join(cloud.directory, 'cdk.out');
  return steps([
    step('Tools and ports of this machine', async () => {
      findPython();
      await freePort('--emulator-port', emulatorPort);
      await freePort('--postgres-port', postgresPort);
      await freePort('--web-port', webPort);
    }),
    atOnce('Parts', [
      step('PostgreSQL of the tenants', () => cloud.startPostgres()),
      ...(cloud.options.instances
        ? []
        : [step("PostgreSQL of Superset's metadata", () => cloud.startMetadataPostgres())]),
      step("Emulator's Python packages", () => cloud.prepareEmulatorPython()),
      step('Lambda code', () => run(process.execPath, [BUNDLE], cloud.log('bundle'))),
    ]),
    step('Emulator of AWS', () => cloud.startEmulator()),
    atOnce('CDK and Superset', [
      step('cdk bootstrap', () => bootstrap(cloud)),
      step('cdk synth', () => synthesise(cloud, app, assembly, '--context', `env=${name}`)),
      step('Valkey', () => cloud.startValkey()),
      ...(cloud.options.image ? [] : [step("Superset's Python packages", () => cloud.prepareSupersetPython())]),
    ]),
    ...(environment.model === TenancyModel.DATABASE_PER_TENANT
      ? [step('Proxies', () => cloud.startProxies(proxiesOf(assembly)))]
      : []),
    step(`cdk deploy, with ${environment.tenants.length} tenants and the migration of Superset`, async () => {
      await cloud.startSuperset(cloud.options.instances && entrancesOf(assembly));
      await deploy(cloud, assembly);
    }),
    hasDatabases(environment)
      ? step("Tables of each tenant's ETL", async (progress) => {
          await logIn(progress);
          await Promise.all([...progress.loaders.values()].map((loader) => makeTables(environment, loader)));
        })
      : step('Tables of the ETL, unreadable until a reconcile has protected them', async (progress) => {
          await logIn(progress);
          await makeTables(environment, progress.loaders.values().next().value as Login);
          await expectUnreadable(environment, progress.logins);
          await progress.account.reconcile();
        }),
    step('Example data', ({ loaders }) => loadRows(environment, loaders)),
    step('Proof of isolation, as each tenant', async (progress) => {
      progress.proofs = await proveTenants(environment, progress.logins, progress.loaders);
    }),
    step('Superset is healthy', () => onEach(cloud, environment, ({ healthy }) => healthy(healthCheckPath(assembly)))),
    atOnce('People', [
      step('An analyst and a viewer of each tenant', async (progress) => {
        progress.users = (await onEach(cloud, environment, addDemoUsers)).flat();
      }),
      step('An administrator of the platform', async (progress) => {
        progress.platforms = new Map(
          await onEach(
            cloud,
            environment,
            async (superset) => [superset, await addPlatformAdministrator(superset)] as const,
          ),
        );
      }),
    ]),
    step('Proof through Superset, as an analyst, a viewer and a guest of each tenant', async (progress) => {
      const { users, platforms, loaders } = progress;
      progress.supersetProofs = await proveThroughSuperset(cloud, environment, users, platforms, loaders);
    }),
    ...(cloud.options.instances
      ? [
          step('Proof that what opens one Superset opens no other', async (progress) => {
            const { account, users, platforms } = progress;
            progress.instanceProofs = await proveApart(cloud, account, environment.tenants, users, platforms);
          }),
        ]
      : []),
  ]).run({ instanceProofs: [], ...given } as unknown as Progress);
}

async function logIn(progress: Progress): Promise<void> {
  const { cloud, environment } = progress;
  progress.account = new Account(cloud.emulator);
  progress.logins = await tenantLogins(cloud, progress.account, environment.tenants);
  progress.loaders = await loaderLogins(cloud, progress.account, environment);
}

/** Does something with each Superset and the tenants that it is for, with all of them at once. */
function onEach<Result>(
  cloud: LocalCloud,
  { tenants }: ExampleEnvironment,
  work: (superset: Superset, tenants: ExampleTenant[]) => Promise<Result>,
): Promise<Result[]> {
  return Promise.all(
    cloud.supersets.map((superset) =>
      work(
        superset,
        tenants.filter(({ id }) => cloud.supersetOf(id) === superset),
      ),
    ),
  );
}

function steps(tasks: ListrTask<Progress>[]): Listr<Progress> {
  return new Listr<Progress>(tasks, {
    registerSignalListeners: false,
    rendererOptions: { timer: PRESET_TIMER, collapseSubtasks: false },
    fallbackRendererOptions: { timer: PRESET_TIMER },
  });
}

function step(title: string, work: (progress: Progress) => Promise<unknown>): ListrTask<Progress> {
  return {
    title,
    task: async (progress) => {
      try {
        await work(progress);
      } catch (error) {
        throw new StepFailed(error);
      }
    },
  };
}

function atOnce(title: string, tasks: ListrTask<Progress>[]): ListrTask<Progress> {
  return { title, task: (_, task) => task.newListr(tasks, { concurrent: true }) };
}
