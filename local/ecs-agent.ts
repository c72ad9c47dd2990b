import { CloudWatchLogsClient, CreateLogStreamCommand, PutLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import {
  DescribeTaskDefinitionCommand,
  DescribeTasksCommand,
  ECSClient,
  SubmitTaskStateChangeCommand,
  Task,
  paginateListClusters,
  paginateListTasks,
} from '@aws-sdk/client-ecs';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Container, SecretReference, containerOf } from './container';
import { TaskEngine, TaskPlace, TaskProcess, lastLines } from './ecs-task';
import { Emulator } from './emulator';
import { RecordedTasks } from './network/recorded-tasks';
import { Problem } from './problem';
import { roleSession } from './role-session';

export interface EcsAgentOptions {
  readonly emulator: Emulator;
  readonly engine: TaskEngine;
  /** Directory of the run. */
  readonly directory: string;
  /** Whose tasks it runs, by the beginning of the cluster's name. @default - those of every cluster */
  readonly cluster?: string;
  /** What variables of tasks hold, and what stands for it here. @default - nothing */
  readonly replaced?: [string, string][];
  readonly recorded: RecordedTasks;
  /** Told of a task of a service that ended and was not asked to. */
  readonly onDeath: (problem: Problem) => void;
}

/** A task that the agent runs. */
export interface AgentTask {
  readonly arn: string;
  readonly container: Container;
  readonly process: TaskProcess;
  readonly log: string;
}

const POLL_MILLISECONDS = 500;
const REPLACED_SECONDS = 20;
const LOG_LINES = 100;

/**
 * Does what the agent of ECS does on a container host: starts the tasks that the account wants, ends those that it no longer
 * wants, and says how they ended. Services are ECS's own affair: it asks for a new task where one has ended.
 */
export class EcsAgent {
  private readonly ecs: ECSClient;
  private readonly known = new Set<string>();
  private readonly tasks = new Map<string, AgentTask>();
  /** What the containers of ended tasks were, too: by name. */
  private readonly containers = new Map<string, Container>();
  private polling?: Promise<void>;
  private stopping = false;

  constructor(private readonly options: EcsAgentOptions) {
    this.ecs = new ECSClient(options.emulator.sdk);
  }

  /** Begins to look after tasks. */
  public start(): void {
    this.polling = this.poll();
  }

  /** Ends the tasks. */
  public async stop(): Promise<void> {
    this.stopping = true;
    await this.polling;
    await Promise.all([...this.tasks.values()].map(({ process }) => process.stop()));
  }

  /** Names of the containers that run. */
  public running(): string[] {
    return [...this.tasks.values()].map(({ container }) => container.name);
  }

  /** Names of the containers that fail their health check. */
  public async unhealthy(): Promise<string[]> {
    const checks = [...this.tasks.values()].map(async ({ container, process }) =>
      (await process.isHealthy()) ? [] : [container.name],
    );
    return (await Promise.all(checks)).flat();
  }

  /** The task that was started last for a container of that name. */
  public task(name: string): AgentTask | undefined {
    return [...this.tasks.values()].filter(({ container }) => container.name === name).at(-1);
  }

  /** Ends a task, and resolves when ECS has put another in its place. */
  public async replace(name: string, signal?: 'SIGKILL'): Promise<void> {
    const old = this.task(name);
    if (old) {
      this.tasks.delete(old.arn);
      await (signal ? old.process.kill() : old.process.stop());
      await this.submit(old.arn, `${name} was ended`, { [name]: signal ? 137 : 0 });
    }
    const deadline = Date.now() + REPLACED_SECONDS * 1_000;
    while (this.task(name) === undefined) {
      if (this.stopping || Date.now() > deadline) {
        throw new Error(`no service has put another ${name} in place`);
      }
      await pause(POLL_MILLISECONDS / 5);
    }
  }

  /** The variables of a container that ran before, for a process beside it. */
  public async environmentOf(name: string): Promise<Record<string, string>> {
    const [container, place] = await this.beside(name);
    return this.options.engine.environment(container, place);
  }

  /** Runs a command with the variables of a container; answers what it wrote. */
  public async runBeside(name: string, command: string[], input?: string): Promise<string> {
    const [container, place] = await this.beside(name);
    return this.options.engine.run(container, place, command, input);
  }

  private async beside(name: string): Promise<[Container, TaskPlace]> {
    const container = this.containers.get(name);
    if (!container) {
      throw new Error(`no task with a container ${name} has run`);
    }
    return [container, await this.placeOf(container, `beside-${name}`)];
  }

  private async poll(): Promise<void> {
    while (!this.stopping) {
      try {
        await this.follow();
      } catch (error) {
        // Of the end of the emulator, whoever watches it tells.
        await Promise.race([this.options.emulator.ended, pause(2_000)]);
        this.reportDeath(new Problem(`ECS cannot be followed (${(error as Error).message}).`, 'Start again.'));
        return;
      }
      await pause(POLL_MILLISECONDS);
    }
  }

  /** Brings what runs to what ECS wants. */
  private async follow(): Promise<void> {
    const wanted = new Map<string, string>();
    for await (const { clusterArns } of paginateListClusters({ client: this.ecs }, {})) {
      for (const cluster of (clusterArns ?? []).filter((arn) => idOf(arn).startsWith(this.options.cluster ?? ''))) {
        for await (const { taskArns } of paginateListTasks({ client: this.ecs }, { cluster })) {
          taskArns?.forEach((arn) => wanted.set(arn, cluster));
        }
      }
    }
    for (const [arn, task] of this.tasks) {
      if (!wanted.has(arn)) {
        this.tasks.delete(arn);
        void task.process.stop();
      }
    }
    for (const [arn, cluster] of wanted) {
      if (!this.known.has(arn)) {
        this.known.add(arn);
        const { tasks } = await this.ecs.send(new DescribeTasksCommand({ cluster, tasks: [arn] }));
        await this.launch(arn, tasks?.[0] ?? {});
      }
    }
  }

