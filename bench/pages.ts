import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CACHE, REPOSITORY } from '../local/directories';
import { ensureEmulatorPython, ensureSupersetPython, findPython } from '../local/python';
import { fixed, median, table } from './results';

/** Commit that is compared with: the last one before the metadata knew their tenant, and routes were allowed one by one. */
const BEFORE = process.env.BENCH_BEFORE ?? 'f23a782';

/** What bench/overlay/compare.py prints: a run each, times in milliseconds. */
type Run = Record<string, { readonly before: number; readonly now: number }>;

/** Pages of Superset of an earlier commit and of this checkout, side by side. */
export async function pages(): Promise<string> {
  mkdirSync(CACHE, { recursive: true });
  const log = join(CACHE, 'bench.log');
  const python = await ensureSupersetPython(findPython(), await ensureEmulatorPython(findPython(), log), log);
  const before = checkOut(BEFORE);
  try {
    const output = execFileSync(python, [join(__dirname, 'overlay', 'compare.py'), before], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    return report(JSON.parse(output.trim().split('\n').at(-1)!) as Run[]);
  } finally {
    git('worktree', 'remove', '--force', before);
  }
}

/** A worktree with the packages of this checkout. */
function checkOut(commit: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'bench-before-'));
  rmSync(directory, { recursive: true });
  git('worktree', 'add', '--detach', directory, commit);
  for (const shared of ['node_modules', '.local'].filter((name) => existsSync(join(REPOSITORY, name)))) {
    symlinkSync(join(REPOSITORY, shared), join(directory, shared));
  }
  execFileSync(process.execPath, [join(directory, 'scripts', 'bundle.mjs')], { cwd: directory, stdio: 'ignore' });
  return directory;
}

function git(...args: string[]): void {
  execFileSync('git', args, { cwd: REPOSITORY, stdio: ['ignore', 'ignore', 'inherit'] });
}

function report(runs: Run[]): string {
  const names = Object.keys(runs[0]);
  const ratios = (name: string) => runs.map((run) => run[name].now / run[name].before);
  const worst = Math.max(...names.map((name) => median(ratios(name))));
  return [
    `Requests of an analyst, answered in the same process (medians of 30 or 40), by commit ${BEFORE} and by this one, in ${runs.length}`,
    'runs that take turns in who is first. Each has PostgreSQL and Valkey of its own.',
    '',
    table(
      ['request', 'before, ms', 'now, ms', 'ratio', 'range of ratios'],
      names.map((name) => [
        name,
        fixed(median(runs.map((run) => run[name].before)), 1),
        fixed(median(runs.map((run) => run[name].now)), 1),
        fixed(median(ratios(name))),
        `${fixed(Math.min(...ratios(name)))} to ${fixed(Math.max(...ratios(name)))}`,
      ]),
    ),
    '',
    `The largest median ratio is ${fixed(worst)} (target: at most 1.1).`,
  ].join('\n');
}
