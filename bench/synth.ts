import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { Environment } from '../lib/environment/environment';
import { fixed, median, seconds, table } from './results';

const RUNS = 5;
const ROOT = join(__dirname, '..');
const EXAMPLE = join(ROOT, 'examples', 'shared-rls', 'environments', 'demo.yaml');

/** What the CDK app takes for one tenant and for two hundred, run as the CDK CLI runs it. */
export async function synth(): Promise<string> {
  const rows = [];
  for (let run = 0; run < RUNS; run++) {
    const one = await synthesise(1);
    const many = await synthesise(200);
    rows.push({ one, many, ratio: many / one });
  }
  return [
    "The CDK app as cdk.json runs it, on the example's environment, with the rule packs and the template validator on:",
    '',
    table(
      ['run', '1 tenant, s', '200 tenants, s', 'ratio'],
      rows.map(({ one, many, ratio }, i) => [i + 1, fixed(one), fixed(many), fixed(ratio)]),
    ),
    '',
    `Median ratio ${fixed(median(rows.map(({ ratio }) => ratio)))} (target: at most 1.5).`,
  ].join('\n');
}

async function synthesise(count: number): Promise<number> {
  const directory = mkdtempSync(join(tmpdir(), 'tenancy-bench-'));
  try {
    writeFileSync(join(directory, 'bench.yaml'), stringify(environment(count)));
    const context = { ...readCdkJson().context, env: 'bench', environments: directory };
    return await seconds(async () => {
      const app = spawn(readCdkJson().app, {
        shell: true,
        cwd: ROOT,
        env: { ...process.env, CDK_OUTDIR: join(directory, 'cdk.out'), CDK_CONTEXT_JSON: JSON.stringify(context) },
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      let said = '';
      app.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
      const [code] = (await once(app, 'close')) as [number];
      if (code !== 0) throw new Error(`the app ended with ${code}:\n${said}`);
    });
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function readCdkJson(): { app: string; context?: Record<string, unknown> } {
  return JSON.parse(readFileSync(join(ROOT, 'cdk.json'), 'utf8'));
}

/** The example with so many tenants, on a server that has connections for all. */
function environment(count: number): Environment {
  const example = parse(readFileSync(EXAMPLE, 'utf8')) as Environment;
  return {
    ...example,
    database: { ...example.database, instanceClass: 'r6g.4xlarge' },
    tenants: Array.from({ length: count }, (_, i) => ({
      ...example.tenants[0],
      id: `t${String(i).padStart(4, '0')}`,
      value: `00000000-0000-4000-8000-${String(i).padStart(12, '0')}`,
    })),
  };
}
