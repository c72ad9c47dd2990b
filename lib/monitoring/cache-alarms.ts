import { Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { SupersetCache } from '../cache/superset-cache';
import { AlarmDefinition } from './alarm-definition';

/** Alarms of each node of the cache. */
export function cacheAlarms(cache: SupersetCache): AlarmDefinition[] {
  return cache.nodeIds.flatMap((nodeId, index) => nodeAlarms(cache, nodeId, `node-${index + 1}`));
}

function nodeAlarms(cache: SupersetCache, nodeId: string, node: string): AlarmDefinition[] {
  const { MAXIMUM, SUM, AVERAGE } = cloudwatch.Stats;
  const minute = Duration.minutes(1);
  return [
    {
      name: `${node}-memory`,
      description: '80 % of the memory for data is in use: what does not expire, the queue, is soon refused.',
      metric: cache.metricOfNode(nodeId, 'DatabaseMemoryUsagePercentage', { statistic: MAXIMUM, period: minute }),
      atLeast: 80,
      periods: 5,
    },
    {
      name: `${node}-evictions`,
      description: 'Answers leave the cache before they expire: it is too small, and queries run again.',
      metric: cache.metricOfNode(nodeId, 'Evictions', { statistic: SUM, period: Duration.minutes(5) }),
      above: 0,
      periods: 3,
    },
    {
      name: `${node}-cpu`,
      description: 'The engine, which has one thread, is at 90 % or more for 5 minutes.',
      metric: cache.metricOfNode(nodeId, 'EngineCPUUtilization', { statistic: AVERAGE, period: minute }),
      atLeast: 90,
      periods: 5,
    },
  ];
}
