import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { Container } from '../container';
import { Started, start } from '../processes';

/** What was seen of a container that has ended. */
export interface TaskUsage {
  readonly name: string;
  readonly limitMiB: number;
  readonly allowedStopSeconds: number;
  /** What ECS counts, at most: memory of its processes and of the files that they work with, in MiB. */
  readonly peakMiB: number;
  /** How often the kernel ended a process of it for want of memory, as far as that was seen. */
  readonly outOfMemory: number;
  /** From the signal to its end. @default - it ended by itself */
  readonly stopSeconds?: number;
  /** How it ended. */
  readonly end: string;
}

/** A line of `runc events`. */
interface Event {
  readonly type: string;
  readonly data?: { readonly memory?: { readonly usage?: { readonly usage?: number }; readonly raw?: Raw } };
}

/** Of the kernel's memory.stat; the names are those of cgroup 2, and of cgroup 1 with what is below. */
interface Raw {
  readonly inactive_file?: number;
  readonly total_inactive_file?: number;
}

const MEBIBYTE = 1_024 * 1_024;

/** Follows a container with `runc events`; resolves when it has ended. */
export async function watchUsage(
  container: Container,
  started: Started,
  { id, state, log }: { readonly id: string; readonly state: string; readonly log: string },
): Promise<TaskUsage> {
  const { name, limits, stopSeconds: allowedStopSeconds } = container;
  const { stop } = started;
  let signalledAt: number | undefined;
  started.stop = () => {
    signalledAt ??= Date.now();
    return stop();
  };
  const ended = started.ended.then((how) => ({ end: how, endedAt: Date.now() }));
  await follow(started, id, state, log);
  const { end, endedAt } = await ended;
  const stopSeconds = signalledAt && (endedAt - signalledAt) / 1_000;
  const { sampledMiB, outOfMemory: seen } = read(log);
  // One that takes too much at once is gone before runc tells of it; nothing else kills a container that was not asked to end.
  const outOfMemory = seen === 0 && signalledAt === undefined && end === 'exit code 137' ? 1 : seen;
  const peakMiB = outOfMemory > 0 ? limits.memoryMiB : sampledMiB;
  return { name, limitMiB: limits.memoryMiB, allowedStopSeconds, end, stopSeconds, peakMiB, outOfMemory };
}

async function follow(started: Started, id: string, state: string, log: string): Promise<void> {
  let hasEnded = false;
  const ended = started.ended.then(() => (hasEnded = true));
  while (!hasEnded && !exists(id, state)) {
    await pause(50);
  }
  const events = start('runc', ['--root', state, 'events', '--interval=1s', id], log);
  await Promise.race([ended, events.ended]);
  await ended;
  await events.stop();
}

function exists(id: string, state: string): boolean {
  try {
    execFileSync('runc', ['--root', state, 'state', id], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Lines of another kind are what runc says when the container has just ended. */
function read(log: string): { readonly sampledMiB: number; readonly outOfMemory: number } {
  const lines = existsSync(log) ? readFileSync(log, 'utf8').split('\n') : [];
  const events = lines
    .filter((line) => line.startsWith('{') && line.endsWith('}'))
    .map((line) => JSON.parse(line) as Event);
  const samples = events.map(({ data }) => {
    const { usage, raw } = data?.memory ?? {};
    return (usage?.usage ?? 0) - (raw?.total_inactive_file ?? raw?.inactive_file ?? 0);
  });
  return {
    sampledMiB: Math.ceil(Math.max(0, ...samples) / MEBIBYTE),
    outOfMemory: events.filter(({ type }) => type === 'oom').length,
  };
}
