import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';

const FILE = join(__dirname, '..', 'docs', 'benchmarks.md');

/** Puts the result of a benchmark in its place in docs/benchmarks.md. */
export function writeResult(name: string, text: string): void {
  const document = readFileSync(FILE, 'utf8');
  const place = new RegExp(`(<!-- bench:${name} -->\n)[^]*?(\n<!-- /bench:${name} -->)`);
  if (!place.test(document)) {
    throw new Error(`docs/benchmarks.md has no place for ${name}.`);
  }
  writeFileSync(
    FILE,
    document.replace(place, (_, begin: string, end: string) => `${begin}\n${text}\n\n${machine()}\n${end}`),
  );
}

function machine(): string {
  const [{ model }] = cpus();
  const memory = Math.round(totalmem() / 2 ** 30);
  return `Measured on ${cpus().length} × ${model.trim()}, ${memory} GiB, ${process.platform}, Node.js ${process.versions.node}.`;
}

/** A Markdown table. */
export function table(head: string[], rows: (string | number)[][]): string {
  const cells = [head, ...rows.map((row) => row.map(String))];
  const widths = head.map((_, i) => Math.max(...cells.map((row) => row[i].length)));
  const line = (row: string[]) => `| ${row.map((cell, i) => cell.padEnd(widths[i])).join(' | ')} |`;
  const [first, ...others] = cells.map(line);
  return [first, line(widths.map((width) => '-'.repeat(width))), ...others].join('\n');
}

export function median(numbers: number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Seconds that something took. */
export async function seconds(run: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await run();
  return (performance.now() - begun) / 1_000;
}

export const fixed = (number: number, digits = 2) => number.toFixed(digits);
