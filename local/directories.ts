import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

export const REPOSITORY = join(__dirname, '..');

/** What is kept between runs; it may be deleted at any time that nothing runs. */
export const CACHE = join(REPOSITORY, '.local');

const RUNS = join(CACHE, 'runs');

/** Makes the directory of one run, and clears away those of runs that were killed. */
export function makeRunDirectory(): string {
  mkdirSync(RUNS, { recursive: true });
  for (const run of readdirSync(RUNS)) {
    if (!isAlive(Number(run.split('-')[0]))) {
      clear(join(RUNS, run));
    }
  }
  const directory = join(RUNS, `${process.pid}-${Date.now().toString(36)}`);
  mkdirSync(join(directory, 'tmp'), { recursive: true });
  mkdirSync(join(directory, 'home'), { recursive: true });
  return directory;
}

/** A command of a run that was killed may still write for a moment: then it is for the next run to clear. */
function clear(directory: string): void {
  try {
    rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOTEMPTY') {
      throw error;
    }
  }
}

/** Whether a process is there. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
