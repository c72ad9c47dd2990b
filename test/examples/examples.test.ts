import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ROOT = join(__dirname, '../..');
const EXAMPLES = join(ROOT, 'examples');

test.each(['shared-rls', 'database-per-tenant', 'instance-per-tenant', 'compose'])(
  'the example %s synthesises as it stands',
  (example) => {
    const outdir = mkdtempSync(join(tmpdir(), 'superset-tenancy-example-'));
    try {
      const { app } = JSON.parse(readFileSync(join(EXAMPLES, example, 'cdk.json'), 'utf8'));
      const [command, ...args] = app.split(' ');
      const env = { ...process.env, CDK_OUTDIR: outdir };
      execFileSync(command, args, { cwd: join(EXAMPLES, example), env, stdio: ['ignore', 'pipe', 'pipe'] });
      expect(readdirSync(outdir).filter((name) => name.endsWith('.template.json'))).not.toEqual([]);
    } finally {
      rmSync(outdir, { recursive: true });
    }
  },
  60_000,
);

test('what the README shows is the example compose', () => {
  const code = readFileSync(join(EXAMPLES, 'compose/app.ts'), 'utf8').replace(
    "'../../lib'; // 'cdk-superset-tenancy' in an app of your own",
    "'cdk-superset-tenancy';",
  );
  expect(readFileSync(join(ROOT, 'README.md'), 'utf8')).toContain(code);
});
