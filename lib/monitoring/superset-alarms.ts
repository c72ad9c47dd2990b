import { Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { SupersetService } from '../superset/superset-service';
import { AlarmDefinition } from './alarm-definition';

/** Alarms of Superset: of what its users notice first. */
export function supersetAlarms(superset: SupersetService): AlarmDefinition[] {
  const minute = { period: Duration.minutes(1) };
  const missingData = cloudwatch.TreatMissingData.BREACHING;
  return [
    {
      name: 'web-down',
      description: 'No web task passes its health check: Superset is out of reach.',
      metric: superset.metricHealthyWebTasks(minute),
      below: 1,
      periods: 3,
      missingData,
    },
    {
      name: 'web-unhealthy',
      description: 'A web task has failed its health check for 10 minutes.',
      metric: superset.metricUnhealthyWebTasks(minute),
      above: 0,
      periods: 10,
    },
    {
      name: 'web-errors',
      description: 'Superset answered ten requests or more in 5 minutes with an error of its own (5xx).',
      metric: superset.metricServerErrors(),
      atLeast: 10,
      periods: 1,
    },
    {
      name: 'web-slow',
      description: 'One request in a hundred has taken more than 10 seconds, for 15 minutes.',
      metric: superset.metricResponseTime(),
      above: 10,
      periods: 3,
    },
    {
      name: 'workers-down',
      description: 'No worker runs: asynchronous queries, reports and thumbnails wait.',
      metric: superset.metricRunningTasks(superset.workerService, minute),
      below: 1,
      periods: 5,
      missingData,
    },
    ...superset.ownWorkerServices.map((service) => ({
      name: `${service.node.id.toLowerCase()}-down`,
      description: 'No worker of a tenant with workers of its own runs: its asynchronous queries and reports wait.',
      metric: superset.metricRunningTasks(service, minute),
      below: 1,
      periods: 5,
      missingData,
    })),
    {
      name: 'beat-down',
      description: 'Beat does not run: nothing is scheduled. A deployment stops it for a minute or two.',
      metric: superset.metricRunningTasks(superset.beatService, minute),
      below: 1,
      periods: 10,
      missingData,
    },
  ];
}
