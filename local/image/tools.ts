import { execFileSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Packages of Debian, each of which has a program of its name. */
const PACKAGES = ['buildah', 'debootstrap', 'runc'];

/** Why the image cannot be built and run on this machine, in one line with the remedy; undefined if it can. */
export function whyNoImage(): string | undefined {
  if (process.platform !== 'linux' || process.arch !== 'x64' || process.getuid?.() !== 0) {
    return 'The image is built and run by root on Debian for x86-64, as in a throw-away virtual machine: run this there.';
  }
  const missing = PACKAGES.filter((program) => !isOnPath(program));
  if (missing.length > 0) {
    const packages = missing.join(' ');
    return `Not installed: ${packages}. Run apt-get install --no-install-recommends ${packages}`;
  }
  return mayIsolate()
    ? undefined
    : 'This root may make no namespaces: use a virtual machine or a privileged container.';
}

function isOnPath(program: string): boolean {
  const directories = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return directories.some((directory) => {
    try {
      accessSync(join(directory, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function mayIsolate(): boolean {
  try {
    execFileSync('unshare', ['--net', '--mount', '--pid', '--fork', 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
