import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ROOT = join(__dirname, '../..');
const EXAMPLE = join(ROOT, 'examples/shared-rls');
const MINUTE = 60_000;

/** The packages that users install, put into apps that know nothing of this repository. */
describe('the package', () => {
  const scratch = mkdtempSync(join(tmpdir(), 'superset-tenancy-package-'));
  const environment = { ...process.env, CDK_VALIDATION: 'false', JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION: '1' };
  const run = (cwd: string, command: string, ...args: string[]) =>
    execFileSync(command, args, { cwd, env: environment, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

  beforeAll(() => {
    run(ROOT, 'npm', 'run', '--silent', 'bundle');
    run(ROOT, 'npm', 'run', '--silent', 'compile');
  }, 2 * MINUTE);
  afterAll(() => rmSync(scratch, { recursive: true, force: true }));

  test('from npm has all that the image is built from, and none of its tests', () => {
    const [{ files }] = JSON.parse(run(ROOT, 'npm', 'pack', '--dry-run', '--json', '--ignore-scripts'));
    const ours = (files as { path: string }[]).map(({ path }) => path).filter((path) => path.startsWith('superset/'));
    const dockerfile = readFileSync(join(ROOT, 'superset/Dockerfile'), 'utf8');

    for (const [, source] of dockerfile.matchAll(/^COPY (\S+) /gm)) {
      expect(ours.filter((path) => `${path}/`.startsWith(`superset/${source}/`))).not.toEqual([]);
    }
    expect(ours).toContain('superset/Dockerfile');
    expect(ours.filter((path) => /tests|__pycache__/.test(path))).toEqual([]);
  });

  function template(app: string): { Resources: Record<string, { Type: string }> } {
    const file = readdirSync(join(app, 'cdk.out')).find(
      (name) => name.endsWith('.template.json') && !name.includes('.nested.'),
    );
    return JSON.parse(readFileSync(join(app, 'cdk.out', file as string), 'utf8'));
  }

  function expectTheModel(app: string) {
    const types = new Set(Object.values(template(app).Resources).map(({ Type }) => Type));
    for (const type of [
      'AWS::RDS::DBInstance',
      'AWS::ECS::Service',
      'AWS::Lambda::Function',
      'AWS::CloudFormation::Stack',
    ]) {
      expect(types).toContain(type);
    }
  }

  test(
    'from npm synthesises in a fresh TypeScript app, without Docker or esbuild',
    () => {
      const app = join(scratch, 'npm');
      mkdirSync(app);
      run(ROOT, 'npm', 'pack', '--silent', '--ignore-scripts', '--pack-destination', scratch);
      const tarball = join(scratch, readdirSync(scratch).find((name) => name.endsWith('.tgz')) as string);
      const { devDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
      const peers = ['aws-cdk-lib', 'constructs', 'typescript', '@types/node'].map(
        (name) => `${name}@${devDependencies[name]}`,
      );
      run(app, 'npm', 'init', '--yes');
      run(app, 'npm', 'install', '--silent', '--no-audit', '--no-fund', tarball, ...peers);
      mkdirSync(join(app, 'environments'));
      for (const file of ['environments/demo.yaml', 'content.zip']) copyFileSync(join(EXAMPLE, file), join(app, file));
      writeFileSync(
        join(app, 'app.ts'),
        `import { App, Validations } from 'aws-cdk-lib';
       import { EnvironmentFile, SharedRlsStack, TenancyChecks } from 'cdk-superset-tenancy';
       const app = new App({ outdir: 'cdk.out' });
       new SharedRlsStack(app, 'Fresh', { environment: EnvironmentFile.load('environments/demo.yaml') });
       Validations.of(app).addPlugins(new TenancyChecks());
       app.synth();`,
      );
      run(
        app,
        'npx',
        'tsc',
        '--strict',
        '--skipLibCheck',
        '--types',
        'node',
        '--module',
        'node16',
        '--moduleResolution',
        'node16',
        '--target',
        'es2022',
        'app.ts',
      );
      run(app, 'node', 'app.js');
      expectTheModel(app);
    },
    5 * MINUTE,
  );

  test(
    'from PyPI synthesises in a fresh Python app',
    () => {
      const app = join(scratch, 'python');
      mkdirSync(app);
      run(ROOT, 'npx', 'jsii-pacmak', '--target', 'python', '--outdir', join(scratch, 'dist'), '--force');
      const [wheel] = readdirSync(join(scratch, 'dist/python')).filter((name) => name.endsWith('.whl'));
      run(app, 'python3', '-m', 'venv', 'venv');
      run(app, 'venv/bin/pip', 'install', '--quiet', join(scratch, 'dist/python', wheel));
      execFileSync(join(app, 'venv/bin/python'), ['app.py'], {
        cwd: join(ROOT, 'examples/python'),
        env: { ...environment, CDK_OUTDIR: join(app, 'cdk.out') },
      });
      expectTheModel(app);
    },
    10 * MINUTE,
  );
});
