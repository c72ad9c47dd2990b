import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { Container } from '../container';
import { TaskEngine, TaskPlace, TaskProcess } from '../ecs-task';
import { freePort } from '../ports';
import { run, start } from '../processes';
import { endedWithParent } from '../until-parent-ends';
import { BuiltImage } from './build';
import { runtimeConfig } from './runtime-config';
import { TaskUsage, watchUsage } from './task-usage';

/** A container, as runc knows it. */
interface Bundle {
  readonly id: string;
  /** Of the OCI runtime. */
  readonly directory: string;
  /** Where runc keeps what it knows of it. */
  readonly state: string;
}

/** Containers of this process so far: several commands may run beside one task, and several engines at once. */
let count = 0;

/** Runs the containers of tasks from the built image, with runc: as their definitions say, but in the network of this machine. */
export class ContainerEngine implements TaskEngine {
  private readonly watched: Promise<TaskUsage>[] = [];

  /**
   * @param image the image.
   * @param caFile authorities of this machine's servers, in place of those of AWS.
   */
  constructor(
    private readonly image: BuiltImage,
    private readonly caFile: string,
  ) {}

  /** What was seen of each container that was started; resolves when all have ended. */
  public usages(): Promise<TaskUsage[]> {
    return Promise.all(this.watched);
  }

  public async start(container: Container, place: TaskPlace): Promise<TaskProcess> {
    const port = container.port && (await freePort('another port'));
    // Not the port itself, which another run may have; and none that other machines reach.
    const command = container.command.map((word) =>
      port === undefined ? word : word.replaceAll(`0.0.0.0:${container.port}`, `127.0.0.1:${port}`),
    );
    const bundle = this.bundle(container, place, command);
    const { id, state } = bundle;
    const bound = endedWithParent('runc', runArguments(bundle), 'runc --root "$STATE" kill "$ID" KILL');
    const started = start(bound.command, bound.args, place.log, {
      env: { ...process.env, STATE: state, ID: id },
      graceSeconds: container.stopSeconds,
      sendSignal: (signal) => {
        try {
          execFileSync('runc', ['--root', state, 'kill', id, signal], { stdio: 'ignore' });
        } catch {
          started.process.kill(signal); // it is not there yet, or no more
        }
      },
    });
    this.watched.push(watchUsage(container, started, { id, state, log: join(bundle.directory, 'events.log') }));
    const { healthCheck } = container;
    return Object.assign(started, {
      port,
      isHealthy: async () => !healthCheck || succeeds('runc', ['--root', state, 'exec', id, ...healthCheck]),
    });
  }

  public run(container: Container, place: TaskPlace, command: string[], input?: string): Promise<string> {
    return run('runc', runArguments(this.bundle(container, place, command)), place.log, { input });
  }

  public environment(container: Container, place: TaskPlace): Record<string, string> {
    const { environment, certificates } = this.image;
    return { ...environment, SSL_CERT_FILE: certificates, ...place.environment, ...container.environment };
  }

  /** Writes what runc takes, with new volumes. */
  private bundle(container: Container, place: TaskPlace, command: string[]): Bundle {
    const number = ++count;
    const home = `${place.home}-${number}`;
    const volumes = container.volumes.map((path) => ({ path, directory: join(home, 'volumes', path) }));
    for (const { path, directory } of volumes) {
      if (!this.image.volumes.includes(path)) {
        throw new Error(`the image does not declare ${path} as a volume, so that its user could not write there`);
      }
      mkdirSync(dirname(directory), { recursive: true });
      // As a volume of the image begins: with its files, owner and mode.
      execFileSync('cp', ['--archive', join(this.image.files, path), directory]);
    }
    const config = runtimeConfig({
      files: this.image.files,
      user: container.user ?? this.image.user,
      readOnlyRoot: container.readOnlyRoot,
      limits: container.limits,
      command,
      environment: this.environment(container, place),
      mounts: [
        ...volumes.map(({ path, directory }) => ({ path, source: directory, readOnly: false })),
        { path: this.image.certificates, source: this.caFile, readOnly: true },
      ],
    });
    writeFileSync(join(home, 'config.json'), JSON.stringify(config), { mode: 0o600 });
    return { id: `superset-${process.pid}-${basename(home)}`, directory: home, state: join(home, 'runc') };
  }
}

function runArguments({ id, directory, state }: Bundle): string[] {
  return ['--root', state, 'run', '--bundle', directory, id];
}

function succeeds(program: string, args: string[]): Promise<boolean> {
  return new Promise((resolve) => execFile(program, args, (error) => resolve(error === null)));
}
