import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { containerOf } from '../../local/container';
import { lastLines, processEngine } from '../../local/ecs-task';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'ecs-task-'));
});

afterEach(() => rmSync(directory, { recursive: true }));

async function outputOf(command: string[], healthCheck?: string[]): Promise<{ lines: string[]; healthy: boolean }> {
  const container = containerOf({
    taskRoleArn: 'arn:aws:iam::123456789012:role/task',
    executionRoleArn: 'arn:aws:iam::123456789012:role/execution',
    containerDefinitions: [
      {
        name: 'any',
        command,
        environment: [{ name: 'PLACE', value: '/tmp/of/it' }],
        secrets: [{ name: 'TOKEN', valueFrom: 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:a-b:token::' }],
        mountPoints: [{ sourceVolume: 'tmp', containerPath: '/tmp' }],
        portMappings: [{ containerPort: 8088 }],
        healthCheck: healthCheck && { command: healthCheck },
        logConfiguration: { logDriver: 'awslogs', options: { 'awslogs-group': 'a', 'awslogs-stream-prefix': 'b' } },
      },
    ],
  });
  expect(container.secrets).toEqual({
    TOKEN: { arn: 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:a-b', field: 'token' },
  });
  const log = join(directory, 'log');
  const image = { python: process.execPath, caFile: 'ca.pem' };
  const task = await processEngine(image).start(container, {
    environment: { TOKEN: 'secret' },
    home: join(directory, 'home'),
    log,
  });
  await task.ended;
  return { lines: lastLines(log, 10), healthy: await task.isHealthy() };
}

test('a volume is a directory of the task, wherever its path stands for itself', async () => {
  const { lines } = await outputOf(['sh', '-c', 'echo /tmp/a --dir=/tmp s3://bucket/tmp/b /tmpfs "$PLACE" "$TMPDIR"']);
  const tmp = join(directory, 'home', 'tmp');
  expect(lines).toEqual([`${tmp}/a --dir=${tmp} s3://bucket/tmp/b /tmpfs ${tmp}/of/it ${tmp}`]);
});

test('a task has its secrets and the port that it was given, and nothing of this process', async () => {
  process.env.OF_THIS_PROCESS = 'leaked';
  const { lines } = await outputOf(['sh', '-c', 'echo "$TOKEN$OF_THIS_PROCESS"; echo 0.0.0.0:8088']);
  expect(lines).toEqual(['secret', expect.stringMatching(/^127\.0\.0\.1:\d+$/)]);
});

test.each([
  ['touch /tmp/sign', true],
  ['true', false],
])('after `%s`, a health check for a file says %s', async (command, healthy) => {
  const outcome = await outputOf(['sh', '-c', command], ['CMD-SHELL', 'test -e /tmp/sign']);
  expect(outcome.healthy).toBe(healthy);
});
