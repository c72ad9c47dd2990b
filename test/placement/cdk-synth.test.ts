import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { databaseExample, example, instanceExample, newFleet, tenants, userApp } from '../tenancy/environments';
import { newStack } from '../tenancy/templates';

const ROOT = join(__dirname, '..', '..');
const EXAMPLES = join(ROOT, 'examples');

describe('cdk synth', () => {
  const directory = mkdtempSync(join(tmpdir(), 'cdk-synth-'));
  const environments = join(directory, 'instance-per-tenant', 'environments');
  const places = join(environments, 'demo.places.json');
  beforeAll(() => {
    cpSync(join(EXAMPLES, 'instance-per-tenant'), join(directory, 'instance-per-tenant'), { recursive: true });
    mkdirSync(join(directory, 'shared-rls'));
    cpSync(join(EXAMPLES, 'shared-rls', 'content.zip'), join(directory, 'shared-rls', 'content.zip'));
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  /** Runs the CDK CLI on the environments of the example. */
  function cdkSynth(env = 'demo'): { readonly status: number | null; readonly said: string } {
    const context = ['-c', `env=${env}`, '-c', `environments=${environments}`];
    const args = ['synth', '--quiet', '--output', join(directory, 'cdk.out'), ...context];
    const cdk = join(ROOT, 'node_modules', 'aws-cdk', 'bin', 'cdk');
    const { status, stdout, stderr } = spawnSync(process.execPath, [cdk, ...args], { cwd: ROOT, encoding: 'utf8' });
    return { status, said: `${stdout}\n${stderr}` };
  }

  test('prints the advice, and that the file of places has changed if it has', () => {
    rmSync(places);
    const first = cdkSynth();
    const second = cdkSynth();

    expect(first).toMatchObject({ status: 0, said: expect.stringContaining('Models for 2 tenants, prices read on') });
    expect(first.said).toMatch(/demo\.places\.json has changed: .* Commit it before you deploy\./);
    expect(readFileSync(places, 'utf8')).toBe(
      readFileSync(join(EXAMPLES, 'instance-per-tenant', 'environments', 'demo.places.json'), 'utf8'),
    );
    expect(second).toMatchObject({ status: 0, said: expect.stringContaining('Models for 2 tenants, prices read on') });
    expect(second.said).not.toContain('Commit it');
  }, 300_000);

  test('reports a moved tenant and a broken file of places without a stack trace', () => {
    const kept = readFileSync(places, 'utf8');
    writeFileSync(places, kept.replace('"database": "own"', '"database": "cell"'));
    const moved = cdkSynth();
    writeFileSync(places, kept.replace('"priority": 2', '"priority": 1'));
    const broken = cdkSynth();
    writeFileSync(places, kept);

    expect(moved.status).toBe(1);
    expect(moved.said).toMatch(
      /tenants\[0\]\.instance\.database is own for tenant tk4q9w, but \S+ has it with database cell/,
    );
    expect(broken.status).toBe(1);
    expect(broken.said).toMatch(/demo\.places\.json:16:19: places\.tz81mm\.priority is 1 .* \[PRIORITY_DUPLICATE\]/);
    for (const { said } of [moved, broken]) expect(said).not.toMatch(/^\s+at /m);
  }, 300_000);
});

test.each<[string, (app: App) => unknown]>([
  ['shared-rls', (app) => newStack(app, example({ tenants: tenants(35) }))],
  ['database-per-tenant', (app) => newStack(app, databaseExample())],
  ['instance-per-tenant', (app) => newFleet(app, instanceExample())],
])('all that is said of %s at synthesis is said of what is in a stack, where the CDK CLI looks', (_, build) => {
  const app = userApp();
  build(app);
  const noted = app.node
    .findAll()
    .filter(({ node }) =>
      node.metadata.some(({ type }) => type.startsWith('aws:cdk:') && /info|warning|error/.test(type)),
    );

  expect(noted.length).toBeGreaterThan(0);
  expect(noted.filter(({ node }) => !node.scopes.some(Stack.isStack)).map(({ node }) => node.path)).toEqual([]);
});
