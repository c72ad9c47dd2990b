import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { EnvironmentFile } from '../../lib/environment/environment-file';
import { GOOD } from './bad-files';

const ROOT = join(__dirname, '..', '..');
const EXAMPLE = join(ROOT, 'examples', 'shared-rls');
const directory = mkdtempSync(join(tmpdir(), 'environment-app-'));
const environments = join(directory, 'environments');

beforeAll(() => {
  mkdirSync(environments);
  cpSync(join(EXAMPLE, 'environments', 'demo.yaml'), join(environments, 'demo.yaml'));
  cpSync(join(EXAMPLE, 'content.zip'), join(directory, 'content.zip'));
  writeFileSync(join(environments, 'bad.yaml'), GOOD.replace('m7g.large', 'm7g.larg'));
});

afterAll(() => rmSync(directory, { recursive: true }));

/** Runs the app as the CDK CLI does. */
function app(context: Record<string, string>) {
  const { app: command, context: flags } = JSON.parse(readFileSync(join(ROOT, 'cdk.json'), 'utf8'));
  const { status, stderr } = spawnSync(command, {
    shell: true,
    cwd: ROOT,
    encoding: 'utf8',
    env: {
      ...process.env,
      CDK_OUTDIR: join(directory, 'cdk.out'),
      CDK_CONTEXT_JSON: JSON.stringify({ ...flags, environments, ...context }),
    },
  });
  return { status, stderr };
}

test('-c env=<name> makes one stack of the environment', () => {
  expect(app({ env: 'demo' })).toMatchObject({ status: 0 });
  const manifest = JSON.parse(readFileSync(join(directory, 'cdk.out', 'manifest.json'), 'utf8'));
  expect(manifest.artifacts['Superset-demo']).toMatchObject({ environment: 'aws://000000000000/eu-central-1' });
}, 60_000);

test('without -c env, one line says which environments there are and how to make one', () => {
  const { status, stderr } = app({});
  expect(status).toBe(1);
  expect(stderr.trim()).toBe(
    `No environment is given: add -c env=<name>. ${environments}/ has bad, demo; for a new one, copy examples/environment.yaml to ${environments}/<name>.yaml.`,
  );
}, 60_000);

test('what that line says to do makes an environment, and editors find its schema', () => {
  const [, source, target] = /copy (\S+) to (\S+)\.$/.exec(app({}).stderr.trim()) ?? [];
  const repository = mkdtempSync(join(tmpdir(), 'as-in-the-repository-'));
  mkdirSync(join(repository, 'environments'));
  cpSync(join(ROOT, 'schema'), join(repository, 'schema'), { recursive: true });
  for (const directory of [environments, join(repository, 'environments')]) {
    cpSync(join(ROOT, source), join(directory, basename(target).replace('<name>', 'mine')));
  }
  const copied = join(repository, 'environments', 'mine.yaml');
  const [, schema] = /^# yaml-language-server: \$schema=(.*)$/m.exec(readFileSync(copied, 'utf8')) ?? [];

  expect(app({ env: 'mine' })).toMatchObject({ status: 0 });
  expect(existsSync(join(dirname(copied), schema))).toBe(true);
  expect(existsSync(join(ROOT, dirname(source), schema))).toBe(true);
  rmSync(join(environments, 'mine.yaml'));
  rmSync(repository, { recursive: true });
}, 60_000);

test('the file to copy is the example without what stands beside the example', () => {
  const { superset, ...rest } = EnvironmentFile.load(join(EXAMPLE, 'environments', 'demo.yaml'));

  expect(EnvironmentFile.load(join(ROOT, 'examples', 'environment.yaml'))).toEqual({
    ...rest,
    superset: { ...superset, contentBundle: undefined },
  });
});

test.each(['../demo', 'demo.yaml', ''])(
  '-c env=%s is no name',
  (env) => {
    expect(app({ env }).stderr).toContain(`-c env=${env} is not the name of an environment`);
  },
  60_000,
);

test('problems of the file are reported without a stack trace', () => {
  const { status, stderr } = app({ env: 'bad' });
  expect(status).toBe(1);
  expect(stderr).toContain('bad.yaml:11:18: database.instanceClass is "m7g.larg"');
  expect(stderr).not.toMatch(/^\s+at /m);
}, 60_000);

test('the feature flags are those that aws-cdk-lib recommends', () => {
  const recommended = JSON.parse(
    readFileSync(join(ROOT, 'node_modules', 'aws-cdk-lib', 'recommended-feature-flags.json'), 'utf8'),
  );
  for (const place of ['.', 'examples/shared-rls']) {
    expect(JSON.parse(readFileSync(join(ROOT, place, 'cdk.json'), 'utf8')).context).toEqual(recommended);
  }
});
