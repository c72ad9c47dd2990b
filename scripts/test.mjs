// Everything that CI checks, in order of how soon it fails. The last line counts it all.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const scratch = mkdtempSync(join(tmpdir(), 'superset-tenancy-test-'));
const count = { passed: 0, failed: 0, skipped: 0 };

/** Runs a command with its output on the terminal; returns whether it succeeded, and says how long it took. */
function run(name, command, args, env = {}) {
  console.log(`\n— ${name}`);
  const startedAt = Date.now();
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit', env: { ...process.env, ...env } });
  console.log(
    `— ${name}: ${status === 0 ? 'ok' : `failed (${status})`} in ${Math.round((Date.now() - startedAt) / 1000)} s`,
  );
  return status === 0;
}

function check(name, command, args) {
  count[run(name, command, args) ? 'passed' : 'failed']++;
}

/** Builds what is committed, and what users get, and fails when the committed copy is not what comes out. */
function checkCurrent(name, script, file) {
  const committed = existsSync(join(root, file)) ? readFileSync(join(root, file), 'utf8') : '';
  const current = run(name, 'npm', ['run', '--silent', script]) && readFileSync(join(root, file), 'utf8') === committed;
  if (!current) console.log(`${file} is not what the source says: run npm run ${script}, and commit it.`);
  count[current ? 'passed' : 'failed']++;
}

checkCurrent('schema', 'schema', 'schema/environment.schema.json');
check('bundle', 'npm', ['run', '--silent', 'bundle']);
check('compile', 'npm', ['run', '--silent', 'compile']);
checkCurrent('API.md', 'docgen', 'API.md');
check('eslint', 'npx', ['eslint', '.']);
check('prettier', 'npx', ['prettier', '--check', '--log-level=warn', '.']);
check('types', 'npx', ['tsc', '-p', 'tsconfig.json']);
const python = execFileSync(process.execPath, [join(root, 'scripts', 'python.mjs')], { encoding: 'utf8' }).trim();
const tool = (name) => join(dirname(python), name);
check('ruff', tool('ruff'), ['check', 'superset', 'bench', 'local']);
check('ruff format', tool('ruff'), ['format', '--check', 'superset', 'bench', 'local']);
check('hadolint', tool('hadolint'), ['--failure-threshold=warning', 'superset/Dockerfile']);

const report = join(scratch, 'jest.json');
const jest = run('jest', 'npx', ['jest', '--ci', '--json', `--outputFile=${report}`, ...process.argv.slice(2)], {
  // Said once a process, for a major version of the SDK to come; the pinned ones take Node.js 20.
  AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
});
if (existsSync(report)) {
  const result = JSON.parse(readFileSync(report, 'utf8'));
  count.passed += result.numPassedTests;
  // A suite that does not load has no failed test of its own.
  count.failed += result.numFailedTests + result.numRuntimeErrorTestSuites;
  count.skipped += result.numPendingTests + result.numTodoTests;
} else if (!jest) {
  count.failed++;
}

const pytests = [
  overlay('the overlay, with a real Superset', [], {}),
  ...['15', '16'].map((version) =>
    overlay(`Superset's metadata on PostgreSQL ${version}`, ['tests/metadata'], { METADATA_POSTGRES: version }),
  ),
];
rmSync(scratch, { recursive: true });

console.log(`\n${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`);
process.exit(count.failed > 0 || !jest || pytests.includes(false) ? 1 : 0);

/** Runs tests of the overlay, and counts them; false if one failed. */
function overlay(name, tests, environment) {
  const report = join(scratch, 'overlay.xml');
  rmSync(report, { force: true });
  const passed = run(name, 'npx', ['tsx', 'superset/tests/run.ts', `--junitxml=${report}`, ...tests], environment);
  const suite = existsSync(report) ? /<testsuite [^>]*>/.exec(readFileSync(report, 'utf8'))[0] : '';
  const counted = (kind) => Number(new RegExp(` ${kind}="(\\d+)"`).exec(suite)?.[1] ?? 0);
  const broken = counted('failures') + counted('errors');
  count.passed += counted('tests') - broken - counted('skipped');
  count.failed += passed ? broken : Math.max(broken, 1);
  count.skipped += counted('skipped');
  return passed;
}
