import { Stack } from 'aws-cdk-lib';
import { CfnAlarm } from 'aws-cdk-lib/aws-cloudwatch';
import { Environment } from '../../lib/environment/environment';
import { databaseExample, example, instanceExample, newFleet, userApp } from '../tenancy/environments';
import { newStack } from '../tenancy/templates';

interface Published {
  /** Sets of dimensions under which AWS publishes the metric, of which an alarm has to name one exactly. */
  readonly dimensions: string[];
  /** Statistics that say what our alarms say. */
  readonly statistics: string[];
}

const SERVER = ['DBInstanceIdentifier'];
const NODE = ['CacheClusterId', 'CacheClusterId,CacheNodeId'];
const TARGETS = ['LoadBalancer,TargetGroup'];
const SERVICE = ['ClusterName,ServiceName'];
const PROXY = ['ProxyName'];

/** From the pages of AWS about the metrics of each service. Counts of a proxy are published by each of its nodes: their sum counts. */
const PUBLISHED: Record<string, Published> = {
  'AWS/RDS CPUUtilization': { dimensions: SERVER, statistics: ['Average', 'SampleCount'] },
  'AWS/RDS DBLoad': { dimensions: SERVER, statistics: ['Average'] },
  'AWS/RDS FreeableMemory': { dimensions: SERVER, statistics: ['Average'] },
  'AWS/RDS FreeStorageSpace': { dimensions: SERVER, statistics: ['Minimum'] },
  'AWS/RDS MaximumUsedTransactionIDs': { dimensions: SERVER, statistics: ['Maximum'] },
  'AWS/RDS AvailabilityPercentage': { dimensions: ['ProxyName,TargetGroup,TargetRole'], statistics: ['Average'] },
  'AWS/RDS ClientConnectionsSetupFailedAuth': { dimensions: PROXY, statistics: ['Sum'] },
  'AWS/RDS DatabaseConnectionsBorrowLatency': { dimensions: PROXY, statistics: ['Average'] },
  'AWS/RDS DatabaseConnectionsCurrentlySessionPinned': { dimensions: PROXY, statistics: ['Sum'] },
  'AWS/RDS DatabaseConnectionsSetupFailed': { dimensions: PROXY, statistics: ['Sum'] },
  'AWS/ElastiCache DatabaseMemoryUsagePercentage': { dimensions: NODE, statistics: ['Maximum'] },
  'AWS/ElastiCache EngineCPUUtilization': { dimensions: NODE, statistics: ['Average'] },
  'AWS/ElastiCache Evictions': { dimensions: NODE, statistics: ['Sum'] },
  'AWS/ApplicationELB HealthyHostCount': { dimensions: TARGETS, statistics: ['Minimum'] },
  'AWS/ApplicationELB UnHealthyHostCount': { dimensions: TARGETS, statistics: ['Maximum'] },
  'AWS/ApplicationELB HTTPCode_Target_5XX_Count': { dimensions: TARGETS, statistics: ['Sum'] },
  'AWS/ApplicationELB TargetResponseTime': { dimensions: TARGETS, statistics: ['p99'] },
  'ECS/ContainerInsights RunningTaskCount': { dimensions: SERVICE, statistics: ['Minimum'] },
  'AWS/Lambda Errors': { dimensions: ['FunctionName'], statistics: ['Sum'] },
  'AWS/Lambda Duration': { dimensions: ['FunctionName'], statistics: ['Maximum'] },
};

/** The same name is a metric of servers, one value a minute, and of proxies, one a minute and node. */
const DATABASE_CONNECTIONS: Record<string, string> = { DBInstanceIdentifier: 'Maximum', ProxyName: 'Sum' };

/** What is wrong with the metric of an alarm. */
function faults({ namespace, metricName, dimensions, statistic, extendedStatistic }: CfnAlarm): string[] {
  const metric = `${namespace} ${metricName}`;
  const names = (dimensions as CfnAlarm.DimensionProperty[]).map(({ name }) => name).sort();
  const used = statistic ?? extendedStatistic ?? '';
  const published =
    metricName === 'DatabaseConnections'
      ? { dimensions: Object.keys(DATABASE_CONNECTIONS), statistics: [DATABASE_CONNECTIONS[names.join()]] }
      : PUBLISHED[metric];
  if (!published) return [`${metric}: not in the table`];
  return [
    ...(published.dimensions.includes(names.join()) ? [] : [`${metric}: no data by ${names.join()}`]),
    ...(published.statistics.includes(used) ? [] : [`${metric}: ${used}`]),
  ];
}

function alarmsOf(stacks: Stack[]): CfnAlarm[] {
  return stacks.flatMap((stack) => stack.node.findAll()).filter((child) => child instanceof CfnAlarm);
}

const oneStack = (environment: Environment) => [newStack(userApp(), environment)];

test.each<[string, () => Stack[]]>([
  ['shared-rls', () => oneStack(example())],
  ['database-per-tenant', () => oneStack(databaseExample())],
  [
    'instance-per-tenant',
    () => {
      const { cells, instances } = newFleet(userApp(), instanceExample());
      return [...cells, ...instances];
    },
  ],
])('every alarm of %s is on a metric that has data, and on the statistic that says it', (_, stacks) => {
  const alarms = alarmsOf(stacks());

  expect(alarms.length).toBeGreaterThan(10);
  expect([...new Set(alarms.flatMap(faults))]).toEqual([]);
});
