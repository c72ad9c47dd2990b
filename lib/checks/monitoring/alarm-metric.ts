import { Json } from '../checked-resource';
import { Rule } from '../rule';
import { PUBLISHED } from './published-metrics';

/**
 * "CloudWatch treats each unique combination of dimensions as a separate metric" and "can't aggregate across dimensions for your custom
 * metrics" (CloudWatch User Guide, "Metrics concepts"): an alarm on a combination that AWS does not publish never has data, and never
 * fires. The statistic matters where several nodes publish: "Maximum" is then that of one node.
 */
export const ALARM_METRIC: Rule = {
  name: 'AlarmMetric',
  summary: 'An alarm is on a metric, a set of dimensions and a statistic that has data and says what an alarm needs.',
  types: /^AWS::CloudWatch::Alarm$/,
  check({ properties }) {
    const inExpression = (properties.Metrics ?? [])
      .filter(({ MetricStat }: Json) => MetricStat)
      .flatMap(({ MetricStat: { Metric, Stat } }: Json) => faults({ ...Metric, Statistic: Stat }));
    return properties.MetricName ? faults(properties) : inExpression;
  },
};

function faults({ Namespace, MetricName, Dimensions = [], Statistic, ExtendedStatistic }: Json): string[] {
  const metric = `${Namespace} ${MetricName}`;
  const dimensions = Dimensions.map(({ Name }: Json) => Name)
    .sort()
    .join();
  const statistic = Statistic ?? ExtendedStatistic;
  const published = PUBLISHED[metric];
  if (!published)
    return [
      `${metric} is not in the table of metrics that have data, so that nothing is known about it. Acknowledge it if you have seen its data.`,
    ];
  const statistics = published[dimensions];
  if (!statistics)
    return [`${metric} has no data by ${dimensions || 'no dimension'}. Use ${Object.keys(published).join(' or ')}.`];
  return statistics.includes(statistic)
    ? []
    : [`${statistic} of ${metric} by ${dimensions} does not say what an alarm needs. Use ${statistics.join(' or ')}.`];
}
