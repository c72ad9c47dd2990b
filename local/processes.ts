import { ChildProcess, SpawnOptions, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';

/** A process, with all that it starts, in a group of its own: a Ctrl-C of the terminal does not reach it. */
export interface Started {
  readonly process: ChildProcess;
  /** Resolves with the exit code or the signal. */
  readonly ended: Promise<string>;
  /** Whether it ended because it was asked to. */
  readonly stopped: boolean;
  /** Ends the whole group, and resolves when it is gone. */
  stop(): Promise<void>;
  /** Ends it at once, without a chance to do so in good order. */
  kill(): Promise<void>;
  send(signal: NodeJS.Signals): void;
}

/** How a process is started, and ended. */
export interface StartOptions extends SpawnOptions {
  /** Time to end in good order. @default 3 */
  readonly graceSeconds?: number;
  /** Sends it a signal. @default - to its group */
  readonly sendSignal?: (signal: NodeJS.Signals) => void;
}

const GRACE_SECONDS = 3;

const running = new Set<Started>();

/** Starts a command whose output goes to a log file. */
export function start(command: string, args: string[], log: string, startOptions: StartOptions = {}): Started {
  const { graceSeconds = GRACE_SECONDS, sendSignal, ...options } = startOptions;
  const output = openSync(log, 'a');
  const child = spawn(command, args, { stdio: ['pipe', output, output], ...options, detached: true });
  closeSync(output);
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
  const send = sendSignal ?? ((signal) => signalGroup(child, signal));
  let stopping: Promise<void> | undefined;
  const stop = () => (stopping ??= end());
  const end = async () => {
    started.stopped = true;
    send('SIGTERM');
    const force = setTimeout(() => send('SIGKILL'), graceSeconds * 1_000);
    await ended;
    clearTimeout(force);
  };
  const kill = async () => {
    started.stopped = true;
    send('SIGKILL');
    await ended;
  };
  const started = { process: child, ended, stop, kill, send, stopped: false };
  running.add(started);
  void ended.then(() => {
    signalGroup(child, 'SIGKILL'); // what it has left behind
    running.delete(started);
  });
  return started;
}

/** Runs a command to its end; throws with the last lines of its output when it fails. */
export async function run(
  command: string,
  args: string[],
  log: string,
  { input, ...options }: SpawnOptions & { readonly input?: string } = {},
): Promise<string> {
  const from = size(log);
  const started = start(command, args, log, options);
  if (input !== undefined) {
    started.process.stdin?.on('error', () => undefined).end(input); // a command that ended early tells why itself
  }
  const how = await started.ended;
  if (started.stopped) {
    return new Promise(() => undefined); // whoever stopped it waits for no answer
  }
  const output = readFileSync(log, 'utf8').slice(from);
  if (how !== 'exit code 0') {
    throw new CommandFailed(`${[command, ...args].join(' ')} ended with ${how}`, output);
  }
  return output;
}

/** A command that failed, with what it wrote. */
export class CommandFailed extends Error {
  constructor(
    what: string,
    readonly output: string,
  ) {
    super(`${what}\n${output.trimEnd().split('\n').slice(-15).join('\n')}`);
  }
}

/** Ends whatever is still running. */
export async function stopAll(): Promise<void> {
  await Promise.all([...running].map((started) => started.stop()));
}

/** Ends whatever is still running at once: for a second Ctrl-C. */
export function killAll(): void {
  running.forEach(({ send }) => send('SIGKILL'));
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) {
    return;
  }
  try {
    process.kill(-child.pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') {
      throw error;
    }
  }
}

function size(file: string): number {
  try {
    return readFileSync(file, 'utf8').length;
  } catch {
    return 0;
  }
}
