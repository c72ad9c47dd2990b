import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { loadEnvironment } from '../lib/environment/load-environment';
import { REPOSITORY } from './directories';
import { LocalCloud } from './local-cloud';
import { Problem } from './problem';
import { killAll } from './processes';
import { report } from './report';
import { StepFailed, deployAndProve } from './steps';

const EXAMPLE = join(REPOSITORY, 'examples', 'shared-rls');
const ENVIRONMENT = 'demo';

interface Options {
  readonly check: boolean;
  readonly emulatorPort?: number;
  readonly postgresPort?: number;
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
  let failure: unknown;
  try {
    const progress = await Promise.race([
      deployAndProve(EXAMPLE, ENVIRONMENT, { environment, cloud }),
      cloud.died,
      interrupted,
    ]);
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
    failure = error instanceof StepFailed ? error.cause : error;
  }
  await cloud.stop();
  if (failure) {
    console.error(failure instanceof Problem ? `\n${failure.message}` : failure);
  }
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
