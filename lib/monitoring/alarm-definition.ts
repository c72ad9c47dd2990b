import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';

/** One alarm, before it has a name and a topic. Exactly one of `atLeast`, `above` and `below` is given. */
export interface AlarmDefinition {
  readonly name: string;
  readonly description: string;
  readonly metric: cloudwatch.IMetric;
  readonly atLeast?: number;
  readonly above?: number;
  readonly below?: number;
  /** Periods of the metric in a row that must breach. */
  readonly periods: number;
  /** By default silence changes nothing, since a server has an alarm for silence of its own. */
  readonly missingData?: cloudwatch.TreatMissingData;
}

/** The definition as props of an alarm. */
export function alarmProps(definition: AlarmDefinition): cloudwatch.AlarmProps {
  const { atLeast, above, below } = definition;
  const [comparisonOperator, threshold] =
    atLeast !== undefined
      ? [cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD, atLeast]
      : above !== undefined
        ? [cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD, above]
        : [cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD, below!];
  return {
    metric: definition.metric,
    alarmDescription: definition.description,
    comparisonOperator,
    threshold,
    evaluationPeriods: definition.periods,
    treatMissingData: definition.missingData ?? cloudwatch.TreatMissingData.MISSING,
  };
}
