import { isComplete, onEvent } from '../../lib/database/handler';
import { SNAPSHOT_BEFORE_DESTROY, SnapshotProperties } from '../../lib/database/server-requests';
import { RdsApi } from './rds-api';

const rds = new RdsApi();
beforeAll(async () => {
  jest.spyOn(console, 'log').mockImplementation(() => undefined);
  await rds.start();
});
afterAll(() => rds.stop());
beforeEach(() => {
  rds.reset();
  rds.answer('DescribeDBSnapshots', { error: 'DBSnapshotNotFound' });
  rds.answer('CreateDBSnapshot', { result: '<DBSnapshot><Status>creating</Status></DBSnapshot>' });
  jest.useFakeTimers({ now: new Date('2026-10-05T11:00:00Z'), doNotFake: ['nextTick', 'setImmediate', 'setTimeout'] });
});
afterEach(() => jest.useRealTimers());

const destroyed = (Shard: string) => ({ Shard, RemovalPolicy: 'destroy' as const });
const kept = (Shard: string) => ({ Shard, RemovalPolicy: 'retain' as const });
const properties = (
  Tenants: SnapshotProperties['Tenants'],
  overrides: Partial<SnapshotProperties> = {},
): SnapshotProperties => ({
  On: 'Update',
  KeepsNothing: 'false',
  NamePrefix: 'demo-tenancy-1a2b',
  Tenancy: 'Demo/Tenancy',
  Instances: { a: 'server-a', b: 'server-b' },
  Tenants,
  ...overrides,
});

interface Request {
  readonly RequestType: 'Create' | 'Update' | 'Delete';
  readonly ResourceProperties: SnapshotProperties;
  readonly OldResourceProperties?: SnapshotProperties;
  readonly RequestId?: string;
}

/** A request as the second function gets it. */
async function begun(request: Request) {
  const event = { ResourceType: SNAPSHOT_BEFORE_DESTROY, RequestId: 'request-1', PhysicalResourceId: 'id', ...request };
  return { ...event, ...(await onEvent(event)) };
}

function update(before: SnapshotProperties, after: SnapshotProperties, RequestId = 'request-1') {
  return begun({ RequestType: 'Update', ResourceProperties: after, OldResourceProperties: before, RequestId });
}

const snapshot = (Status: string) => ({
  result: `<DBSnapshots><DBSnapshot><Status>${Status}</Status><PercentProgress>40</PercentProgress></DBSnapshot></DBSnapshots>`,
});
const created = () => rds.asked('CreateDBSnapshot').map(({ DBInstanceIdentifier }) => DBInstanceIdentifier);

test('a tenant with destroy that leaves has its server snapshotted, by a name that says all, and awaited', async () => {
  const event = await update(
    properties({ t_east: destroyed('b'), t_north: kept('a') }),
    properties({ t_north: kept('a') }),
  );

  expect(await isComplete(event)).toEqual({ IsComplete: false });
  const [request] = rds.asked('CreateDBSnapshot');
  expect(request).toMatchObject({
    DBInstanceIdentifier: 'server-b',
    DBSnapshotIdentifier: expect.stringMatching(/^demo-tenancy-1a2b-b-t-east-2026-10-05-[0-9a-f]{8}$/),
  });
  expect(Object.values(request)).toEqual(expect.arrayContaining(['superset-tenancy:destroyed-tenants', 't_east']));
  rds.answer('DescribeDBSnapshots', snapshot('creating'));
  expect(await isComplete(event)).toEqual({ IsComplete: false });
  rds.answer('DescribeDBSnapshots', snapshot('available'));
  expect(await isComplete(event)).toEqual({ IsComplete: true });
  expect(created()).toEqual(['server-b']);
});

test.each<[string, SnapshotProperties['Tenants'], SnapshotProperties['Tenants']]>([
  ['a tenant that changes its policy to retain', { t_east: destroyed('b') }, { t_east: kept('b') }],
  ['a tenant with retain that leaves', { t_east: kept('b') }, {}],
  ['a tenant that comes, with destroy', {}, { t_east: destroyed('b') }],
  ['a tenant with destroy that stays', { t_east: destroyed('b') }, { t_east: destroyed('b'), t_west: kept('a') }],
  [
    'a tenant with destroy that moves, whose old database stays',
    { t_east: destroyed('b') },
    { t_east: destroyed('a') },
  ],
])('none is made for %s', async (_, before, after) => {
  expect(await isComplete(await update(properties(before), properties(after)))).toEqual({ IsComplete: true });
  expect(rds.requests).toEqual([]);
});

test('the last tenant of all leaves: CloudFormation leaves the empty list out', async () => {
  await isComplete(await update(properties({ t_east: destroyed('b') }), properties(undefined)));
  expect(created()).toEqual(['server-b']);
});

test('tenants that leave together share a snapshot of their server', async () => {
  const before = properties({
    t1: destroyed('a'),
    t2: destroyed('b'),
    t3: destroyed('a'),
    t4__x_: destroyed('a'),
    t5: destroyed('a'),
    t6: kept('a'),
  });
  await isComplete(await update(before, properties({ t6: kept('a') })));

  expect(created().sort()).toEqual(['server-a', 'server-b']);
  const [a] = rds.asked('CreateDBSnapshot').filter((request) => request.DBInstanceIdentifier === 'server-a');
  expect(a.DBSnapshotIdentifier).toMatch(/-a-t1-t3-t4-x-and-1-more-2026-/);
  expect(Object.values(a)).toContain('t1 t3 t4__x_ t5');
});

