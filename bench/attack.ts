import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { REPOSITORY } from '../local/directories';
import { fixed, median, table } from './results';

/** What superset/tests/admission/measure_under_attack.py prints. Seconds, and MiB of the larger web process. */
interface Measured {
  readonly quiet: number[];
  readonly busy: number[];
  readonly after: number[];
  readonly memory: [number, number];
  readonly answers: Record<string, number>;
}

/** A dashboard of one tenant while another asks for everything that is expensive. */
export async function attack(): Promise<string> {
  const output = execFileSync(
    join(REPOSITORY, 'node_modules', '.bin', 'tsx'),
    [join('superset', 'tests', 'run.ts'), 'tests/admission/measure_under_attack.py', '-q', '-s'],
    { cwd: REPOSITORY, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const line = output.split('\n').find((text) => text.startsWith('MEASURED '));
  if (!line) throw new Error(`measure_under_attack.py printed no result:\n${output}`);
  const { quiet, busy, after, memory, answers } = JSON.parse(line.slice('MEASURED '.length)) as Measured;
  const ratio = median(busy) / median(quiet);
  return [
    'A dashboard of 12 charts, none from the cache, over a gunicorn as the task definition starts it. The attacker sends 40 requests at',
    'once: endless queries, asynchronous ones too, values of 9 and 100 MB, results of 20 MB, histograms of 100,000 bins.',
    '',
    table(
      ['', 'quiet', 'under attack', 'after'],
      [
        ['dashboard, s (median of 8)', ...[quiet, busy, after].map((seconds) => fixed(median(seconds)))],
        ['larger web process, MiB', fixed(memory[0], 0), fixed(memory[1], 0), ''],
      ],
    ),
    '',
    'PostgreSQL, Superset, Celery and both callers share the cores of one machine here: queries that the attacker has begun go on after',
    'its last request, which "after" shows.',
    '',
    `Ratio: ${fixed(ratio)} (target: at most 2). The attacker was answered ${Object.entries(answers)
      .map(([status, count]) => `${count} × ${status}`)
      .join(', ')}.`,
  ].join('\n');
}
