import { readFileSync } from 'node:fs';
import { FileSystem } from 'aws-cdk-lib';
import { Problem } from '../problem';
import { CommandFailed } from '../processes';
import { BaseImage, ensureBaseImage } from './base-image';
import { Buildah } from './buildah';
import { ensurePackages } from './packages';

/** An image that was built. */
export interface BuiltImage {
  /** Directory with its files, which nothing may change. */
  readonly files: string;
  /** Variables that it sets. */
  readonly environment: Record<string, string>;
  /** Who its processes run as, where a task definition does not say. */
  readonly user: string;
  /** Directories that it declares as volumes. */
  readonly volumes: string[];
  /** File with the authorities that its clients of PostgreSQL trust. */
  readonly certificates: string;
  /** As Buildah shows it. */
  readonly size: string;
  readonly base: BaseImage;
  /** Directory with the files of its base. */
  readonly baseFiles: string;
}

/**
 * Builds the image of a context, unless the last run did; an older one of the name is removed.
 *
 * The build has no network, and pip installs nothing but packages whose hashes are in the locks.
 */
export async function buildImage(name: string, context: string, log: string): Promise<BuiltImage> {
  const buildah = new Buildah(log);
  const base = await ensureBaseImage(buildah, context, log);
  const tag = `localhost/${name}:${FileSystem.fingerprint(context).slice(0, 12)}-${base.id.slice(0, 12)}`;
  const id = (await buildah.imageId(tag)) ?? (await build(buildah, base, name, context, tag, log));
  await buildah.removeImagesBut(id, `localhost/${name}`);
  const { User = 'root', Env = [], Volumes = {} } = await buildah.configOf(id);
  const environment = Object.fromEntries(
    Env.map((line) => [line.split('=', 1)[0], line.slice(line.indexOf('=') + 1)]),
  ) as Record<string, string>;
  return {
    files: await buildah.filesOf(id),
    environment,
    user: User,
    volumes: Object.keys(Volumes),
    certificates: environment.PGSSLROOTCERT,
    size: await buildah.run('images', '--noheading', '--format={{.Size}}', tag),
    base,
    baseFiles: await buildah.filesOf(base.id),
  };
}

async function build(
  buildah: Buildah,
  base: BaseImage,
  name: string,
  context: string,
  tag: string,
  log: string,
): Promise<string> {
  const home = await ensurePackages(buildah, base, name, context);
  try {
    await buildah.runOffline(
      'bud',
      '--isolation=chroot',
      '--pull-never',
      `--from=${base.id}`,
      `--volume=${home}:/root:ro`,
      `--tag=${tag}`,
      context,
    );
  } catch (error) {
    const output = error instanceof CommandFailed ? error.output : readFileSync(log, 'utf8');
    const reasons = output.match(/^\s*(?:ERROR|Error|error): .*$/gm)?.slice(0, 3) ?? [String(error)];
    throw new Problem(`The image cannot be built:\n${reasons.map((line) => line.trim()).join('\n')}\n`, `See ${log}.`);
  }
  return (await buildah.imageId(tag))!;
}
