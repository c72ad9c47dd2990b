import { mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import { SupersetImage } from '../../lib/superset/superset-image';
import { Problem } from '../problem';
import { BuiltImage, buildImage } from './build';
import { IMAGE_CACHE } from './buildah';
import { contentProblems } from './contents';
import { whyNoImage } from './tools';

/** Builds the image of this repository, and looks whether it holds what it should. */
export async function imageOfRepository(): Promise<BuiltImage> {
  const reason = whyNoImage();
  if (reason) {
    throw new Problem('The image cannot be built here.', reason);
  }
  const directory = join(IMAGE_CACHE, `context-${process.pid}`);
  const log = join(IMAGE_CACHE, 'build.log');
  mkdirSync(directory, { recursive: true });
  try {
    const startedAt = Date.now();
    console.log(`Building the image, unless the last run did; see ${log}.`);
    const context = stageContext(directory);
    const image = await buildImage('superset', context, log);
    const problems = contentProblems(image, readFileSync(join(context, 'requirements.txt'), 'utf8'));
    if (problems.length > 0) {
      throw new Problem(`The image holds what it must not:\n${problems.join('\n')}\n`, 'Correct superset/Dockerfile.');
    }
    console.log(
      `The image is there, and holds what it should, after ${Math.round((Date.now() - startedAt) / 1_000)} s.`,
    );
    return image;
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** Writes the build context that the CDK gives to Docker; answers its directory. */
export function stageContext(directory: string): string {
  const app = new App({ outdir: directory });
  const task = new ecs.FargateTaskDefinition(new Stack(app, 'Image'), 'Task');
  task.addContainer('web', { image: SupersetImage.bundled().containerImage });
  return join(
    directory,
    readdirSync(directory).find((name) => name.startsWith('asset.'))!,
  );
}
