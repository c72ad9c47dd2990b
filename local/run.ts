import { join } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { TenancyModel } from '../lib/environment/environment';
import { EnvironmentFile } from '../lib/environment/environment-file';
import { EnvironmentFileError } from '../lib/environment/environment-file-error';
import { REPOSITORY } from './directories';
import { BuiltImage } from './image/build';
import { expectEnough, imageReport } from './image/report';
import { imageOfRepository } from './image/repository-image';
import { LocalCloud } from './local-cloud';
import { Problem } from './problem';
import { judgeRun } from './network/judged-run';
import { killAll, stopAll } from './processes';
import { report } from './report';
import { StepFailed, deployAndProve } from './steps';
import { ExampleEnvironment, withExampleData } from './example-environment';

const EXAMPLES = join(REPOSITORY, 'examples');
const ENVIRONMENT = 'demo';

/** What a shell gives for a command that SIGINT has ended. */
const INTERRUPTED = 130;

interface Options {
  readonly env: TenancyModel;
  readonly check: boolean;
  readonly image: boolean;
  readonly emulatorPort?: number;
  readonly postgresPort?: number;
  readonly webPort?: number;
}

const options = new Command('npm run local --')
  .description('Deploys an example to an emulator of AWS on this machine, with a real PostgreSQL and Superset.')
  .addOption(
    new Option('--env <model>', 'the example, which is named after its model')
      .choices(Object.values(TenancyModel))
      .default(TenancyModel.SHARED_RLS),
  )
  .option('--image', 'build the image, and run the tasks of Superset from it; needs root on Debian', false)
  .option('--check', 'end when all is deployed and proved: with exit code 0, or 1 when something failed', false)
  .option('--emulator-port <number>', 'port of the emulator on 127.0.0.1 (default: a free one)', portNumber)
  .option('--postgres-port <number>', 'port of PostgreSQL on 127.0.0.1 (default: a free one)', portNumber)
  .option('--web-port <number>', 'port of Superset on 127.0.0.1 (default: a free one)', portNumber)
  .parse()
  .opts<Options>();

void main();

async function main(): Promise<void> {
  const interrupted = firstInterrupt();
  let cloud: LocalCloud | undefined;
  let exitCode = 0;
  let failure: unknown;
  try {
    const file = join(EXAMPLES, options.env, 'environments', `${ENVIRONMENT}.yaml`);
    const environment = withExampleData(EnvironmentFile.load(file));
    const image = options.image ? await Promise.race([imageOfRepository(), interrupted]) : undefined;
    if (typeof image === 'number') {
      await stopAll();
      process.exit(image);
    }
    cloud = LocalCloud.for(environment, `Superset-${ENVIRONMENT}`, { ...options, image });
    exitCode = await Promise.race([show(cloud, environment), cloud.died, interrupted]);
    if (exitCode === 0 && !options.check) {
      console.log('All of it runs until you press Ctrl-C.');
      await Promise.race([cloud.died, interrupted]);
    }
    if (image && exitCode === 0) {
      await Promise.race([showTasks(cloud, image), interrupted]);
    }
  } catch (error) {
    exitCode = 1;
    failure = error instanceof StepFailed ? error.cause : error;
  }
  await cloud?.stop();
  if (failure) {
    console.error(failure instanceof Problem || failure instanceof EnvironmentFileError ? failure.message : failure);
  }
  process.exit(exitCode);
}

/** Deploys, proves and reports; answers the exit code. */
async function show(cloud: LocalCloud, environment: ExampleEnvironment): Promise<number> {
  const startedAt = Date.now();
  const progress = await deployAndProve(join(EXAMPLES, options.env), ENVIRONMENT, { environment, cloud });
  const { account, proofs, supersetProofs, instanceProofs } = progress;
  const { emulator, directory } = cloud;
  const supersetOf = (tenant: string) => cloud.supersetOf(tenant);
  const resources = await account.resources();
  const servers = emulator.servers();
  const pretended = emulator.pretended();
  const network = await judgeRun(cloud, join(directory, 'cdk.out'));
  console.log(report({ ...progress, resources, servers, pretended, network, supersetOf, directory }));
  if ([...proofs, ...supersetProofs, ...instanceProofs].some(({ failures }) => failures.length > 0)) {
    throw new Problem('A tenant is not isolated: the lines with PROBLEM say where.', 'Do not deploy this version.');
  }
  const denied = emulator.denied();
  if (denied.length > 0) {
    throw new Problem(
      `IAM refused, by the policies of the templates:\n${denied.join('\n')}\n`,
      'Do not deploy this version.',
    );
  }
  if (network.problems.length > 0) {
    throw new Problem(
      `The networks of the templates lack what the run has used:\n${network.problems.join('\n')}\n`,
      'Do not deploy this version.',
    );
  }
  console.log(`\nReady after ${Math.round((Date.now() - startedAt) / 1_000)} s.`);
  return 0;
}

/** Ends the tasks, and reports what they needed. */
async function showTasks(cloud: LocalCloud, image: BuiltImage): Promise<void> {
  const usages = await cloud.endTasks();
  console.log(`\n${imageReport(image, usages)}`);
  expectEnough(usages);
}

/** Resolves at the first Ctrl-C, or the like, with the exit code; the second one ends everything at once. */
function firstInterrupt(): Promise<number> {
  return new Promise((resolve) => {
    let count = 0;
    const interrupt = () => {
      if (++count === 1) {
        console.log('\nEnding what was started; press Ctrl-C again to force it.');
        resolve(INTERRUPTED);
      } else {
        killAll();
        process.exit(INTERRUPTED);
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
