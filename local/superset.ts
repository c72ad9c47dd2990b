import { readFileSync } from 'node:fs';
import { get } from 'node:https';
import { EcsAgent, EcsAgentOptions } from './ecs-agent';
import { LoadBalancer, nameOnLoopback, onLoopback } from './load-balancer';
import { Problem } from './problem';

/** Its environment is that of every task, and it runs before all others. */
const MIGRATION = 'migration';

const HEALTHY_SECONDS = 180;

/** A service of Superset, with its one task on this machine. */
export interface SupersetTask {
  /** Log of the task that runs. */
  readonly log: string;
  /** Ends it, and leaves the service without a task. */
  stop(): Promise<void>;
  /** Ends it in good order, if it runs, and resolves when the service has another. */
  restart(): Promise<void>;
  /** Ends it at once, and resolves when the service has another. */
  kill(): Promise<void>;
}

/** How people come to a Superset. */
export interface SupersetDoor {
  readonly entrance: LoadBalancer;
  /** Host name by which the load balancer tells it from others. @default - it has one for itself, as localhost */
  readonly hostName?: string;
}

/** A Superset that was deployed. */
export interface Superset {
  /** Where users go: the load balancer's stand-in. */
  readonly url: string;
  /** The authority that signed its certificate. */
  readonly caFile: string;
  /** Those of the services, by the name of their container. */
  readonly tasks: { readonly web: SupersetTask; readonly worker: SupersetTask; readonly beat: SupersetTask };
  /** Port on 127.0.0.1 that the web server has just now. */
  webPort(): number | undefined;
  /** Names of the containers that run. */
  running(): string[];
  /** The variables of a task. */
  environment(): Promise<Record<string, string>>;
  /** Runs a command as a task would; answers what it wrote. */
  run(command: string[], input?: string): Promise<string>;
  /** Resolves when the web server answers on the path of its target group, and the others pass the checks of their containers. */
  healthy(path: string): Promise<void>;
  stop(): Promise<void>;
}

/** Begins to run the tasks that the account will want, behind a load balancer. */
export function startSuperset({ entrance, hostName }: SupersetDoor, options: EcsAgentOptions): Superset {
  const agent = new EcsAgent(options);
  const url = `https://${nameOnLoopback(hostName)}:${entrance.port}`;
  agent.start();
  const taskOf = (name: string): SupersetTask => ({
    get log() {
      return agent.task(name)?.log ?? '';
    },
    stop: async () => agent.task(name)?.process.stop(),
    restart: () => agent.replace(name),
    kill: () => agent.replace(name, 'SIGKILL'),
  });
  return {
    url,
    caFile: entrance.caFile,
    tasks: { web: taskOf('web'), worker: taskOf('worker'), beat: taskOf('beat') },
    webPort: () => agent.task('web')?.process.port,
    running: () => agent.running(),
    environment: () => agent.environmentOf(MIGRATION),
    run: (command, input) => agent.runBeside(MIGRATION, command, input),
    healthy: (path) => untilHealthy(agent, `${url}${path}`, entrance.caFile),
    stop: () => agent.stop(),
  };
}

async function untilHealthy(agent: EcsAgent, url: string, caFile: string): Promise<void> {
  const deadline = Date.now() + HEALTHY_SECONDS * 1_000;
  for (;;) {
    const web = await answerOf(url, caFile);
    const others = await agent.unhealthy();
    if (web === '200' && others.length === 0) {
      return;
    }
    if (Date.now() > deadline) {
      const what = web === '200' ? `${others.join(', ')} fails its health check` : `web: ${web}`;
      throw new Problem(
        `Superset is not healthy within ${HEALTHY_SECONDS} s (${what}).`,
        'Try again on a less busy machine.',
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

/** The status of an answer, or why there is none. */
export function answerOf(url: string, caFile: string): Promise<string> {
  return new Promise((resolve) => {
    get(url, { ca: readFileSync(caFile), agent: false, lookup: onLoopback }, (response) => {
      response.resume();
      resolve(String(response.statusCode));
    }).once('error', (error) => resolve(error.message));
  });
}
