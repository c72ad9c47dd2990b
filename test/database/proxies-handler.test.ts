import { isComplete, onEvent } from '../../lib/database/handler';
import { PROXY_READINESS } from '../../lib/database/server-requests';
import { RdsApi } from './rds-api';

const rds = new RdsApi();
beforeAll(async () => {
  jest.spyOn(console, 'log').mockImplementation(() => undefined);
  await rds.start();
});
afterAll(() => rds.stop());
beforeEach(() => rds.reset());
afterEach(() => jest.useRealTimers());

const PROXIES = ['demo-proxy-a', 'demo-proxy-b'].map((Name) => ({
  Name,
  Arn: `arn:${Name}`,
  Instance: `server-of-${Name}`,
  Logins: '0',
}));
const create = {
  ResourceType: PROXY_READINESS,
  RequestType: 'Create',
  RequestId: 'request-1',
  ResourceProperties: { Proxies: PROXIES },
};

/** What the framework asks the second function. */
async function watch(event: object = create): Promise<unknown> {
  return isComplete({ ...(event as typeof create), ...(await onEvent(event as typeof create)) });
}

/** The same, when the wait is over. */
async function watchTooLate(): Promise<unknown> {
  const answer = await onEvent(create);
  jest.useFakeTimers({ now: Date.now() + 16 * 60_000, doNotFake: ['nextTick', 'setImmediate', 'setTimeout'] });
  return isComplete({ ...create, ...answer });
}

function target(state: string, health = ''): { result: string } {
  const member = `<member><RdsResourceId>demo-server</RdsResourceId><TargetHealth><State>${state}</State>${health}</TargetHealth></member>`;
  return { result: `<Targets>${member}</Targets>` };
}

test('proxies whose targets are available serve', async () => {
  rds.answer('DescribeDBProxyTargets', target('AVAILABLE'));
  expect(await watch()).toEqual({ IsComplete: true });
  expect(
    rds
      .asked('DescribeDBProxyTargets')
      .map(({ DBProxyName }) => DBProxyName)
      .sort(),
  ).toEqual(['demo-proxy-a', 'demo-proxy-b']);
});

test('one that is not yet is waited for, whatever the others are', async () => {
  rds.answer('DescribeDBProxyTargets', target('AVAILABLE'));
  rds.answer('DescribeDBProxyTargets', target('REGISTERING'), 'demo-proxy-b');
  expect(await watch()).toEqual({ IsComplete: false });
  rds.answer(
    'DescribeDBProxyTargets',
    target('UNAVAILABLE', '<Reason>PENDING_PROXY_CAPACITY</Reason>'),
    'demo-proxy-b',
  );
  expect(await watch()).toEqual({ IsComplete: false });
});

test('a proxy without a target does not serve', async () => {
  rds.answer('DescribeDBProxyTargets', { result: '<Targets/>' });
  expect(await watch()).toEqual({ IsComplete: false });
  await expect(watchTooLate()).rejects.toThrow('it has no target yet; server-of-demo-proxy-a is to be one');
});

test('a proxy that is not there fails the deployment at once, by its name', async () => {
  rds.answer('DescribeDBProxyTargets', { error: 'DBProxyNotFoundFault', message: 'there is none' });
  await expect(watch()).rejects.toThrow('proxy demo-proxy-a: there is none');
});

test.each([
  ['AUTH_FAILURE', 'must be allowed to read that secret'],
  ['UNREACHABLE', 'security group lets'],
  ['CONNECTION_FAILED', 'has connections to spare'],
  ['PENDING_PROXY_CAPACITY', 'deploy again'],
  ['PROMOTED', 'Deploy again'],
])(
  'after a quarter of an hour the deployment fails with proxy, state, reason and a way out: %s',
  async (reason, way) => {
    rds.answer('DescribeDBProxyTargets', target('AVAILABLE'));
    const health = `<Reason>${reason}</Reason><Description>so says RDS</Description>`;
    rds.answer('DescribeDBProxyTargets', target('UNAVAILABLE', health), 'demo-proxy-b');
    const failure = String(await watchTooLate().catch((error: Error) => error.message));

    expect(failure).toContain(
      `proxy demo-proxy-b does not serve: its target demo-server is UNAVAILABLE (${reason}, so says RDS). `,
    );
    expect(failure).toContain(way);
    expect(failure).toContain('/aws/rds/proxy/demo-proxy-b');
    expect(failure).not.toContain('demo-proxy-a');
  },
);

test('what twenty proxies fail of is short enough for CloudFormation', async () => {
  rds.answer('DescribeDBProxyTargets', target('UNAVAILABLE', `<Description>${'x'.repeat(500)}</Description>`));
  const many = { ...create, ResourceProperties: { Proxies: Array(20).fill(PROXIES[0]) } };
  const late = { ...many, Until: Date.now() - 1 };
  const failure = await isComplete(late).catch((error: Error) => error.message);
  expect(String(failure).length).toBeLessThan(3_500);
});

test('removal waits for nothing and asks nothing', async () => {
  expect(await watch({ ...create, RequestType: 'Delete', PhysicalResourceId: 'id' })).toEqual({ IsComplete: true });
  expect(rds.requests).toEqual([]);
});

test('an update keeps the physical id, so that nothing is replaced', async () => {
  const update = { ...create, RequestType: 'Update', PhysicalResourceId: 'id' };
  expect(await onEvent(update)).toMatchObject({ PhysicalResourceId: 'id' });
});
