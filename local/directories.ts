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
      rmSync(join(RUNS, run), { recursive: true, force: true });
    }
  }
  const directory = join(RUNS, `${process.pid}-${Date.now().toString(36)}`);
  mkdirSync(join(directory, 'tmp'), { recursive: true });
  mkdirSync(join(directory, 'home'), { recursive: true });
  return directory;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
