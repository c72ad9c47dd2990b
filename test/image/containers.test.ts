import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Container, containerOf } from '../../local/container';
import { lastLines } from '../../local/ecs-task';
import { BuiltImage, buildImage } from '../../local/image/build';
import { ContainerEngine } from '../../local/image/container-engine';
import { contentProblems } from '../../local/image/contents';
import { expectEnough } from '../../local/image/report';
import { stageContext } from '../../local/image/repository-image';
import { whyNoImage } from '../../local/image/tools';

/** As a task definition of ours, with few of its fields. */
function containerWith(command: string[], definition: object): Container {
  const { container, ...task } = { container: {}, ...definition };
  return containerOf({
    taskRoleArn: 'arn:aws:iam::123456789012:role/task',
    executionRoleArn: 'arn:aws:iam::123456789012:role/execution',
    cpu: '1024',
    memory: '256',
    ...task,
    containerDefinitions: [
      {
        name: 'web',
        command,
        user: 'superset',
        readonlyRootFilesystem: true,
        mountPoints: ['/tmp', '/app/superset_home'].map((containerPath) => ({ containerPath })),
        logConfiguration: { logDriver: 'awslogs', options: { 'awslogs-group': 'a', 'awslogs-stream-prefix': 'b' } },
        ...container,
      },
    ],
  });
}

const MINUTE = 60_000;
const reason = whyNoImage();

/** Packages of the lock that the small image has: those without a wheel, and what they need. */
const FEW = /^(odfpy|defusedxml|wtforms-json|wtforms|markupsafe|six)==/;

(reason ? describe.skip : describe)(
  `the Dockerfile${reason ? `, not built here: ${reason}` : ', with few packages'}`,
  () => {
    const scratch = mkdtempSync(join(tmpdir(), 'image-'));
    const log = join(scratch, 'build.log');
    const context = stageContext(join(scratch, 'cdk.out'));
    const lock = join(context, 'requirements.txt');
    let image: BuiltImage;
    let count = 0;

    beforeAll(async () => {
      const blocks = readFileSync(lock, 'utf8').split(/\n(?=[\w#])/);
      writeFileSync(lock, `${blocks.filter((block) => FEW.test(block)).join('\n')}\n`);
      image = await buildImage('superset-few', context, log);
    }, 15 * MINUTE);
    afterAll(() => rmSync(scratch, { recursive: true, force: true }));

    test('makes an image that holds what the lock names, and nothing else beside its base', () => {
      expect(contentProblems(image, readFileSync(lock, 'utf8'))).toEqual([]);
    });

    test('fails the build when a package is built with what has no hash', async () => {
      const isolated = join(scratch, 'isolated');
      cpSync(context, isolated, { recursive: true });
      const dockerfile = readFileSync(join(context, 'Dockerfile'), 'utf8');
      expect(dockerfile).toContain('--no-build-isolation');
      writeFileSync(join(isolated, 'Dockerfile'), dockerfile.replace('--no-build-isolation', ''));
      await expect(buildImage('superset-isolated', isolated, log)).rejects.toThrow(/--require-hashes mode/);
    });

    /** A container of the image with a task definition's limits; ends with the test. */
    async function started(command: string[], definition: object = {}) {
      const engine = new ContainerEngine(image, join(context, 'rds-global-bundle.pem'));
      const container = containerWith(command, definition);
      const log = join(scratch, `task-${++count}.log`);
      const home = join(scratch, `task-${count}`);
      const task = await engine.start(container, { environment: { TOKEN: 'secret' }, home, log });
      return { task, engine, lines: () => lastLines(log, 20) };
    }

    test('starts as the user of the task definition, with its variables and no capability', async () => {
      const { task, lines } = await started([
        'sh',
        '-c',
        'id --user --name; echo "$TOKEN $HOME $SUPERSET_HOME"; grep CapEff /proc/self/status',
      ]);
      expect(await task.ended).toBe('exit code 0');
      expect(lines()).toEqual([
        'superset',
        'secret /app/superset_home /app/superset_home',
        expect.stringMatching(/CapEff:\s0+$/),
      ]);
    });

    test('writes to its volumes, and to nothing else', async () => {
      const write = (path: string) => `touch ${path} && echo ${path}`;
      const places = ['/tmp/a', '/app/superset_home/a', '/app/a', '/var/tmp/a', '/run/lock/a', '/dev/a', '/a'];
      const { task, lines } = await started(['sh', '-c', places.map(write).join('; ')]);
      await task.ended;
      expect(lines().filter((line) => line.startsWith('/'))).toEqual(['/tmp/a', '/app/superset_home/a']);
      expect(lines().filter((line) => /Read-only file system|Permission denied/.test(line))).toHaveLength(5);
    });

    test.each([
      ['within', 20, 'exit code 0', 0, 20],
      ['beyond', 200, 'exit code 137', 1, 100],
    ])('is held to the memory of its task: %s it', async (_, mebibytes, end, outOfMemory, peak) => {
      const { task, engine } = await started(
        ['python3', '-c', `import time; a = bytearray(${mebibytes} << 20); time.sleep(3)`],
        {
          memory: '100',
        },
      );
      expect(await task.ended).toBe(end);
      const [usage] = await engine.usages();
      expect(usage).toMatchObject({ limitMiB: 100, outOfMemory });
      expect(usage.peakMiB).toBeGreaterThanOrEqual(peak);
      if (outOfMemory) expect(() => expectEnough([usage])).toThrow(/web task had 100 MiB/);
      else expectEnough([usage]);
    });

    test.each([
      ['ends in good order', 'trap "exit 0" TERM', 'exit code 0'],
      ['does not end', 'trap "" TERM', 'exit code 137'],
    ])('has the time to stop of its task definition: one that %s', async (_, trap, end) => {
      const { task, engine } = await started(
        ['sh', '-c', `${trap}; touch /tmp/ready; while true; do sleep 0.1; done`],
        {
          container: { stopTimeout: 2, healthCheck: { command: ['CMD', 'test', '-e', '/tmp/ready'] } },
        },
      );
      while (!(await task.isHealthy())) await new Promise((resolve) => setTimeout(resolve, 50));
      await task.stop();
      expect(await task.ended).toBe(end);
      const [usage] = await engine.usages();
      if (end === 'exit code 0') expectEnough([usage]);
      else expect(() => expectEnough([usage])).toThrow(/did not end within 2 s/);
    });

    test('runs commands beside a task at once, each with volumes of its own', async () => {
      const engine = new ContainerEngine(image, join(context, 'rds-global-bundle.pem'));
      const place = { environment: {}, home: join(scratch, 'beside'), log: join(scratch, 'beside.log') };
      const command = ['sh', '-c', 'test ! -e /tmp/a && touch /tmp/a && sleep 1'];
      const both = [1, 2].map(() => engine.run(containerWith(['true'], {}), place, command));
      expect(await Promise.all(both)).toHaveLength(2);
    });

    test('is healthy when its health check says so, in the container', async () => {
      const { task } = await started(['sh', '-c', 'sleep 1; touch /tmp/sign; sleep 60'], {
        container: { healthCheck: { command: ['CMD-SHELL', 'test -e /tmp/sign'] } },
      });
      expect(await task.isHealthy()).toBe(false);
      while (!(await task.isHealthy())) await new Promise((resolve) => setTimeout(resolve, 50));
      await task.kill();
    });
  },
);
