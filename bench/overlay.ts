import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { CACHE, REPOSITORY } from '../local/directories';
import { ensureEmulatorPython, ensureSupersetPython, findPython } from '../local/python';
import { fixed, median, table } from './results';

/** What bench/overlay/run.py prints. Times in milliseconds, memory in MiB. */
interface Measured {
  readonly runs: Record<'overlay_query' | 'stock_query' | 'overlay_chart' | 'stock_chart', number>[];
  readonly memory: Record<'overlay' | 'stock', number>[];
}

/** Superset with the overlay beside Superset as it comes, on the same servers over TLS. */
export async function overlay(): Promise<string> {
  mkdirSync(CACHE, { recursive: true });
  const log = join(CACHE, 'bench.log');
  const python = await ensureSupersetPython(findPython(), await ensureEmulatorPython(findPython(), log), log);
  const output = execFileSync(python, [join(__dirname, 'overlay', 'run.py')], {
    encoding: 'utf8',
    env: { ...process.env, PYTHONPATH: join(REPOSITORY, 'superset'), PYTHONDONTWRITEBYTECODE: '1' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const { runs, memory } = JSON.parse(output.trim().split('\n').at(-1)!) as Measured;
  const query = median(runs.map((run) => run.overlay_query / run.stock_query));
  const chart = median(runs.map((run) => run.overlay_chart / run.stock_chart));
  const rss = median(memory.map(({ overlay, stock }) => overlay / stock));
  return [
    'A count over a few rows of `orders` as a tenant, by `Database.get_df` (median of 200) and as chart data by the API (median of',
    '30), never from the cache. Stock Superset logs in with a password in its Database, as its administrator. Memory is what one web',
    'worker holds after 30 charts (resident set). The two take turns in who is first.',
    '',
    table(
      ['run', 'query, ms', 'stock', 'ratio', 'chart, ms', 'stock', 'ratio', 'memory, MiB', 'stock', 'ratio'],
      runs.map((run, i) => [
        i + 1,
        fixed(run.overlay_query),
        fixed(run.stock_query),
        fixed(run.overlay_query / run.stock_query),
        fixed(run.overlay_chart, 1),
        fixed(run.stock_chart, 1),
        fixed(run.overlay_chart / run.stock_chart),
        fixed(memory[i].overlay, 0),
        fixed(memory[i].stock, 0),
        fixed(memory[i].overlay / memory[i].stock, 3),
      ]),
    ),
    '',
    `Median: a query takes ${fixed(query)} of stock Superset's time (target: at most 0.4), a chart ${fixed(chart)}, a web worker ${fixed(rss, 3)} of its memory (target: at most 1.05).`,
  ].join('\n');
}
