import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import { BUNDLED_SUPERSET_VERSION } from '../../lib/defaults';
import { SupersetImage } from '../../lib/superset/superset-image';

test('the image is built from what its Dockerfile copies, so that no test and no cache of Python makes another one', () => {
  const app = new App();
  const task = new ecs.FargateTaskDefinition(new Stack(app, 'Prod'), 'Task');
  task.addContainer('web', { image: SupersetImage.bundled().containerImage });
  const [asset] = readdirSync(app.outdir).filter((name) => name.startsWith('asset.'));
  const context = join(app.outdir, asset);

  const files = readdirSync(context, { recursive: true, encoding: 'utf8' });
  const copied = readFileSync(join(context, 'Dockerfile'), 'utf8').matchAll(/^COPY (\S+) /gm);
  expect(readdirSync(context).sort()).toEqual(['Dockerfile', ...[...copied].map(([, source]) => source)].sort());
  expect(files).toContain(join('superset_tenancy', 'names.py'));
  expect(files.filter((name) => /__pycache__|\.pyc$|tests/.test(name))).toEqual([]);
});

test('the version that an environment may have without an image is that of the lock', () => {
  const lock = readFileSync(join(__dirname, '..', '..', 'superset', 'requirements.txt'), 'utf8');

  expect(lock).toMatch(new RegExp(`^apache-superset==${BUNDLED_SUPERSET_VERSION} `, 'm'));
});
