import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CACHE } from './directories';
import { Problem } from './problem';
import { CommandFailed, run } from './processes';

const REQUIREMENTS = join(__dirname, 'requirements.txt');
const ENVIRONMENT = join(CACHE, 'python');
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
  const python = join(ENVIRONMENT, 'bin', 'python');
  const stamp = join(ENVIRONMENT, 'installed');
  const pins = createHash('sha256').update(readFileSync(REQUIREMENTS)).update(interpreter).digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === pins && succeeds(python, ['-c', 'import ministack'])) {
    return python;
  }
  rmSync(ENVIRONMENT, { recursive: true, force: true });
  mkdirSync(CACHE, { recursive: true });
  try {
    await run(interpreter, ['-m', 'venv', ENVIRONMENT], log);
    await run(python, ['-m', 'pip', 'install', '--quiet', '--require-hashes', '--requirement', REQUIREMENTS], log);
  } catch (error) {
    const reason = error instanceof CommandFailed ? error.output.match(/^ERROR: .*$/m)?.[0] : undefined;
    throw new Problem(
      `The emulator's Python packages cannot be installed${reason ? ` (${reason})` : ''}.`,
      `Check that pip reaches its package index, then try again; ${log} has the whole output.`,
    );
  }
  writeFileSync(stamp, pins);
  return python;
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
