import { createServer } from 'node:http';
import { AddressInfo } from 'node:net';
import * as handler from '../../lib/superset/handler';

/** What ECS and CloudWatch Logs would say; neither runs on this machine. */
const answers = new Map<string, unknown>();
/** Errors that come before the answers. */
const errors: string[] = [];
const requests: { action: string; body: Record<string, unknown> }[] = [];
const server = createServer((request, response) => {
  let body = '';
  request.on('data', (chunk) => (body += chunk));
  request.on('end', () => {
    const action = String(request.headers['x-amz-target']).split('.').at(-1) as string;
    requests.push({ action, body: JSON.parse(body) });
    const error = errors.shift();
    response.writeHead(error ? 400 : 200, { 'Content-Type': 'application/x-amz-json-1.1', Connection: 'close' });
    response.end(JSON.stringify(error ? { __type: error, message: 'no' } : (answers.get(action) ?? {})));
  });
});

const TASK = 'arn:aws:ecs:eu-central-1:000000000000:task/cluster/0123456789abcdef';
const ResourceProperties = {
  Cluster: 'cluster',
  TaskDefinition: 'arn:aws:ecs:eu-central-1:000000000000:task-definition/migration:3',
  Container: 'migration',
  Subnets: ['subnet-1'],
  SecurityGroups: ['sg-1'],
  LogGroup: 'superset-logs',
  LogStreamPrefix: 'superset',
};
const create = { RequestType: 'Create' as const, RequestId: 'request-1', ResourceProperties };
const started = { ...create, PhysicalResourceId: 'superset-migration', Data: { Task: TASK } };

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  Object.assign(process.env, {
    AWS_ENDPOINT_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    AWS_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
  });
});
afterAll(() => server.close());
beforeEach(() => {
  answers.clear();
  errors.length = 0;
  requests.length = 0;
});

const taskDefinition = (revision: number) => ResourceProperties.TaskDefinition.replace(/\d+$/, String(revision));
const update = (from: number, to: number) => ({
  ...create,
  RequestType: 'Update' as const,
  PhysicalResourceId: 'superset-migration',
  ResourceProperties: { ...ResourceProperties, TaskDefinition: taskDefinition(to) },
  OldResourceProperties: { ...ResourceProperties, TaskDefinition: taskDefinition(from) },
});
const stopped = (container: object, task: object = {}) =>
  answers.set('DescribeTasks', {
    tasks: [{ taskArn: TASK, lastStatus: 'STOPPED', containers: [{ name: 'migration', ...container }], ...task }],
  });

test('starts one private task, and a repeated request starts no second one', async () => {
  answers.set('RunTask', { tasks: [{ taskArn: TASK }] });
  expect(await handler.onEvent(create)).toEqual({ PhysicalResourceId: 'superset-migration', Data: { Task: TASK } });
  expect(requests[0].body).toMatchObject({
    clientToken: 'request-1',
    taskDefinition: ResourceProperties.TaskDefinition,
    networkConfiguration: { awsvpcConfiguration: { assignPublicIp: 'DISABLED', subnets: ['subnet-1'] } },
  });
});

test('a permission that IAM does not know yet is waited for, with the same token', async () => {
  errors.push('AccessDeniedException', 'AccessDeniedException');
  answers.set('RunTask', { tasks: [{ taskArn: TASK }] });
  expect(await handler.onEvent(create)).toMatchObject({ Data: { Task: TASK } });
  expect(requests.map(({ body }) => body.clientToken)).toEqual(['request-1', 'request-1', 'request-1']);
});

test('any other refusal of ECS fails the deployment at once', async () => {
  errors.push('ClusterNotFoundException');
  await expect(handler.onEvent(create)).rejects.toThrow('no');
  expect(requests).toHaveLength(1);
});

test('a task that ECS cannot start fails the deployment with the reason', async () => {
  answers.set('RunTask', { tasks: [], failures: [{ reason: 'RESOURCE:CPU', detail: 'none left' }] });
  await expect(handler.onEvent(create)).rejects.toThrow('migration: ECS started no task (RESOURCE:CPU: none left)');
});

test('removal starts nothing and waits for nothing', async () => {
  const removal = { ...create, RequestType: 'Delete' as const, PhysicalResourceId: 'superset-migration' };
  expect(await handler.onEvent(removal)).toEqual({ PhysicalResourceId: 'superset-migration' });
  expect(await handler.isComplete(removal)).toEqual({ IsComplete: true });
  expect(requests).toEqual([]);
});

test('a new task definition migrates again, under the physical id of before', async () => {
  answers.set('RunTask', { tasks: [{ taskArn: TASK }] });
  expect(await handler.onEvent(update(9, 10))).toMatchObject({ PhysicalResourceId: 'superset-migration' });
  expect(requests).toMatchObject([{ action: 'RunTask', body: { taskDefinition: taskDefinition(10) } }]);
});

test('a rollback starts nothing, since the image of before may not know the metadata of now', async () => {
  const rollback = update(10, 9);
  const answer = await handler.onEvent(rollback);
  expect(await handler.isComplete({ ...rollback, ...answer })).toEqual({ IsComplete: true });
  expect(requests).toEqual([]);
});

test('a task that ECS does not list yet is waited for', async () => {
  answers.set('DescribeTasks', { tasks: [], failures: [{ arn: TASK, reason: 'MISSING' }] });
  expect(await handler.isComplete(started)).toEqual({ IsComplete: false });
});

test('a task that runs is waited for, and exit code 0 ends the wait', async () => {
  answers.set('DescribeTasks', { tasks: [{ taskArn: TASK, lastStatus: 'RUNNING' }] });
  expect(await handler.isComplete(started)).toEqual({ IsComplete: false });
  stopped({ exitCode: 0 });
  expect(await handler.isComplete(started)).toEqual({ IsComplete: true });
});

test('a migration that fails fails the deployment with its last lines', async () => {
  stopped({ exitCode: 1 });
  answers.set('GetLogEvents', { events: [{ message: 'upgrading' }, { message: 'relation "ab_user" is locked' }] });
  await expect(handler.isComplete(started)).rejects.toThrow(
    'migration failed: exit code 1\nupgrading\nrelation "ab_user" is locked',
  );
  expect(requests.at(-1)?.body).toMatchObject({
    logStreamName: 'superset/migration/0123456789abcdef',
    startFromHead: false,
  });
});

test('an image that cannot be pulled fails the deployment with what ECS says', async () => {
  stopped({}, { stoppedReason: 'CannotPullContainerError: not found' });
  await expect(handler.isComplete(started)).rejects.toThrow('migration failed: CannotPullContainerError: not found');
});

test('of a long log the end is shown, which has the cause, and CloudFormation takes it', async () => {
  stopped({ exitCode: 1 });
  answers.set('GetLogEvents', { events: [{ message: 'x'.repeat(9_000) }, { message: 'the cause' }] });
  const failure = await handler.isComplete(started).catch((error: Error) => error.message);
  expect(failure).toMatch(/^migration failed: exit code 1\n.*x\nthe cause$/s);
  expect(String(failure).length).toBeLessThan(3_000);
});
