// Runs the overlay's tests with the Python that Superset runs in. Arguments go to pytest: npx tsx superset/tests/run.ts -k pools
// With --model database-per-tenant first, Superset's tenants have a database each. Not all tests are about that model.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { CACHE, REPOSITORY } from '../../local/directories';
import { run } from '../../local/processes';
import { ensureEmulatorPython, ensureSupersetPython, findPython } from '../../local/python';

const REQUIREMENTS = join(__dirname, 'requirements.txt');

async function main(): Promise<void> {
  mkdirSync(CACHE, { recursive: true });
  const log = join(CACHE, 'overlay-tests.log');
  const emulator = await ensureEmulatorPython(findPython(), log);
  const python = await ensureSupersetPython(findPython(), emulator, log);
  const pytest = await ensurePytest(emulator, python, log);
  const [first, model, ...rest] = process.argv.slice(2);
  const forModel = first === '--model';
  const { status } = spawnSync(python, ['-m', 'pytest', ...(forModel ? rest : process.argv.slice(2))], {
    cwd: join(REPOSITORY, 'superset'),
    stdio: 'inherit',
    env: {
      ...process.env,
      ...(forModel && { TENANCY_TEST_MODEL: model }),
      PYTHONPATH: [join(REPOSITORY, 'superset'), pytest].join(delimiter),
      PYTHONDONTWRITEBYTECODE: '1',
    },
  });
  process.exit(status ?? 1);
}

/** Pytest in a directory beside Superset's environment, which stays what its lock says. */
async function ensurePytest(emulator: string, python: string, log: string): Promise<string> {
  const pins = createHash('sha256').update(readFileSync(REQUIREMENTS)).update(python).digest('hex');
  const directory = join(CACHE, `pytest-${pins.slice(0, 12)}`);
  if (!existsSync(directory)) {
    const making = `${directory}.${process.pid}`;
    const options = ['--quiet', '--require-hashes', '--requirement', REQUIREMENTS, '--target', making];
    await run(emulator, ['-m', 'uv', 'pip', 'install', '--python', python, ...options], log);
    rmSync(directory, { recursive: true, force: true });
    renameSync(making, directory);
  }
  return directory;
}

main().catch((error: Error) => {
  console.error(error.message);
  process.exit(1);
});
