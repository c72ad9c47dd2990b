import { CloudWatchLogsClient, GetLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { DescribeTasksCommand, ECSClient, RunTaskCommand, Task } from '@aws-sdk/client-ecs';
import { untilAllowed } from '../../provisioning/handler/until-allowed';

/** The properties of the custom resource; CloudFormation hands scalars over as strings. */
interface MigrationProperties {
  readonly Cluster: string;
  readonly TaskDefinition: string;
  readonly Container: string;
  readonly Subnets: string[];
  readonly SecurityGroups: string[];
  readonly LogGroup: string;
  readonly LogStreamPrefix: string;
}

interface MigrationEvent {
  readonly RequestType: 'Create' | 'Update' | 'Delete';
  readonly RequestId: string;
  readonly PhysicalResourceId?: string;
  readonly ResourceProperties: MigrationProperties;
  readonly OldResourceProperties?: MigrationProperties;
  /** What {@link onEvent} answered. */
  readonly Data?: { readonly Task: string };
}

const ecs = untilAllowed(new ECSClient({ maxAttempts: 6 }));
const logs = untilAllowed(new CloudWatchLogsClient({ maxAttempts: 6 }));

const LOG_LINES = 15;
/** Characters of the log, the cause at its end: CloudFormation takes an answer of 4 KB. */
const MAX_LOG = 2_500;

/** Starts the migration; a second call with the same request starts no second task. */
export async function onEvent(event: MigrationEvent) {
  const PhysicalResourceId = event.PhysicalResourceId ?? 'superset-migration';
  if (event.RequestType === 'Delete' || isRollback(event)) {
    return { PhysicalResourceId };
  }
  const properties = event.ResourceProperties;
  const { tasks, failures } = await ecs.send(
    new RunTaskCommand({
      cluster: properties.Cluster,
      taskDefinition: properties.TaskDefinition,
      launchType: 'FARGATE',
      clientToken: event.RequestId,
      startedBy: 'superset-migration',
      networkConfiguration: {
        awsvpcConfiguration: {
          subnets: properties.Subnets,
          securityGroups: properties.SecurityGroups,
          assignPublicIp: 'DISABLED',
        },
      },
    }),
  );
  const arn = tasks?.[0]?.taskArn;
  if (!arn) {
    const reasons = failures?.map(({ reason, detail }) => [reason, detail].filter(Boolean).join(': ')).join('; ');
    throw new Error(`migration: ECS started no task (${reasons || 'no reason given'})`);
  }
  return { PhysicalResourceId, Data: { Task: arn } };
}

/**
 * Whether a failed deployment goes back to the task definition before it, whose revision is lower; a deployment of an older
 * image makes a new revision. The image of then may not know the metadata of now, and failing here would block the rollback.
 */
function isRollback({ ResourceProperties, OldResourceProperties }: MigrationEvent): boolean {
  const [family, revision] = familyAndRevision(ResourceProperties);
  const [oldFamily, oldRevision] = OldResourceProperties ? familyAndRevision(OldResourceProperties) : [];
  return family === oldFamily && Number(revision) < Number(oldRevision);
}

function familyAndRevision({ TaskDefinition }: MigrationProperties): string[] {
  return TaskDefinition.split('/').at(-1)!.split(':');
}

/** Whether the migration is done; one that failed fails the deployment, with its last lines. */
export async function isComplete(event: MigrationEvent) {
  if (event.RequestType === 'Delete' || !event.Data) {
    return { IsComplete: true };
  }
  const properties = event.ResourceProperties;
  const { tasks } = await ecs.send(new DescribeTasksCommand({ cluster: properties.Cluster, tasks: [event.Data.Task] }));
  const task = tasks?.[0];
  if (task?.lastStatus !== 'STOPPED') {
    return { IsComplete: false };
  }
  const exitCode = task.containers?.find(({ name }) => name === properties.Container)?.exitCode;
  if (exitCode === 0) {
    return { IsComplete: true };
  }
  const why = exitCode === undefined ? (task.stoppedReason ?? 'it never started') : `exit code ${exitCode}`;
  const log = (await lastLines(properties, task)).join('\n');
  throw new Error(`migration failed: ${why}\n${log.slice(-MAX_LOG)}`);
}

async function lastLines(properties: MigrationProperties, task: Task): Promise<string[]> {
  const id = task.taskArn?.split('/').at(-1);
  try {
    const { events } = await logs.send(
      new GetLogEventsCommand({
        logGroupName: properties.LogGroup,
        logStreamName: `${properties.LogStreamPrefix}/${properties.Container}/${id}`,
        limit: LOG_LINES,
        startFromHead: false,
      }),
    );
    return (events ?? []).map(({ message }) => message ?? '');
  } catch (error) {
    return [`(its log cannot be read: ${(error as Error).message})`];
  }
}
