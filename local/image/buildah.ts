import { mkdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { CACHE, isAlive } from '../directories';
import { run } from '../processes';

/** What is kept of the image between runs. */
export const IMAGE_CACHE = join(CACHE, 'image');

/** Container that is changed, and by which process. */
const MAKING = /^making-(\d+)-\w+$/gm;

/** Part of the configuration of an image, by the OCI Image Format Specification. */
export interface ImageConfig {
  readonly User?: string;
  readonly Env?: string[];
  readonly Volumes?: Record<string, object>;
}

/** Images and containers in a directory, apart from those that other programs of the machine have. */
export class Buildah {
  public readonly options: string[];

  /** @param log file that the output of every command is added to. */
  constructor(private readonly log: string) {
    mkdirSync(IMAGE_CACHE, { recursive: true });
    const directory = realpathSync(IMAGE_CACHE);
    // Copies instead of overlays: that works in a container, too, and on every file system.
    this.options = ['--storage-driver=vfs', `--root=${directory}/storage`, `--runroot=${directory}/run`];
  }

  /** Runs a command of Buildah; answers the last line that it wrote. */
  public async run(...args: string[]): Promise<string> {
    const output = await run('buildah', [...this.options, ...args], this.log);
    return output.trimEnd().split('\n').at(-1) ?? '';
  }

  /** Runs a command of Buildah without any network. */
  public async runOffline(...args: string[]): Promise<void> {
    await run('unshare', ['--net', 'buildah', ...this.options, ...args], this.log);
  }

  /** What an image says of its processes. */
  public async configOf(id: string): Promise<ImageConfig> {
    const output = await run('buildah', [...this.options, 'inspect', '--type=image', id], this.log);
    return (JSON.parse(output.slice(output.indexOf('{'))) as { OCIv1: { config: ImageConfig } }).OCIv1.config;
  }

  /** The id of an image that is here already. */
  public async imageId(name: string): Promise<string | undefined> {
    try {
      return await this.run('inspect', '--type=image', '--format={{.FromImageID}}', name);
    } catch {
      return undefined;
    }
  }

  /** Directory with the files of an image: a copy that is made once, and that nothing may change. */
  public async filesOf(id: string): Promise<string> {
    const container = filesContainer(id);
    try {
      return directoryOf(await this.run('mount', container));
    } catch {
      await this.run('from', '--pull-never', `--name=${container}`, id);
      return directoryOf(await this.run('mount', container));
    }
  }

  /** Removes the other images of a name, with their files. */
  public async removeImagesBut(id: string, name: string): Promise<void> {
    const ids = await run(
      'buildah',
      [...this.options, 'images', '--quiet', '--no-trunc', `--filter=reference=${name}`],
      this.log,
    );
    for (const [, other] of ids.matchAll(/^sha256:([0-9a-f]{64})$/gm)) {
      if (other === id) continue;
      await this.remove(filesContainer(other));
      await this.run('rmi', other).catch(() => undefined); // another run has it
    }
  }

  /** Begins a container from an image, or from `scratch`; it is for this process to remove. */
  public async begin(image: string): Promise<string> {
    for (const [container, pid] of (await this.list('containers', '--format={{.ContainerName}}')).matchAll(MAKING)) {
      if (!isAlive(Number(pid))) await this.remove(container);
    }
    const name = `making-${process.pid}-${Date.now().toString(36)}`;
    return this.run('from', '--pull-never', `--name=${name}`, image);
  }

  private list(...args: string[]): Promise<string> {
    return run('buildah', [...this.options, ...args], this.log);
  }

  /** Removes a container; it need not be there. */
  public async remove(container: string): Promise<void> {
    await this.run('rm', container).catch(() => undefined);
  }
}

function filesContainer(id: string): string {
  return `files-${id.slice(0, 12)}`;
}

function directoryOf(line: string): string {
  return line.split(' ').at(-1) ?? line;
}
