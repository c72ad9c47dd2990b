import { ContainerDefinition, HealthCheck, TaskDefinition } from '@aws-sdk/client-ecs';

/** A container of a task definition, of which ours have one each. */
export interface Container {
  readonly name: string;
  readonly command: string[];
  readonly environment: Record<string, string>;
  /** Variables whose values are secrets, by where these are. */
  readonly secrets: Record<string, SecretReference>;
  /** Where it takes connections, if it does. */
  readonly port?: number;
  /** Directories that it may write to. */
  readonly volumes: string[];
  /** What must succeed for the container to be healthy, if it says so. */
  readonly healthCheck?: string[];
  /** Whom it runs as. @default - as its image says */
  readonly user?: string;
  readonly readOnlyRoot: boolean;
  /** Of its task, of which it is the only container. */
  readonly limits: { readonly memoryMiB: number; readonly cpuUnits: number };
  /** Time to end in good order. */
  readonly stopSeconds: number;
  readonly log: { readonly group: string; readonly prefix: string };
  /** ARN of the role that it calls AWS as. */
  readonly taskRole: string;
  /** ARN of the role as which ECS reads its secrets and writes its log. */
  readonly executionRole: string;
}

/** A secret, or a field of one. */
export interface SecretReference {
  readonly arn: string;
  readonly field?: string;
}

/** What Fargate gives a container that does not say (Amazon ECS Developer Guide, "stopTimeout"). */
const STOP_SECONDS = 30;

/** Reads what a task definition says; throws when it asks for what no machine but AWS's own can give. */
export function containerOf(definition: TaskDefinition): Container {
  const { containerDefinitions, taskDefinitionArn, taskRoleArn, executionRoleArn } = definition;
  const [container, ...others] = containerDefinitions ?? [];
  const { name, command, logConfiguration } = container ?? {};
  const { 'awslogs-group': group, 'awslogs-stream-prefix': prefix } = logConfiguration?.options ?? {};
  if (!name || !command?.length || !group || !prefix || !taskRoleArn || !executionRoleArn || others.length > 0) {
    throw new Error(`${taskDefinitionArn} is not one container with a command, a log and roles`);
  }
  return {
    name,
    command,
    environment: Object.fromEntries((container.environment ?? []).map((each) => [each.name, each.value ?? ''])),
    secrets: secretsOf(container),
    port: container.portMappings?.[0]?.containerPort,
    volumes: (container.mountPoints ?? []).flatMap(({ containerPath }) => containerPath ?? []),
    healthCheck: container.healthCheck && commandOf(container.healthCheck),
    user: container.user,
    readOnlyRoot: container.readonlyRootFilesystem ?? false,
    limits: { memoryMiB: Number(definition.memory), cpuUnits: Number(definition.cpu) },
    stopSeconds: container.stopTimeout ?? STOP_SECONDS,
    log: { group, prefix },
    taskRole: taskRoleArn,
    executionRole: executionRoleArn,
  };
}

/** A health check is given as a line for the shell, or as a command. */
function commandOf({ command = [] }: HealthCheck): string[] {
  const [kind, ...words] = command;
  return kind === 'CMD-SHELL' ? ['sh', '-c', ...words] : words;
}

/** An ARN has seven parts; those after it choose a field, and a version that is none of ours. */
function secretsOf({ secrets }: ContainerDefinition): Record<string, SecretReference> {
  const references = (secrets ?? []).map(({ name, valueFrom }) => {
    const parts = (valueFrom ?? '').split(':');
    return [name, { arn: parts.slice(0, 7).join(':'), field: parts[7] || undefined }];
  });
  return Object.fromEntries(references) as Record<string, SecretReference>;
}
