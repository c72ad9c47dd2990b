import Table from 'cli-table3';
import { Problem } from '../problem';
import { BuiltImage } from './build';
import { TaskUsage } from './task-usage';

/** What is to be known of the image, and of the tasks that have run from it. */
export function imageReport({ size, base }: BuiltImage, usages: TaskUsage[]): string {
  const table = new Table({
    head: ['task', 'memory at most', 'its limit', 'ended after SIGTERM', 'allowed'],
    style: { head: [], border: [] },
  });
  for (const { name, peakMiB, limitMiB, stopSeconds, allowedStopSeconds, end } of usages) {
    const stop = stopSeconds === undefined ? `by itself: ${end}` : `${stopSeconds.toFixed(1)} s`;
    table.push([name, `${peakMiB} MiB`, `${limitMiB} MiB`, stop, `${allowedStopSeconds} s`]);
  }
  const on = base.standsIn
    ? `a stand-in for its base, with Debian's Python (${base.standsIn})`
    : 'the base that its Dockerfile names';
  return `The image: ${size}, on ${on}.\n${table.toString()}`;
}

/** Throws for a task that had less memory or time to end than it needed. */
export function expectEnough(usages: TaskUsage[]): void {
  for (const { name, limitMiB, outOfMemory, stopSeconds, allowedStopSeconds } of usages) {
    if (outOfMemory > 0) {
      throw new Problem(
        `The ${name} task had ${limitMiB} MiB, and the kernel ended a process of it for want of memory.`,
        'Give it more in lib/superset/superset-service.ts.',
      );
    }
    if (stopSeconds !== undefined && stopSeconds >= allowedStopSeconds) {
      throw new Problem(
        `The ${name} task did not end within ${allowedStopSeconds} s of SIGTERM.`,
        'Look at what it waits for: ECS would kill it.',
      );
    }
  }
}
