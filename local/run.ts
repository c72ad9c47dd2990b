import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { Listr, PRESET_TIMER } from 'listr2';
import { Environment } from '../lib/environment/environment';
import { loadEnvironment } from '../lib/environment/load-environment';
import { Account } from './account';
import { bootstrap, deploy, loaderLogin, synthesise, tenantLogins } from './deployment';
import { REPOSITORY } from './directories';
import { loadRows, makeTables } from './example-data';
import { LocalCloud } from './local-cloud';
import { Login } from './login';
import { Problem } from './problem';
import { killAll, run } from './processes';
import { TenantProof, expectUnreadable, proveTenants } from './proof';
import { findPython } from './python';
import { report } from './report';

const EXAMPLE = join(REPOSITORY, 'examples', 'shared-rls');
const ENVIRONMENT = 'demo';
const BUNDLE = join(REPOSITORY, 'scripts', 'bundle.mjs');

interface Options {
  readonly check: boolean;
  readonly emulatorPort?: number;
  readonly postgresPort?: number;
}

/** What the steps hand on. */
interface Progress {
  environment: Environment;
  cloud: LocalCloud;
  account: Account;
  logins: ReadonlyMap<string, Login>;
  loader: Login;
  proofs: TenantProof[];
}

const options = new Command('npm run local --')
  .description('Deploys examples/shared-rls to an emulator of AWS and a PostgreSQL on this machine.')
  .option('--check', 'end when all is deployed and proved: with exit code 0, or 1 when something failed', false)
  .option('--emulator-port <number>', 'port of the emulator on 127.0.0.1 (default: a free one)', portNumber)
  .option('--postgres-port <number>', 'port of PostgreSQL on 127.0.0.1 (default: a free one)', portNumber)
  .parse()
  .opts<Options>();

void main();

async function main(): Promise<void> {
  const startedAt = Date.now();
  const environment = loadEnvironment(join(EXAMPLE, 'environments', `${ENVIRONMENT}.yaml`));
  const cloud = new LocalCloud({ ...environment, ...options });
  const interrupted = firstInterrupt();
  let exitCode = 0;
  try {
    const progress = await Promise.race([deployAndProve({ environment, cloud }), cloud.died, interrupted]);
    if (progress === 'interrupted') {
      exitCode = 130;
    } else {
      const { account, proofs } = progress;
      const { emulator } = cloud;
      const resources = await account.resources();
      console.log(report({ resources, servers: emulator.servers(), proofs, pretended: emulator.pretended() }));
      if (proofs.some(({ failures }) => failures.length > 0)) {
        throw new Problem('A tenant is not isolated: the table says where.', 'Do not deploy this version.');
      }
      console.log(`Ready after ${Math.round((Date.now() - startedAt) / 1_000)} s.`);
      if (!options.check) {
        console.log('All of it runs until you press Ctrl-C.');
        await Promise.race([cloud.died, interrupted]);
      }
    }
  } catch (error) {
    exitCode = 1;
    console.error(error instanceof Problem ? `\n${error.message}` : error);
  }
  await cloud.stop();
  process.exit(exitCode);
}

/** Resolves at the first Ctrl-C, or the like; the second one ends everything at once. */
function firstInterrupt(): Promise<'interrupted'> {
  return new Promise((resolve) => {
    let count = 0;
    const interrupt = () => {
      if (++count === 1) {
        console.log('\nEnding what was started; press Ctrl-C again to force it.');
        resolve('interrupted');
      } else {
        killAll();
        process.exit(130);
      }
    };
    (['SIGINT', 'SIGTERM', 'SIGHUP'] as const).forEach((signal) => process.on(signal, interrupt));
  });
}

function portNumber(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1024 || number > 65535) {
    throw new InvalidArgumentError('A port is a number from 1024 to 65535.');
  }
  return number;
}

async function deployAndProve(given: Pick<Progress, 'environment' | 'cloud'>): Promise<Progress> {
  const { cloud, environment } = given;
  const assembly = join(cloud.directory, 'cdk.out');
  const steps = new Listr<Progress>(
    [
      { title: 'Tools of this machine', task: () => void findPython() },
      {
        title: 'Parts',
        task: (_, task) =>
          task.newListr(
            [
              { title: 'PostgreSQL', task: () => cloud.startPostgres() },
              { title: "Emulator's Python packages", task: () => cloud.preparePython() },
              {
                title: 'Lambda code',
                task: () => run(process.execPath, [BUNDLE], cloud.log('bundle')).then(() => undefined),
              },
            ],
            { concurrent: true },
          ),
      },
      { title: 'Emulator of AWS', task: () => cloud.startEmulator() },
      {
        title: 'CDK',
        task: (_, task) =>
          task.newListr(
            [
              { title: 'cdk bootstrap', task: () => bootstrap(cloud) },
              {
                title: 'cdk synth',
                task: () => synthesise(cloud, EXAMPLE, assembly, '--context', `env=${ENVIRONMENT}`),
              },
            ],
            { concurrent: true },
          ),
      },
      {
        title: `cdk deploy, with ${environment.tenants.length} tenants`,
        task: async (progress) => {
          await deploy(cloud, assembly);
          progress.account = new Account(cloud.emulator);
        },
      },
      {
        title: 'Tables of the ETL, unreadable until a reconcile has protected them',
        task: async (progress) => {
          const { account } = progress;
          progress.logins = await tenantLogins(cloud, account, environment.tenants);
          progress.loader = await loaderLogin(cloud, account);
          await makeTables(progress.loader);
          await expectUnreadable(environment, progress.logins);
          await account.reconcile();
        },
      },
      { title: 'Example data', task: ({ loader }) => loadRows(environment, loader) },
      {
        title: 'Proof of isolation, as each tenant',
        task: async (progress) => {
          progress.proofs = await proveTenants(environment, progress.logins, progress.loader);
        },
      },
    ],
    {
      ctx: given as Progress,
      rendererOptions: { timer: PRESET_TIMER, collapseSubtasks: false },
      fallbackRendererOptions: { timer: PRESET_TIMER },
      registerSignalListeners: false,
    },
  );
  return steps.run();
}
