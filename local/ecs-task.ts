import { ExecFileOptions, execFile } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Container } from './container';
import { freePort } from './ports';
import { Started, start } from './processes';
import { SupersetImage, imageEnvironment } from './superset-image';
import { killedWithParent } from './until-parent-ends';

/** Where and as what a task runs. */
export interface TaskPlace {
  readonly image: SupersetImage;
  /** What the task sees of AWS, with the values of its secrets. */
  readonly environment: Record<string, string>;
  /** A directory of its own: its home, with its volumes. */
  readonly home: string;
  readonly log: string;
}

/** The process of a task. */
export interface TaskProcess extends Started {
  /** Port on 127.0.0.1 for the port of its container. */
  readonly port?: number;
  /** Whether it passes the health check of its container; true if there is none. */
  isHealthy(): Promise<boolean>;
}

/** Starts what a container would run, as a process of this machine. */
export async function startTask(container: Container, place: TaskPlace): Promise<TaskProcess> {
  const port = container.port && (await freePort('another port'));
  const onThisMachine = translation(container, place.home, port);
  const environment = taskEnvironment(container, place);
  const [program, ...args] = container.command.map(onThisMachine);
  const bound = killedWithParent(program, args);
  const started = start(bound.command, bound.args, place.log, { cwd: place.home, env: environment });
  const healthCheck = container.healthCheck?.map(onThisMachine);
  return Object.assign(started, {
    port,
    isHealthy: async () => !healthCheck || succeeds(healthCheck, { cwd: place.home, env: environment }),
  });
}

/** The variables of a container on this machine. */
export function taskEnvironment(container: Container, { image, environment, home }: TaskPlace): Record<string, string> {
  const onThisMachine = translation(container, home);
  const ofDefinition = Object.entries(container.environment).map(([name, value]) => [name, onThisMachine(value)]);
  mkdirSync(home, { recursive: true });
  return {
    ...imageEnvironment(image, home),
    TMPDIR: onThisMachine('/tmp'),
    ...environment,
    ...(Object.fromEntries(ofDefinition) as Record<string, string>),
  };
}

/** Writes a volume as a directory of the task, and the address of the container as one on loopback. */
function translation({ volumes, port }: Container, home: string, hostPort?: number): (text: string) => string {
  const directories = volumes.map((path) => ({ path, directory: join(home, path) }));
  directories.forEach(({ directory }) => mkdirSync(directory, { recursive: true }));
  return (text) => {
    const placed = directories.reduce(
      (result, { path, directory }) => result.replaceAll(new RegExp(`(?<![\\w./-])${path}(?![\\w-])`, 'g'), directory),
      text,
    );
    return hostPort === undefined ? placed : placed.replaceAll(`0.0.0.0:${port}`, `127.0.0.1:${hostPort}`);
  };
}

function succeeds([program, ...args]: string[], options: ExecFileOptions): Promise<boolean> {
  return new Promise((resolve) => execFile(program, args, options, (error) => resolve(error === null)));
}

/** The end of a log, without empty lines. */
export function lastLines(log: string, count: number): string[] {
  const lines = readFileSync(log, 'utf8').split('\n');
  return lines.filter((line) => line.trim() !== '').slice(-count);
}
