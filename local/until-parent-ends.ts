/** Becomes the command, beside a watcher that signals it when the pipe on standard input closes. */
const script = (signal: string, whom: string) =>
  `exec 3<&0; (cat <&3 >/dev/null; kill -${signal} ${whom}) >/dev/null 2>&1 & exec 3<&-; exec "$0" "$@" </dev/null`;

/** A command whose process ends with this one, however this one ends. Its standard input must be a pipe from here. */
export interface BoundCommand {
  readonly command: string;
  readonly args: string[];
}

/** Interrupts the process when this one ends: for a server that then ends its own processes. */
export function interruptedWithParent(command: string, args: string[]): BoundCommand {
  return { command: 'sh', args: ['-c', script('INT', '$$'), command, ...args] };
}

/** Kills the process and all of its group when this one ends; it must lead a group of its own. */
export function killedWithParent(command: string, args: string[]): BoundCommand {
  return { command: 'sh', args: ['-c', script('KILL', '-$$'), command, ...args] };
}
