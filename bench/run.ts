import { databases } from './databases';
import { overlay } from './overlay';
import { pages } from './pages';
import { provisioning } from './provisioning';
import { scale } from './scale';
import { synth } from './synth';
import { writeResult } from './results';

const BENCHMARKS = { provisioning, scale, synth, overlay, pages, databases };

async function main(): Promise<void> {
  const names = process.argv.slice(2);
  const unknown = names.filter((name) => !(name in BENCHMARKS));
  if (unknown.length > 0) {
    throw new Error(`No benchmark ${unknown.join(', ')}. There are: ${Object.keys(BENCHMARKS).join(', ')}.`);
  }
  for (const name of names.length > 0 ? names : Object.keys(BENCHMARKS)) {
    const text = await BENCHMARKS[name as keyof typeof BENCHMARKS]();
    process.stdout.write(`${text}\n`);
    writeResult(name, text);
  }
}

main().then(
  () => process.exit(0),
  (error: Error) => {
    process.stderr.write(`${error.stack}\n`);
    process.exit(1);
  },
);
