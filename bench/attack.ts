import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { REPOSITORY } from '../local/directories';
import { fixed, median, table } from './results';

/** What superset/tests/admission/measure_under_attack.py prints. Seconds, and MiB of the larger web process. */
interface Measured {
  readonly quiet: number[];
  readonly busy: number[];
  readonly after: number[];
  /** Beside so many plain queries that only compute, which nobody asked Superset for. */
  readonly machine: number[];
  readonly queries: number;
  readonly memory: [number, number];
  readonly answers: Record<string, number>;
  /** Of the machine, at the end. */
  readonly load: number;
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
  const { quiet, busy, after, machine, queries, memory, answers, load } = JSON.parse(
    line.slice('MEASURED '.length),
  ) as Measured;
  const ratio = (seconds: number[]): string => fixed(median(seconds) / median(quiet));
  return [
    'A dashboard of 12 charts, none from the cache, over a gunicorn as the task definition starts it. The attacker sends 40 requests at',
    'once: endless queries, asynchronous ones too, values of 9 and 100 MB, results of 20 MB, histograms of 100,000 bins, nested arrays,',
    'Jinja templates.',
    '',
    table(
      ['', 'quiet', 'under attack', 'after', `beside ${queries} busy queries`],
      [
        ['dashboard, s (median of 8)', ...[quiet, busy, after, machine].map((seconds) => fixed(median(seconds)))],
        ['times the quiet time', '', ratio(busy), ratio(after), ratio(machine)],
        ['larger web process, MiB', fixed(memory[0], 0), fixed(memory[1], 0), '', ''],
      ],
    ),
    '',
    'The web server has one core of the machine, and PostgreSQL, Celery and the attacker the other, since they have machines of their',
    'own on AWS. The last column is what PostgreSQL has left when as many queries as one tenant may run only compute, without a request to',
    'Superset.',
    '',
    `Target: at most 2 times. Load of the machine at the end: ${fixed(load, 1)}. The attacker was answered ${Object.entries(
      answers,
    )
      .map(([status, count]) => `${count} × ${status}`)
      .join(', ')}.`,
  ].join('\n');
}
