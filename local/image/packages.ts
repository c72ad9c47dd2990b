import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Problem } from '../problem';
import { CommandFailed } from '../processes';
import { BaseImage } from './base-image';
import { Buildah, IMAGE_CACHE } from './buildah';

const LOCKS = ['build-requirements.txt', 'requirements.txt'];

/** Where Debian and its kin keep the authorities that the machine trusts. */
const AUTHORITIES = '/etc/ssl/certs/ca-certificates.crt';

/** For pip in the build: it knows these packages and no index, and installs nothing without a hash, not even to build with. */
const OFFLINE = `[global]
no-index = true
find-links = /root/packages
disable-pip-version-check = true
[install]
require-hashes = true
`;

/**
 * Downloads what the locks of a build context name, with the pip of the base and the index that this machine's pip knows.
 *
 * Those of an image of the same name are replaced. Answers a directory to be root's home in the build: with the packages, and with a configuration of pip that knows nothing else.
 */
export async function ensurePackages(
  buildah: Buildah,
  base: BaseImage,
  name: string,
  context: string,
): Promise<string> {
  const locks = LOCKS.map((name) => readFileSync(join(context, name)));
  const hash = createHash('sha256').update(base.id).update(Buffer.concat(locks)).digest('hex').slice(0, 12);
  const home = join(IMAGE_CACHE, `packages-of-${name}-${hash}`);
  if (existsSync(home)) return home;
  const making = `${home}.${process.pid}`;
  const packages = join(making, 'packages');
  mkdirSync(packages, { recursive: true });
  const container = await buildah.begin(base.id);
  try {
    await download(buildah, container, context, making);
    rmSync(join(making, 'pip.conf'));
    mkdirSync(join(making, '.config', 'pip'), { recursive: true });
    writeFileSync(join(making, '.config', 'pip', 'pip.conf'), OFFLINE);
    readdirSync(IMAGE_CACHE)
      .filter((other) => other.slice(0, -hash.length) === `packages-of-${name}-`)
      .forEach((other) => rmSync(join(IMAGE_CACHE, other), { recursive: true, force: true }));
    renameSync(making, home);
  } catch (error) {
    const reason = error instanceof CommandFailed ? /^ERROR: .*$/m.exec(error.output)?.[0] : undefined;
    throw new Problem(
      `The packages of the image cannot be downloaded (${reason ?? String(error)}).`,
      'Check that pip reaches its package index, then try again.',
    );
  } finally {
    await buildah.remove(container);
    rmSync(making, { recursive: true, force: true });
  }
  return home;
}

async function download(buildah: Buildah, container: string, context: string, directory: string): Promise<void> {
  writeFileSync(join(directory, 'pip.conf'), configurationOfThisMachine(), { mode: 0o600 });
  const hashed = ['--require-hashes', ...LOCKS.map((name) => `--requirement=/context/${name}`)];
  const commands = [
    `pip install --quiet --no-cache-dir --require-hashes --requirement=/context/${LOCKS[0]}`,
    `pip download --quiet --no-cache-dir --no-deps --no-build-isolation --use-pep517 ${hashed.join(' ')} --dest=/made/packages`,
  ];
  await buildah.run(
    'run',
    '--isolation=chroot',
    `--volume=${context}:/context:ro`,
    `--volume=${directory}:/made`,
    ...(existsSync(AUTHORITIES) ? [`--volume=${AUTHORITIES}:/authorities.pem:ro`] : []),
    '--env=PIP_CONFIG_FILE=/made/pip.conf',
    container,
    ...['--', 'sh', '-c', commands.join(' && ')],
  );
}

/** Options of pip that say how to reach an index, as this machine's pip has them. */
function configurationOfThisMachine(): string {
  const wanted = ['index-url', 'extra-index-url', 'trusted-host', 'proxy', 'timeout'];
  const options = new Map(existsSync(AUTHORITIES) ? [['cert', '/authorities.pem']] : []);
  for (const [, option, value] of pipConfig().matchAll(/^[\w:]+\.([\w-]+)='(.*)'$/gm)) {
    if (wanted.includes(option)) options.set(option, value.replaceAll('\\n', '\n  '));
  }
  return `[global]\n${[...options].map(([option, value]) => `${option} = ${value}\n`).join('')}`;
}

function pipConfig(): string {
  try {
    return execFileSync('python3', ['-m', 'pip', 'config', 'list'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  } catch {
    return ''; // a machine without pip has nothing to say about it
  }
}
