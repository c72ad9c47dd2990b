import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { Socket, connect } from 'node:net';
import { Problem } from './problem';
import { Account } from './server-account';
import { interruptedWithParent } from './until-parent-ends';

/** How a server is started. */
export interface ServerProgram {
  /** Its name, for people. */
  readonly name: string;
  readonly command: string;
  readonly args: string[];
  readonly directory: string;
  readonly log: string;
  /** Port on 127.0.0.1 on which it answers when it is ready. */
  readonly port: number;
  /** @default - that of this process */
  readonly account?: Account;
}

/** A server that runs. */
export interface ServerProcess {
  readonly pid: number;
  /** Resolves when it has ended, whoever ended it. */
  readonly ended: Promise<string>;
  /** Ends it in good order. */
  stop(): Promise<void>;
}

const START_SECONDS = 10;

/** Starts a server, which ends with this process, and waits until it answers. */
export async function startServer(program: ServerProgram): Promise<ServerProcess> {
  const { name, directory, log, port, account } = program;
  const output = openSync(log, 'a');
  const { command, args } = interruptedWithParent(program.command, program.args);
  const server = spawn(command, args, { ...account, cwd: directory, detached: true, stdio: ['pipe', output, output] });
  closeSync(output);
  const ended = new Promise<string>((resolve) => {
    server.once('error', (error) => resolve(error.message));
    server.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
  // Whoever forgets to stop it can still end, and ends it.
  server.unref();
  (server.stdin as Socket).unref();
  const stop = async () => {
    server.ref();
    server.kill('SIGTERM');
    await ended;
  };
  const died = ended.then((how) => {
    const reason = readFileSync(log, 'utf8').trimEnd().split('\n').at(-1);
    throw new Problem(`${name} does not start (${how}: ${reason}).`, `See ${log}.`);
  });
  died.catch(() => undefined);
  try {
    await Promise.race([died, listens(name, port)]);
  } catch (error) {
    await stop();
    throw error;
  }
  return { pid: server.pid as number, ended, stop };
}

async function listens(name: string, port: number): Promise<void> {
  const deadline = Date.now() + START_SECONDS * 1_000;
  for (;;) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect({ host: '127.0.0.1', port }, () => resolve(true));
      socket.once('error', () => resolve(false)).once('connect', () => socket.destroy());
    });
    if (open) {
      return;
    }
    if (Date.now() > deadline) {
      throw new Problem(`${name} does not answer within ${START_SECONDS} s.`, 'Try again on a less busy machine.');
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
