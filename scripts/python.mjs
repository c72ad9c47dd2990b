// Makes the Python environment of the tests in .venv, from the pins of test/requirements.txt; prints its interpreter.
// Does nothing when it is there with these pins. To change them: uv pip compile test/requirements.in.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const environment = join(root, '.venv');
const requirements = join(root, 'test', 'requirements.txt');
const python = join(environment, 'bin', 'python');
const stamp = join(environment, 'requirements.txt');
const lock = join(root, '.venv.lock');

const current = () => existsSync(stamp) && readFileSync(stamp, 'utf8') === readFileSync(requirements, 'utf8');

/** Several test files may ask at once: one of them makes it, the others wait for it, or for its end. */
function takeLock() {
  for (;;) {
    try {
      writeFileSync(lock, String(process.pid), { flag: 'wx' });
      return true;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
      if (current()) return false;
      if (!ownerLives()) rmSync(lock, { force: true });
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 250);
    }
  }
}

function ownerLives() {
  try {
    process.kill(Number(readFileSync(lock, 'utf8')), 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

function findPython() {
  for (const candidate of ['python3.11', 'python3.12', 'python3.13', 'python3']) {
    try {
      execFileSync(candidate, ['-c', 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))'], {
        stdio: 'ignore',
      });
      return candidate;
    } catch {
      // the next one
    }
  }
  throw new Error('Python 3.11 or newer with the module venv is missing: install it so that python3 is on PATH.');
}

function make() {
  rmSync(environment, { recursive: true, force: true });
  const quiet = { stdio: ['ignore', 'ignore', 'inherit'] };
  execFileSync(findPython(), ['-m', 'venv', environment], quiet);
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--requirement', requirements];
  execFileSync(python, pip, quiet);
  const half = `${stamp}.half`;
  writeFileSync(half, readFileSync(requirements));
  renameSync(half, stamp);
}

if (!current() && takeLock()) {
  try {
    if (!current()) make();
  } finally {
    rmSync(lock, { force: true });
  }
}
console.log(python);
