import { Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { TenantDatabaseProxy } from '../database/tenant-database-proxy';
import { AlarmDefinition } from './alarm-definition';

/** Alarms of RDS Proxy. Its metrics begin with its first connection, so that silence changes nothing. */
export function proxyAlarms(proxy: TenantDatabaseProxy): AlarmDefinition[] {
  const { SUM, AVERAGE } = cloudwatch.Stats;
  return [
    {
      name: 'connections',
      description: `80 % of the ${proxy.maxConnections} connections that the proxy may open are in use: queries soon wait for one.`,
      metric: proxy.metric('DatabaseConnections', { statistic: SUM }),
      atLeast: Math.floor(proxy.maxConnections * 0.8),
      periods: 5,
    },
    {
      name: 'waiting',
      description: 'Queries wait more than 0.1 s for a connection on average, for 5 minutes.',
      metric: proxy.metric('DatabaseConnectionsBorrowLatency', { statistic: AVERAGE }),
      above: 100_000,
      periods: 5,
    },
    {
      name: 'pinned',
      description:
        'Sessions are pinned, which Superset never causes by itself: somebody changes settings or takes locks.',
      metric: proxy.metric('DatabaseConnectionsCurrentlySessionPinned', { statistic: SUM }),
      above: 0,
      periods: 5,
    },
    {
      name: 'refused-logins',
      description:
        'The server refused logins of the proxy: the password in a secret of a tenant is not the one of its role.',
      metric: proxy.metric('DatabaseConnectionsSetupFailed', { statistic: SUM, period: Duration.minutes(5) }),
      above: 0,
      periods: 1,
    },
    {
      name: 'refused-clients',
      description: 'The proxy refused logins: somebody uses a wrong password, or a tenant is cut off.',
      metric: proxy.metric('ClientConnectionsSetupFailedAuth', { statistic: SUM, period: Duration.minutes(5) }),
      above: 0,
      periods: 1,
    },
    {
      name: 'away',
      description: 'The proxy reaches its server less than 99 % of the time.',
      metric: proxy.metric('AvailabilityPercentage', { statistic: AVERAGE }),
      below: 99,
      periods: 5,
    },
  ];
}
