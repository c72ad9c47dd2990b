import { join } from 'node:path';
import { REPOSITORY } from './directories';
import { Emulator } from './emulator';
import { run } from './processes';

const CDK = join(REPOSITORY, 'node_modules', 'aws-cdk', 'bin', 'cdk');

/** Runs the CDK CLI against the emulator; answers what it wrote, and throws with the end of it when it fails. */
export function cdk(args: string[], emulator: Emulator, log: string, directory = REPOSITORY): Promise<string> {
  return run(process.execPath, [CDK, ...args, '--no-notices', '--no-color'], log, {
    cwd: directory,
    env: emulator.environment,
  });
}
