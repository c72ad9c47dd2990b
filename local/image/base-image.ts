import { createHash } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Problem } from '../problem';
import { CommandFailed, run } from '../processes';
import { Buildah } from './buildah';

/** What the image is built on. */
export interface BaseImage {
  readonly id: string;
  /** Why it is not the one that the Dockerfile names. @default - it is */
  readonly standsIn?: string;
}

/** Release of Debian in the image that the Dockerfile names, with what that has beside its Python. */
const STAND_IN = {
  release: 'bookworm',
  packages: ['python3-venv', 'python3-distutils', 'ca-certificates', 'netbase', 'tzdata'],
  python: '/usr/local',
};

/** The image that a Dockerfile names by digest; where no registry answers, one of the same release with Debian's Python. */
export async function ensureBaseImage(buildah: Buildah, context: string, log: string): Promise<BaseImage> {
  const image = namedIn(readFileSync(join(context, 'Dockerfile'), 'utf8'));
  const present = await buildah.imageId(image);
  if (present) return { id: present };
  try {
    // A registry that is there answers sooner.
    await run('timeout', ['20', 'buildah', ...buildah.options, 'pull', '--quiet', image], log);
    return { id: (await buildah.imageId(image))! };
  } catch (error) {
    const reason = reasonOf(error);
    if (/manifest unknown/i.test(reason)) {
      throw new Problem(`The registry has no ${image}.`, 'Correct the digest in the Dockerfile.');
    }
    return {
      id: await ensureStandIn(buildah, log),
      standsIn: `the one that it names cannot be pulled: ${reason.split(': ').slice(-2).join(': ')}`,
    };
  }
}

/** As registries know it: in full, and by its digest only. */
export function namedIn(dockerfile: string): string {
  const [, name, digest] = /^FROM ([\w./-]+)(?::[\w.-]+)?@(sha256:[0-9a-f]{64})$/m.exec(dockerfile) ?? [];
  if (!digest) {
    throw new Problem('The Dockerfile does not name its base by digest.', 'Write FROM <name>:<tag>@sha256:<digest>.');
  }
  return `${/[.:].*\//.test(name) ? '' : name.includes('/') ? 'docker.io/' : 'docker.io/library/'}${name}@${digest}`;
}

/** Python where the official image has it, with pip and setuptools, as that has them. */
async function ensureStandIn(buildah: Buildah, log: string): Promise<string> {
  const recipe = createHash('sha256').update(JSON.stringify(STAND_IN)).digest('hex');
  const name = `localhost/stand-in:${recipe.slice(0, 12)}`;
  const present = await buildah.imageId(name);
  if (present) return present;
  const { release, packages, python } = STAND_IN;
  const container = await buildah.begin('scratch');
  try {
    const files = await buildah.run('mount', container);
    await run('debootstrap', ['--variant=minbase', `--include=${packages.join()}`, release, files], log);
    await run('chroot', [files, 'python3', '-m', 'venv', python], log);
    ['var/cache/apt', 'var/lib/apt/lists'].forEach((path) => rmSync(join(files, path), { recursive: true }));
    await buildah.run('config', '--env=LANG=C.UTF-8', '--cmd=python3', container);
    const id = await buildah.run('commit', '--quiet', container, name);
    await buildah.removeImagesBut(id, 'localhost/stand-in');
    return id;
  } catch (error) {
    throw new Problem(`Debian ${STAND_IN.release} cannot be installed: ${reasonOf(error)}.`, `See ${log}.`);
  } finally {
    await buildah.remove(container);
  }
}

function reasonOf(error: unknown): string {
  const lines = error instanceof CommandFailed ? error.output.trimEnd().split('\n') : [String(error)];
  return lines.at(-1)?.replace(/^Error: /, '') || 'no answer';
}
