import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Container } from '../container';

/** A container of the image. */
export interface ContainerOfImage extends Pick<Container, 'command' | 'environment' | 'limits' | 'readOnlyRoot'> {
  /** Directory with the files of the image. */
  readonly files: string;
  /** Name of a user that the image has. */
  readonly user: string;
  /** Files and directories of this machine that the container sees in their places. */
  readonly mounts: { readonly path: string; readonly source: string; readonly readOnly: boolean }[];
}

const CPU_PERIOD_MICROSECONDS = 100_000;

/** A vCPU, in the unit of task definitions. */
const VCPU = 1_024;

/** Of a container of Docker: the kernel's own file systems, and what its engine writes of the network. */
const MOUNTS = [
  { destination: '/proc', type: 'proc', source: 'proc' },
  {
    destination: '/dev',
    type: 'tmpfs',
    source: 'tmpfs',
    options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'],
  },
  { destination: '/dev/shm', type: 'tmpfs', source: 'shm', options: ['nosuid', 'noexec', 'nodev', 'size=65536k'] },
  { destination: '/sys', type: 'bind', source: '/sys', options: ['rbind', 'nosuid', 'noexec', 'nodev', 'ro'] },
  ...['/etc/hosts', '/etc/resolv.conf'].map((path) => bindMount(path, path, true)),
];

/** By the OCI Runtime Specification: no capabilities, the network of this machine, all else apart from it. */
export function runtimeConfig(container: ContainerOfImage): object {
  const { files, user, command, environment, limits, mounts, readOnlyRoot } = container;
  const { uid, gid, home } = accountOf(files, user);
  const memory = limits.memoryMiB * 1_024 * 1_024;
  const quota = (limits.cpuUnits / VCPU) * CPU_PERIOD_MICROSECONDS;
  return {
    ociVersion: '1.0.2',
    process: {
      user: { uid, gid },
      args: command,
      env: Object.entries({ HOME: home, ...environment }).map(([name, value]) => `${name}=${value}`),
      cwd: '/',
      capabilities: {},
      rlimits: [{ type: 'RLIMIT_NOFILE', soft: 1_024, hard: 4_096 }],
    },
    root: { path: files, readonly: readOnlyRoot },
    mounts: [...MOUNTS, ...mounts.map(({ path, source, readOnly }) => bindMount(path, source, readOnly))],
    linux: {
      namespaces: ['pid', 'ipc', 'uts', 'mount'].map((type) => ({ type })),
      resources: {
        memory: { limit: memory, swap: memory },
        cpu: { quota, period: CPU_PERIOD_MICROSECONDS },
      },
    },
  };
}

function bindMount(destination: string, source: string, readOnly: boolean) {
  return { destination, type: 'bind', source, options: ['rbind', readOnly ? 'ro' : 'rw'] };
}

function accountOf(files: string, user: string): { uid: number; gid: number; home: string } {
  const accounts = readFileSync(join(files, 'etc', 'passwd'), 'utf8').split('\n');
  const fields = accounts.map((line) => line.split(':')).find(([name]) => name === user);
  if (!fields) {
    throw new Error(`the image has no user ${user}`);
  }
  return { uid: Number(fields[2]), gid: Number(fields[3]), home: fields[5] };
}