test('names are what RDS takes, however long the parts', async () => {
  const ids = [...'abcdef'].map((letter) => `t_${letter.repeat(27)}__`);
  const shard = 'abcdefghijklmnop';
  const NamePrefix = `d${'x'.repeat(59)}`;
  const both = { Instances: { [shard]: 'server' }, NamePrefix };
  const before = properties(Object.fromEntries(ids.map((id) => [id, destroyed(shard)])), both);
  await isComplete(await update(before, properties({}, both)));

  const [{ DBSnapshotIdentifier: name }] = rds.asked('CreateDBSnapshot');
  expect(name.length).toBeLessThanOrEqual(255);
  expect(name).toMatch(/^[a-z](-?[a-zA-Z0-9])*$/);
  expect(
    rds
      .asked('CreateDBSnapshot')
      .flatMap((request) => Object.values(request))
      .every((v) => v.length <= 256),
  ).toBe(true);
});

test('a repeated request makes no second snapshot, and another one does', async () => {
  const [before, after] = [properties({ t_east: destroyed('b') }), properties({})];
  const first = await update(before, after);
  await isComplete(first);
  // Made, but not listed yet.
  rds.answer('CreateDBSnapshot', { error: 'DBSnapshotAlreadyExists' });
  expect(await isComplete(await update(before, after))).toEqual({ IsComplete: false });

  await isComplete(await update(before, after, 'request-2'));
  const names = rds.asked('CreateDBSnapshot').map(({ DBSnapshotIdentifier }) => DBSnapshotIdentifier);
  expect(names[1]).toBe(names[0]);
  expect(names[2]).not.toBe(names[0]);
});

test('a server that is being backed up is waited for, and named when that takes too long', async () => {
  rds.answer('CreateDBSnapshot', { error: 'InvalidDBInstanceState', message: 'Instance is backing-up' });
  const event = await update(properties({ t_east: destroyed('b') }), properties({}));
  expect(await isComplete(event)).toEqual({ IsComplete: false });

  jest.setSystemTime(Date.now() + 51 * 60_000);
  await expect(isComplete(event)).rejects.toThrow(
    /After 50 minutes, nothing was dropped:\nsnapshot demo-\S+ of server b \(server-b\): Instance is backing-up/,
  );
});

test('a snapshot that fails fails the deployment with server and reason, and what to do', async () => {
  rds.answer('DescribeDBSnapshots', snapshot('failed'));
  const event = await update(properties({ t_east: destroyed('b') }), properties({}));
  await expect(isComplete(event)).rejects.toThrow(
    /of server b \(server-b\) cannot be made, so that nothing was dropped: it is failed.*t_east with removalPolicy: retain first/,
  );
});

test.each([
  ['SnapshotQuotaExceeded', 'you have 100 already'],
  ['DBInstanceNotFound', 'no such instance'],
])('so does whatever RDS refuses it for: %s', async (error, message) => {
  rds.answer('CreateDBSnapshot', { error, message });
  const event = await update(properties({ t_east: destroyed('b') }), properties({}));
  await expect(isComplete(event)).rejects.toThrow(message);
});

test('a shard that leaves with its tenant keeps or loses its server, and nothing is dropped on it', async () => {
  const after = properties({}, { Instances: { a: 'server-a' } });
  expect(await isComplete(await update(properties({ t_east: destroyed('b') }), after))).toEqual({ IsComplete: true });
  expect(rds.requests).toEqual([]);
});

describe('when the stack is deleted', () => {
  const both = { t_east: destroyed('b'), t_north: kept('a') };

  test('the servers stay, but databases on them are dropped: those are snapshotted before', async () => {
    const event = await begun({ RequestType: 'Delete', ResourceProperties: properties(both, { On: 'Delete' }) });
    expect(await isComplete(event)).toEqual({ IsComplete: false });
    expect(created()).toEqual(['server-b']);
  });

  test('the resource that goes after the databases makes none', async () => {
    const event = await begun({ RequestType: 'Delete', ResourceProperties: properties(both) });
    expect(await isComplete(event)).toEqual({ IsComplete: true });
    expect(rds.requests).toEqual([]);
  });

  test('a server that somebody has deleted already hinders nothing', async () => {
    rds.answer('CreateDBSnapshot', { error: 'DBInstanceNotFound', message: 'no such instance' });
    const event = await begun({ RequestType: 'Delete', ResourceProperties: properties(both, { On: 'Delete' }) });
    expect(await isComplete(event)).toEqual({ IsComplete: true });
  });
});

test('where all data goes with the stack, no snapshot stays', async () => {
  const nothing = { KeepsNothing: 'true' as const };
  const before = properties({ t_east: destroyed('b') }, nothing);
  const deletion = properties({ t_east: destroyed('b') }, { ...nothing, On: 'Delete' });
  for (const event of [
    await update(before, properties({}, nothing)),
    await begun({ RequestType: 'Delete', ResourceProperties: deletion }),
  ]) {
    expect(await isComplete(event)).toEqual({ IsComplete: true });
  }
  expect(rds.requests).toEqual([]);
});

test('creation makes none', async () => {
  const event = await begun({ RequestType: 'Create', ResourceProperties: properties({ t_east: destroyed('b') }) });
  expect(await isComplete(event)).toEqual({ IsComplete: true });
});

test('what waits is handed the plan, and not the list of all tenants twice', async () => {
  const all = Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`t${index}`, kept('a')]));
  const event = await update(properties({ ...all, t_east: destroyed('b') }), properties(all));
  expect(JSON.stringify(event).length).toBeLessThan(1_000);
});
