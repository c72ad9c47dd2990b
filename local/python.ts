import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { CACHE } from './directories';
import { Problem } from './problem';
import { CommandFailed, run } from './processes';

const REQUIREMENTS = join(__dirname, 'requirements.txt');
const INTERPRETERS = ['python3.11', 'python3.12', 'python3.13', 'python3'];
const OLDEST = [3, 11];

/** The Python that the emulator's environment is made with. */
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
export async function ensurePythonEnvironment(interpreter: string, log: string): Promise<string> {
  const pins = createHash('sha256').update(readFileSync(REQUIREMENTS)).update(interpreter).digest('hex');
  const environment = join(CACHE, `python-${pins.slice(0, 12)}`);
  if (!succeeds(pythonOf(environment), ['-c', 'import ministack, pg8000'])) {
    rmSync(environment, { recursive: true, force: true });
    await makePythonEnvironment(interpreter, environment, log);
  }
  return pythonOf(environment);
}

/** Makes it beside its place and moves it there, since another run may be at the same. */
async function makePythonEnvironment(interpreter: string, environment: string, log: string): Promise<void> {
  const making = `${environment}.${process.pid}`;
  mkdirSync(CACHE, { recursive: true });
  try {
    await run(interpreter, ['-m', 'venv', making], log);
    const options = ['--quiet', '--require-hashes', '--requirement', REQUIREMENTS];
    await run(pythonOf(making), ['-m', 'pip', 'install', ...options], log);
    renameSync(making, environment);
  } catch (error) {
    rmSync(making, { recursive: true, force: true });
    if (!existsSync(environment)) {
      const reason = error instanceof CommandFailed ? error.output.match(/^ERROR: .*$/m)?.[0] : undefined;
      throw new Problem(
        `The emulator's Python packages cannot be installed (${reason ?? String(error)}).`,
        'Check that pip reaches its package index, then try again.',
      );
    }
  }
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
