import { rows, Resources } from './small-app';

const alarm = (Namespace: string, MetricName: string, names: string[], statistic: string): Resources => ({
  Alarm: {
    Type: 'AWS::CloudWatch::Alarm',
    Properties: {
      Namespace,
      MetricName,
      Dimensions: names.map((Name) => ({ Name, Value: 'one' })),
      Statistic: statistic,
    },
  },
});

const DIMENSIONS = 'Alarm/Properties/Dimensions';
const STATISTIC = 'Alarm/Properties/Statistic';

const expression: Resources = {
  Alarm: {
    Type: 'AWS::CloudWatch::Alarm',
    Properties: {
      Metrics: [
        { Id: 'share', Expression: 'errors / 2' },
        {
          Id: 'errors',
          MetricStat: {
            Metric: {
              Namespace: 'AWS/Lambda',
              MetricName: 'Errors',
              Dimensions: [{ Name: 'FunctionName', Value: 'one' }],
            },
            Stat: 'Sum',
          },
        },
      ],
    },
  },
};

test.each(
  rows([
    {
      rule: 'AlarmMetric',
      good: alarm('AWS/RDS', 'AvailabilityPercentage', ['ProxyName', 'TargetGroup', 'TargetRole'], 'Average'),
      bad: [
        [
          DIMENSIONS,
          [{ Name: 'ProxyName', Value: 'one' }],
          'no data by ProxyName. Use ProxyName,TargetGroup,TargetRole',
        ],
      ],
    },
    {
      rule: 'AlarmMetric',
      good: alarm('AWS/RDS', 'DatabaseConnections', ['ProxyName'], 'Sum'),
      bad: [
        [STATISTIC, 'Maximum', 'Maximum of AWS/RDS DatabaseConnections by ProxyName'],
        [DIMENSIONS, undefined, 'no data by no dimension'],
        ['Alarm/Properties/MetricName', 'Connections', 'AWS/RDS Connections is not in the table'],
        ['Alarm/Properties/Namespace', 'RDS', 'RDS DatabaseConnections is not in the table'],
      ],
    },
    {
      rule: 'AlarmMetric',
      good: alarm('AWS/RDS', 'DatabaseConnections', ['DBInstanceIdentifier'], 'Maximum'),
      bad: [[STATISTIC, 'Sum', 'Use Average or Maximum']],
    },
    {
      rule: 'AlarmMetric',
      good: alarm('AWS/ApplicationELB', 'UnHealthyHostCount', ['LoadBalancer', 'TargetGroup'], 'Maximum'),
      bad: [
        [DIMENSIONS, [{ Name: 'LoadBalancer', Value: 'one' }], 'no data by LoadBalancer'],
        [STATISTIC, 'Minimum', 'Use Maximum or Average'],
      ],
    },
    {
      rule: 'AlarmMetric',
      good: expression,
      bad: [['Alarm/Properties/Metrics/1/MetricStat/Stat', 'Average', 'Average of AWS/Lambda Errors by FunctionName']],
    },
  ]),
)('%s is found: %s', (_, __, run) => run());
