/** Becomes the command, beside a watcher that ends it when the pipe on standard input closes. */
const script = (end: string) =>
  `exec 3<&0; (cat <&3 >/dev/null; ${end}) >/dev/null 2>&1 & exec 3<&-; exec "$0" "$@" </dev/null`;

/** A command whose process ends with this one, however this one ends. Its standard input must be a pipe from here. */
export interface BoundCommand {
  readonly command: string;
  readonly args: string[];
}

/** Interrupts the process when this one ends: for a server that then ends its own processes. */
export function interruptedWithParent(command: string, args: string[]): BoundCommand {
  return { command: 'sh', args: ['-c', script('kill -INT $$'), command, ...args] };
}

/** Kills the process and all of its group when this one ends; it must lead a group of its own. */
export function killedWithParent(command: string, args: string[]): BoundCommand {
  return { command: 'sh', args: ['-c', script('kill -KILL -$$'), command, ...args] };
}

/** Runs another command when this one ends: for what no signal to the process would end. */
export function endedWithParent(command: string, args: string[], end: string): BoundCommand {
  return { command: 'sh', args: ['-c', script(end), command, ...args] };
}