  private async launch(arn: string, description: Task): Promise<void> {
    const { recorded } = this.options;
    try {
      const asked = { taskDefinition: description.taskDefinitionArn };
      const answer = await this.ecs.send(new DescribeTaskDefinitionCommand(asked));
      const container = this.onThisMachine(containerOf(answer.taskDefinition ?? {}));
      const id = idOf(arn).slice(0, 8);
      const place = await this.placeOf(container, `${container.name}-${id}`);
      const recordedContainer = await recorded.container(id, answer.taskDefinition?.family, container);
      const task = {
        arn,
        container,
        process: await this.options.engine.start(recordedContainer, place),
        log: place.log,
      };
      recorded.listens(id, task.process.port);
      this.containers.set(container.name, container);
      this.tasks.set(arn, task);
      void task.process.ended.then((how) => this.ended(task, how, description.group ?? ''));
    } catch (error) {
      await this.submit(arn, `ResourceInitializationError: ${(error as Error).message}`, {});
    }
  }

  /** A task of a service must not end by itself; that of a command is done. */
  private async ended(task: AgentTask, how: string, group: string): Promise<void> {
    const { arn, container, log, process } = task;
    if (this.stopping || process.stopped || this.tasks.get(arn) !== task) {
      return;
    }
    if (group.startsWith('service:')) {
      const reason = `The ${container.name} task has died (${how}):\n${lastLines(log, 8).join('\n')}\n`;
      this.reportDeath(new Problem(reason, 'Start again; nothing was kept of this run.'));
      return;
    }
    this.tasks.delete(arn);
    try {
      await this.writeLog(task);
      const { exitCode } = process.process;
      await this.submit(arn, `Essential container in task exited: ${how}`, { [container.name]: exitCode ?? 137 });
    } catch (error) {
      this.reportDeath(new Problem(`ECS cannot be told (${(error as Error).message}).`, 'Start again.'));
    }
  }

  private async writeLog({ arn, container, log }: AgentTask): Promise<void> {
    const stream = {
      logGroupName: container.log.group,
      logStreamName: [container.log.prefix, container.name, idOf(arn)].join('/'),
    };
    const lines = lastLines(log, LOG_LINES);
    // A millisecond apart, so that their order is kept.
    const logEvents = lines.map((message, i) => ({ message, timestamp: Date.now() - lines.length + i }));
    const logs = new CloudWatchLogsClient(this.asRole(container.executionRole));
    await logs.send(new CreateLogStreamCommand(stream));
    if (logEvents.length > 0) {
      await logs.send(new PutLogEventsCommand({ ...stream, logEvents }));
    }
  }

  private async submit(arn: string, reason: string, exitCodes: Record<string, number>): Promise<void> {
    const containers = Object.entries(exitCodes).map(([containerName, exitCode]) => ({
      containerName,
      exitCode,
      status: 'STOPPED',
    }));
    const cluster = arn.split('/').at(-2);
    await this.ecs.send(
      new SubmitTaskStateChangeCommand({ cluster, task: arn, status: 'STOPPED', reason, containers }),
    );
  }

  private onThisMachine(container: Container): Container {
    const { replaced = [] } = this.options;
    const environment = Object.entries(container.environment).map(([name, value]) => [
      name,
      replaced.reduce((text, [from, to]) => text.replaceAll(from, to), value),
    ]);
    return { ...container, environment: Object.fromEntries(environment) as Record<string, string> };
  }

  private async placeOf(container: Container, name: string): Promise<TaskPlace> {
    const { emulator, directory } = this.options;
    const { AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_S3 } = emulator.environment;
    const { accessKeyId, secretAccessKey, sessionToken } = roleSession(container.taskRole);
    const secretsManager = new SecretsManagerClient(this.asRole(container.executionRole));
    const secrets = Object.entries(container.secrets).map(
      async ([variable, reference]) => [variable, await secretOf(reference, secretsManager)] as const,
    );
    const home = join(directory, 'tasks', name);
    mkdirSync(home, { recursive: true });
    return {
      home,
      log: this.logFile(name),
      environment: {
        AWS_ENDPOINT_URL,
        AWS_ENDPOINT_URL_S3,
        AWS_ACCESS_KEY_ID: accessKeyId,
        AWS_SECRET_ACCESS_KEY: secretAccessKey,
        AWS_SESSION_TOKEN: sessionToken,
        AWS_EC2_METADATA_DISABLED: 'true',
        ...Object.fromEntries(await Promise.all(secrets)),
      },
    };
  }

  private asRole(roleArn: string) {
    return { ...this.options.emulator.sdk, credentials: roleSession(roleArn) };
  }

  private logFile(name: string): string {
    return join(this.options.directory, `superset-${name}.log`);
  }

  private reportDeath(problem: Problem): void {
    if (!this.stopping) {
      this.options.onDeath(problem);
    }
  }
}

async function secretOf({ arn, field }: SecretReference, secretsManager: SecretsManagerClient): Promise<string> {
  const { SecretString = '' } = await secretsManager.send(new GetSecretValueCommand({ SecretId: arn }));
  if (field === undefined) {
    return SecretString;
  }
  const value = (JSON.parse(SecretString) as Record<string, string | undefined>)[field];
  if (value === undefined) {
    throw new Error(`the secret ${arn} has no field ${field}`);
  }
  return value;
}

function idOf(arn: string): string {
  return arn.split('/').at(-1) ?? arn;
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
