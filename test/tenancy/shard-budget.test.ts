import { App, Stack } from 'aws-cdk-lib';
import { Annotations, Match } from 'aws-cdk-lib/assertions';
import { maxConnections } from '../../lib/database/instance-class';
import { ShardLoad, budgetTable, checkShardBudget, shardBudget } from '../../lib/tenancy/shard-budget';
import { tenants } from './environments';

const load = (overrides: Partial<ShardLoad> = {}): ShardLoad => ({
  shard: 'a',
  instanceClass: 'm7g.large',
  maxConnections: maxConnections('m7g.large'),
  proxyPercent: 80,
  tenants: tenants(50),
  tasks: { web: 6, workers: 4 },
  connectionsPerProcess: 5,
  ...overrides,
});

function check(overrides: Partial<ShardLoad>): string[] {
  const stack = new Stack(new App(), 'Prod');
  checkShardBudget(stack, shardBudget(load(overrides)));
  return Annotations.fromStack(stack)
    .findWarning('*', Match.anyValue())
    .map(({ entry }) => String(entry.data));
}

test('fifty tenants make clients by the thousand, and queries by what Superset runs at once', () => {
  expect(shardBudget(load())).toMatchObject({
    // 6 web tasks of 2 processes and 4 worker tasks of 3; 6 × 2 × 16 threads and 4 × 2 children.
    clients: 50 * 5 * 24,
    limits: 500,
    queries: 200,
    proxied: 628,
    direct: 40,
    // 200 of 80 %, and 40 of the 20 % that are left.
    needed: 250,
  });
});

test('a tenant counts with what its role may hold, or with its pools if they are smaller', () => {
  const tasks = { web: 1, workers: 1 };
  const demand = (connectionsPerProcess: number) =>
    shardBudget(load({ tasks, connectionsPerProcess, tenants: tenants(3) })).queries;

  // 5 processes: 5 pools of 1 are fewer than the limit of 10, pools of 5 are more; 34 queries run at once at most.
  expect([demand(1), demand(5)]).toEqual([15, 30]);
  expect(shardBudget(load({ tasks, tenants: tenants(10) })).queries).toBe(34);
});

test('a tenant with workers of its own has its connections whatever the others do', () => {
  const [own, ...others] = tenants(60);
  const budget = shardBudget(load({ tenants: [{ ...own, ownWorkers: true, limits: { connections: 40 } }, ...others] }));

  expect(budget).toMatchObject({ kept: 40, queries: 240 });
});

test('what fits passes without a word, what is near is told with the arithmetic', () => {
  expect(check({})).toEqual([]);
  expect(check({ maxConnections: 300 })).toEqual([
    expect.stringMatching(
      /^shard a .* takes 300 connections, of which its proxy may open 80 %, 240\. 50 tenants × 5 connections × 24 processes \(6 web and 4 worker tasks at most\) make 6000 clients; the login roles may hold 500; .* 200 connections may be needed at once\. That is more than 80 % of the 240 /,
    ),
  ]);
});

test('too much is refused with the arithmetic and the remedies', () => {
  expect(() =>
    check({ instanceClass: 't4g.medium', maxConnections: maxConnections('t4g.medium'), proxyPercent: 40 }),
  ).toThrow(
    /50 tenants × 5 connections × 24 processes .* 200 connections may be needed at once\. The proxy has only 152.*fewer connections.*larger instance class.*add a shard.*\[SHARD_CONNECTIONS_TOO_MANY\]/,
  );
});

test('a proxy that leaves too little for provisioner, operators and ETL is refused', () => {
  expect(() => check({ proxyPercent: 90, maxConnections: 380, tenants: tenants(10, { loader: true }) })).toThrow(
    /The proxy leaves 38, but 60 are for RDS \(5\), the provisioner \(20\), operators \(15\) and the tenants' ETL \(20\).*Lower maxConnectionsPercent.*\[SHARD_DIRECT_CONNECTIONS_TOO_FEW\]/,
  );
});

test('a tenant that could take more than half of a shared shard is refused, on a shard of its own it is not', () => {
  const greedy = { limits: { connections: 400 } };

  expect(() => check({ tenants: tenants(2, greedy) })).toThrow(
    /t00000 \(400\), t00001 \(400\).*onlyFor.*STARVE_OTHERS/,
  );
  expect(check({ tenants: tenants(1, greedy) })).toEqual([]);
});

test('the table has a line for each shard', () => {
  const table = budgetTable([shardBudget(load()), shardBudget(load({ shard: 'large', instanceClass: 'r7g.4xlarge' }))]);

  expect(table.split('\n')).toEqual([
    expect.stringMatching(/^Connections/),
    expect.stringMatching(/shard +class +server takes +proxy has/),
    expect.stringMatching(/^a +m7g\.large +785 +628 +200 +0 +500 +6000 +40 +50/),
    expect.stringMatching(/^large +r7g\.4xlarge/),
  ]);
});
