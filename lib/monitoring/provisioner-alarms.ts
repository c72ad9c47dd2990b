import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { AlarmDefinition } from './alarm-definition';

/** What the alarms of a provisioner are made from. */
export interface WatchedProvisioner {
  metricErrors(options?: cloudwatch.MetricOptions): cloudwatch.Metric;
  metricDuration(options?: cloudwatch.MetricOptions): cloudwatch.Metric;
}

/** Alarms of a database provisioner, whose log names tenant and table. */
export function provisionerAlarms(provisioner: WatchedProvisioner): AlarmDefinition[] {
  return [
    {
      name: 'errors',
      description: 'A run failed: a tenant could not be made, or is not isolated. The log of the function names it.',
      metric: provisioner.metricErrors(),
      above: 0,
      periods: 1,
    },
    {
      name: 'slow',
      description: 'A run took more than 10 minutes, and is ended at 15: there are too many tenants in one stack.',
      metric: provisioner.metricDuration({ statistic: 'max' }),
      above: 10 * 60 * 1000,
      periods: 1,
    },
  ];
}
