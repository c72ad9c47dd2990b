import { Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as rds from 'aws-cdk-lib/aws-rds';
import { instanceClassOf } from '../database/instance-class';
import { AlarmDefinition } from './alarm-definition';

/** What the alarms of a PostgreSQL server are computed from. */
export interface WatchedPostgresServer {
  readonly instance: rds.IDatabaseInstance;
  readonly instanceClassName: string;
  readonly storageGiB: number;
  readonly maxConnections: number;
}

/** Alarms of a PostgreSQL server. */
export function postgresAlarms(server: WatchedPostgresServer): AlarmDefinition[] {
  const { instance, maxConnections, storageGiB } = server;
  const { vcpu, memoryGiB } = instanceClassOf(server.instanceClassName)!;
  const { MAXIMUM, MINIMUM, AVERAGE, SAMPLE_COUNT } = cloudwatch.Stats;
  const minute = Duration.minutes(1);
  return [
    {
      name: 'silent',
      description: 'The server sends no metrics: it is stopped, failing over or out of reach.',
      metric: instance.metricCPUUtilization({ statistic: SAMPLE_COUNT, period: minute }),
      below: 1,
      periods: 5,
      missingData: cloudwatch.TreatMissingData.BREACHING,
    },
    {
      name: 'cpu',
      description: 'CPU is at 90 % or more for 5 minutes.',
      metric: instance.metricCPUUtilization({ statistic: AVERAGE, period: minute }),
      atLeast: 90,
      periods: 5,
    },
    {
      name: 'load',
      description: `More sessions are active than the ${vcpu} vCPUs can run, for 15 minutes.`,
      metric: instance.metric('DBLoad', { statistic: AVERAGE, period: minute }),
      above: vcpu,
      periods: 15,
    },
    {
      name: 'connections',
      description: `80 % of the ${maxConnections} connections that the server takes are in use.`,
      metric: instance.metricDatabaseConnections({ statistic: MAXIMUM, period: minute }),
      atLeast: Math.floor(maxConnections * 0.8),
      periods: 5,
    },
    {
      name: 'memory',
      description: `Less than 10 % of the ${memoryGiB} GiB of memory is free.`,
      metric: instance.metricFreeableMemory({ statistic: AVERAGE, period: minute }),
      below: Math.floor(memoryGiB * GIB * 0.1),
      periods: 15,
    },
    {
      name: 'storage',
      description: `Less than 10 % of the first ${storageGiB} GiB of storage is free; RDS is about to add more, up to its bound.`,
      metric: instance.metricFreeStorageSpace({ statistic: MINIMUM, period: minute }),
      below: Math.floor(storageGiB * GIB * 0.1),
      periods: 5,
    },
    {
      name: 'transaction-ids',
      description:
        'More than a billion transaction ids are unfrozen: vacuum does not keep up, and at two billion the server stops.',
      metric: instance.metric('MaximumUsedTransactionIDs', { statistic: MAXIMUM, period: Duration.minutes(5) }),
      above: 1_000_000_000,
      periods: 1,
    },
  ];
}

const GIB = 1024 ** 3;
