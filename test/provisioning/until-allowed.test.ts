import { ECSClient, RunTaskCommand } from '@aws-sdk/client-ecs';
import { untilAllowed } from '../../lib/provisioning/handler/until-allowed';

/** A client to which the service answers with errors, and then as asked; and how often it was asked. */
function clientOf(errors: { name: string; message?: string }[]) {
  const client = untilAllowed(
    new ECSClient({
      region: 'eu-central-1',
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
      maxAttempts: 1,
    }),
  );
  let asked = 0;
  client.middlewareStack.add(
    () => async () => {
      asked++;
      const error = errors.shift();
      if (error) throw Object.assign(new Error(error.message ?? 'no'), { name: error.name });
      return { response: {}, output: { tasks: [], $metadata: {} } } as never;
    },
    { step: 'build', name: 'answers' },
  );
  const runTask = () => client.send(new RunTaskCommand({ taskDefinition: 'x' }));
  return { runTask, asked: () => asked };
}

const many = (name: string, count: number) => Array.from({ length: count }, () => ({ name }));

/** What became of a request, and how many seconds it took by the clock of the test. */
async function outcomeOf(request: () => Promise<unknown>) {
  const from = Date.now();
  let seconds = 0;
  const outcome = request().then(
    () => 'done',
    (error: Error) => error.name,
  );
  void outcome.then(() => (seconds = (Date.now() - from) / 1_000));
  await jest.advanceTimersByTimeAsync(600_000);
  return { outcome: await outcome, seconds };
}

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

test.each(['AccessDenied', 'AccessDeniedException'])('asks again while it is denied: %s', async (name) => {
  const { runTask, asked } = clientOf(many(name, 12));

  expect(await outcomeOf(runTask)).toMatchObject({ outcome: 'done' });
  expect(asked()).toBe(13);
});

test('and while ECS may not take the role of a task', async () => {
  const { runTask, asked } = clientOf([
    { name: 'ClientException', message: "ECS was unable to assume the role 'arn:aws:iam::1:role/x'" },
  ]);

  expect(await outcomeOf(runTask)).toMatchObject({ outcome: 'done' });
  expect(asked()).toBe(2);
});

test('for three minutes, within the time that its function has', async () => {
  const { outcome, seconds } = await outcomeOf(clientOf(many('AccessDenied', 100)).runTask);

  expect(outcome).toBe('AccessDenied');
  expect(seconds).toBeGreaterThanOrEqual(180);
  expect(seconds).toBeLessThan(240);
});

test('any other refusal is the answer at once', async () => {
  const { runTask, asked } = clientOf(many('ClusterNotFoundException', 1));

  expect(await outcomeOf(runTask)).toEqual({ outcome: 'ClusterNotFoundException', seconds: 0 });
  expect(asked()).toBe(1);
});
