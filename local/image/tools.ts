import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Packages of Debian, each with the program that it is for. */
const PACKAGES = { buildah: 'buildah', debootstrap: 'debootstrap', runc: 'runc' };

/** Why the image cannot be built and run on this machine, in one line with the remedy; undefined if it can. */
export function whyNoImage(): string | undefined {
  if (process.platform !== 'linux' || process.arch !== 'x64' || process.getuid?.() !== 0) {
    return 'The image is built and run by root on Debian for x86-64, as in a throw-away virtual machine: run this there.';
  }
  const missing = Object.entries(PACKAGES).filter(([program]) => !isOnPath(program));
  if (missing.length === 0) return undefined;
  const packages = missing.map(([, name]) => name).join(' ');
  return `${packages} is missing: apt-get install --no-install-recommends ${packages}`;
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
