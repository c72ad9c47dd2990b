import { join } from 'node:path';
import { Listr, ListrTask, PRESET_TIMER } from 'listr2';
import { Account } from './account';
import { DemoUser, addDemoUsers } from './demo-users';
import { bootstrap, deploy, loaderLogins, synthesise, tenantLogins } from './deployment';
import { REPOSITORY } from './directories';
import { loadRows, makeTables } from './example-data';
import { Instance, InstanceProof, proveCrash, proveInstances } from './instance-proof';
import { LocalCloud } from './local-cloud';
import { Login } from './login';
import { PlatformAdministrator, addPlatformAdministrator } from './platform-administrator';
import { freePort } from './ports';
import { run } from './processes';
import { TenantProof, expectUnreadable, proveTenants } from './proof';
import { findPython } from './python';
import { PersonProof, proveThroughSuperset } from './superset-proof';
import { entrancesOf, healthCheckPath, proxiesOf, supersetsOf } from './templates';
import { hasDatabases, hasInstances } from './tenant-tables';
import { ExampleEnvironment } from './example-environment';

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
  platform: PlatformAdministrator[];
  supersetProofs: PersonProof[];
  /** One for each instance, and one of a crash; none in models without instances. */
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
      ...(hasInstances(environment)
        ? []
        : [step("PostgreSQL of Superset's metadata", () => cloud.startMetadataPostgres())]),
      step("Emulator's Python packages", () => cloud.prepareEmulatorPython()),
      step('Lambda code', () => run(process.execPath, [BUNDLE], cloud.log('bundle'))),
    ]),
    step('Emulator of AWS', () => cloud.startEmulator()),
    atOnce('CDK and Superset', [
      step('cdk bootstrap', () => bootstrap(cloud)),
      step('cdk synth', () => synthesise(cloud, app, assembly, '--context', `env=${name}`)),
      step("Superset's Python packages", () => cloud.prepareSupersetPython()),
    ]),
    atOnce('Caches and proxies', [
      step('Valkey', () => cloud.startValkey(supersetsOf(assembly))),
      ...(hasDatabases(environment) && !hasInstances(environment)
        ? [step('PgBouncer', () => cloud.startProxies(proxiesOf(assembly)))]
        : []),
    ]),
    step(`cdk deploy, with ${environment.tenants.length} tenants and the migration of Superset`, async () => {
      await cloud.startSuperset(supersetsOf(assembly), entrancesOf(assembly));
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
    step('Superset is healthy', () =>
      Promise.all(cloud.supersets.map((superset) => superset.healthy(healthCheckPath(assembly)))),
    ),
    atOnce('People', [
      step('An analyst and a viewer of each tenant', async (progress) => {
        const users = cloud.supersets.map((superset) => addDemoUsers(superset, environment.tenants));
        progress.users = (await Promise.all(users)).flat();
      }),
      step('An administrator of the platform', async (progress) => {
        progress.platform = await Promise.all(cloud.supersets.map(addPlatformAdministrator));
      }),
    ]),
    step('Proof through Superset, as an analyst, a viewer and a guest of each tenant', async (progress) => {
      const { users, platform, loaders } = progress;
      progress.supersetProofs = await proveThroughSuperset(cloud, environment, users, platform, loaders);
    }),
    ...(hasInstances(environment)
      ? [
          step('Keys, passwords and tokens of each instance, shown to the next', async (progress) => {
            progress.instanceProofs = await proveInstances(instancesOf(progress), progress.account);
          }),
          step('Crash of one instance', async (progress) => {
            const [crashing, serving] = instancesOf(progress);
            progress.instanceProofs.push(await proveCrash(crashing, serving, healthCheckPath(assembly)));
          }),
        ]
      : []),
  ]).run({ ...given, instanceProofs: [] as InstanceProof[] } as Progress);
}

/** The instances of a model that has a Superset for each tenant. */
export function instancesOf({ cloud, environment, users, platform, logins, proofs }: Progress): Instance[] {
  return environment.tenants.map((tenant) => {
    const superset = cloud.supersetOf(tenant.id);
    return {
      tenant,
      superset,
      users: users.filter((user) => user.tenant === tenant.id),
      platform: platform.find((person) => person.superset === superset) as PlatformAdministrator,
      login: logins.get(tenant.id) as Login,
      orders: proofs.find((proof) => proof.tenant.id === tenant.id)?.counted.orders ?? 0,
    };
  });
}

async function logIn(progress: Progress): Promise<void> {
  const { cloud, environment } = progress;
  progress.account = new Account(cloud.emulator);
  progress.logins = await tenantLogins(cloud, progress.account, environment.tenants);
  progress.loaders = await loaderLogins(cloud, progress.account, environment);
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
