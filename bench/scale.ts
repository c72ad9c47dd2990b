import { startNewServer } from './new-server';
import { fixed, median, seconds, table } from './results';

const RUNS = 5;
const COUNTS = [10, 100, 1_000];

/** What one tenant costs among few and among many. */
export async function scale(): Promise<string> {
  const rows = [];
  const costs = new Map<number, number[]>(COUNTS.map((count) => [count, []]));
  for (let run = 0; run < RUNS; run++) {
    for (const count of COUNTS) {
      const server = await startNewServer();
      const took = await seconds(() => server.provision(server.tenants(count)));
      costs.get(count)?.push((1_000 * took) / count);
      await server.stop();
    }
  }
  for (const [count, milliseconds] of costs) {
    const middle = median(milliseconds);
    const [low, high] = [Math.min(...milliseconds), Math.max(...milliseconds)];
    rows.push([count, fixed((middle * count) / 1_000), fixed(middle, 1), `${fixed(low, 1)} to ${fixed(high, 1)}`]);
  }
  return [
    `Median of ${RUNS} runs, side by side, three tables (one of each strategy), PostgreSQL 17 over TLS, each on a new server:`,
    '',
    table(['tenants', 'all, s', 'each, ms', 'range, ms'], rows),
  ].join('\n');
}
