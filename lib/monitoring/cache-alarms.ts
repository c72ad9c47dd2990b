import { Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { SupersetCache } from '../cache/superset-cache';
import { AlarmDefinition } from './alarm-definition';

/** Alarms of the cache; each looks at the worst node. */
export function cacheAlarms(cache: SupersetCache): AlarmDefinition[] {
  const { MAXIMUM, SUM, AVERAGE } = cloudwatch.Stats;
  const minute = Duration.minutes(1);
  return [
    {
      name: 'memory',
      description: '80 % of the memory for data is in use: what does not expire, the queue, is soon refused.',
      metric: cache.metric('DatabaseMemoryUsagePercentage', { statistic: MAXIMUM, period: minute }),
      atLeast: 80,
      periods: 5,
    },
    {
      name: 'evictions',
      description: 'Answers leave the cache before they expire: it is too small, and queries run again.',
      metric: cache.metric('Evictions', { statistic: SUM, period: Duration.minutes(5) }),
      above: 0,
      periods: 3,
    },
    {
      name: 'cpu',
      description: 'The engine, which has one thread, is at 90 % or more for 5 minutes.',
      metric: cache.metric('EngineCPUUtilization', { statistic: AVERAGE, period: minute }),
      atLeast: 90,
      periods: 5,
    },
  ];
}
