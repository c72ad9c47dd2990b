import { ExecFileOptions, execFile } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Container } from './container';
import { freePort } from './ports';
import { Started, run, start } from './processes';
import { SupersetImage, imageEnvironment } from './superset-image';
import { killedWithParent } from './until-parent-ends';

/** Where and as what a task runs. */
export interface TaskPlace {
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

/** What runs the containers of tasks. */
export interface TaskEngine {
  start(container: Container, place: TaskPlace): Promise<TaskProcess>;
  /** Runs another command as the container would, to its end; answers what it wrote. */
  run(container: Container, place: TaskPlace, command: string[], input?: string): Promise<string>;
  /** The variables of a container. */
  environment(container: Container, place: TaskPlace): Record<string, string>;
}

/** Runs what containers would, as processes of this machine. */
export function processEngine(image: SupersetImage): TaskEngine {
  const environment = (container: Container, place: TaskPlace) => taskEnvironment(container, place, image);
  return {
    environment,
    start: (container, place) => startTask(container, place, environment(container, place)),
    run: (container, place, [program, ...args], input) => {
      const env = environment(container, place);
      return run(program, args, place.log, { cwd: place.home, env, input });
    },
  };
}

async function startTask(
  container: Container,
  place: TaskPlace,
  environment: Record<string, string>,
): Promise<TaskProcess> {
  const port = container.port && (await freePort('another port'));
  const onThisMachine = translation(container, place.home, port);
  const [program, ...args] = container.command.map(onThisMachine);
  const bound = killedWithParent(program, args);
  const started = start(bound.command, bound.args, place.log, { cwd: place.home, env: environment });
  const healthCheck = container.healthCheck?.map(onThisMachine);
  return Object.assign(started, {
    port,
    isHealthy: async () => !healthCheck || succeeds(healthCheck, { cwd: place.home, env: environment }),
  });
}

function taskEnvironment(
  container: Container,
  { environment, home }: TaskPlace,
  image: SupersetImage,
): Record<string, string> {
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
