// Everything that CI checks, in order of how soon it fails; then jest, and beside it the tests of the overlay. The last line counts it all.
import { execFileSync, spawn } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const scratch = mkdtempSync(join(tmpdir(), 'superset-tenancy-test-'));
const count = { passed: 0, failed: 0, skipped: 0 };

/** Runs a command, its output on the terminal or in a file; returns whether it succeeded, and says how long it took. */
async function run(name, command, args, { env = {}, log } = {}) {
  console.log(`\n— ${name}${log ? ', beside the others: its output comes at the end' : ''}`);
  const startedAt = Date.now();
  const output = log ? openSync(log, 'w') : 'inherit';
  const child = spawn(command, args, {
    cwd: root,
    stdio: [log ? 'ignore' : 'inherit', output, output],
    env: { ...process.env, ...env },
  });
  const status = await new Promise((ended) => child.on('error', () => ended(1)).on('close', ended));
  if (log) closeSync(output);
  const took = Math.round((Date.now() - startedAt) / 1000);
  console.log(`— ${name}: ${status === 0 ? 'ok' : `failed (${status})`} in ${took} s`);
  return status === 0;
}

async function check(name, command, args) {
  count[(await run(name, command, args)) ? 'passed' : 'failed']++;
}

/** Builds what is committed, and what users get, and fails when the committed copy is not what comes out. */
async function checkCurrent(name, script, file) {
  const committed = existsSync(join(root, file)) ? readFileSync(join(root, file), 'utf8') : '';
  const built = await run(name, 'npm', ['run', '--silent', script]);
  const current = built && readFileSync(join(root, file), 'utf8') === committed;
  if (!current) console.log(`${file} is not what the source says: run npm run ${script}, and commit it.`);
  count[current ? 'passed' : 'failed']++;
}

async function jest() {
  const report = join(scratch, 'jest.json');
  const passed = await run(
    'jest',
    'npx',
    ['jest', '--ci', '--json', `--outputFile=${report}`, ...process.argv.slice(2)],
    {
      // Said once a process, for a major version of the SDK to come; the pinned ones take Node.js 20.
      env: { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' },
    },
  );
  if (!existsSync(report)) {
    count.failed++;
    return passed;
  }
  const result = JSON.parse(readFileSync(report, 'utf8'));
  count.passed += result.numPassedTests;
  // A suite that does not load has no failed test of its own.
  count.failed += result.numFailedTests + result.numRuntimeErrorTestSuites;
  count.skipped += result.numPendingTests + result.numTodoTests;
  return passed;
}

/** Tests of the overlay: one run after another, each with servers of its own. */
const OVERLAY = [
  { name: 'the overlay, with a real Superset', args: [] },
  {
    name: 'the crawl, with a database per tenant',
    args: ['--model', 'database-per-tenant', 'tests/routes/test_crawl.py'],
  },
  ...['15', '16'].map((version) => ({
    name: `Superset's metadata on PostgreSQL ${version}`,
    args: ['tests/metadata'],
    env: { METADATA_POSTGRES: version },
  })),
];

async function overlay() {
  let passed = true;
  for (const [number, { name, args, env }] of OVERLAY.entries()) {
    const report = join(scratch, `overlay-${number}.xml`);
    const command = ['tsx', 'superset/tests/run.ts', ...args, `--junitxml=${report}`];
    const done = await run(name, 'npx', command, { env, log: logOf(number) });
    const suite = existsSync(report) ? /<testsuite [^>]*>/.exec(readFileSync(report, 'utf8'))[0] : '';
    const counted = (kind) => Number(new RegExp(` ${kind}="(\\d+)"`).exec(suite)?.[1] ?? 0);
    const broken = counted('failures') + counted('errors');
    count.passed += counted('tests') - broken - counted('skipped');
    count.failed += done ? broken : Math.max(broken, 1);
    count.skipped += counted('skipped');
    passed &&= done;
  }
  return passed;
}

function logOf(number) {
  return join(scratch, `overlay-${number}.log`);
}

await checkCurrent('schema', 'schema', 'schema/environment.schema.json');
await check('bundle', 'npm', ['run', '--silent', 'bundle']);
await check('compile', 'npm', ['run', '--silent', 'compile']);
await checkCurrent('API.md', 'docgen', 'API.md');
await check('eslint', 'npx', ['eslint', '.']);
await check('prettier', 'npx', ['prettier', '--check', '--log-level=warn', '.']);
await check('types', 'npx', ['tsc', '-p', 'tsconfig.json']);
const python = execFileSync(process.execPath, [join(root, 'scripts', 'python.mjs')], { encoding: 'utf8' }).trim();
const tool = (name) => join(dirname(python), name);
await check('ruff', tool('ruff'), ['check', 'superset', 'bench', 'local']);
await check('ruff format', tool('ruff'), ['format', '--check', 'superset', 'bench', 'local']);
await check('hadolint', tool('hadolint'), ['--failure-threshold=warning', 'superset/Dockerfile']);
const passed = await Promise.all([jest(), overlay()]);
for (const [number, { name }] of OVERLAY.entries()) {
  console.log(`\n— ${name}\n${readFileSync(logOf(number), 'utf8')}`);
}
rmSync(scratch, { recursive: true });

console.log(`\n${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`);
process.exit(count.failed > 0 || passed.includes(false) ? 1 : 0);
