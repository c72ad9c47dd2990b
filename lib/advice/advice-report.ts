import { Annotations, Stack } from 'aws-cdk-lib';
import Table from 'cli-table3';
import { Environment } from '../environment/environment';
import { ModelAdvice, adviseModels } from './model-advice';
import { PRICES_READ } from './price-list';

/**
 * Says at synthesis what each model would cost, and which one fits.
 *
 * @param stack what it is said of: the CDK CLI does not show what is said of a construct above the stacks.
 * @param besideWarning whether the same synthesis warns, too: the CLI then leaves out what is no warning.
 */
export function noteAdvice(stack: Stack, environment: Environment, besideWarning = false): void {
  const annotations = Annotations.of(stack);
  const [id, advice] = ['superset-tenancy:model-advice', adviceTable(environment)];
  if (besideWarning) annotations.addWarningV2(id, advice);
  else annotations.addInfoV2(id, advice);
}

/** The advice as a table with what it rests on. */
export function adviceTable(environment: Environment): string {
  const advice = adviseModels(environment);
  const table = new Table({
    head: ['model', 'fit', 'hard limits', 'isolation', 'USD a month', 'each tenant'],
    colWidths: [22, 24, 24, 24, 13, 13],
    colAligns: ['left', 'left', 'left', 'left', 'right', 'right'],
    wordWrap: true,
    style: { head: [], border: [] },
  });
  for (const { model, fit, limits, isolation, cost, recommended } of advice) {
    const name = `${model}${model === environment.model ? ' (this)' : ''}${recommended ? ' *' : ''}`;
    table.push([name, fit, limits, isolation, dollars(cost.usd), dollars(cost.usdPerTenant)]);
  }
  const { model, recommended } = advice.find((each) => each.recommended)!;
  const assumptions = new Set(advice.flatMap(({ cost }) => cost.assumptions));
  return [
    `Models for ${environment.tenants.length} tenants, prices read on ${PRICES_READ}:`,
    table.toString(),
    `* ${model}: ${recommended}.`,
    ...assumptions,
  ].join('\n');
}

/** The advice as data; `version` tells when its shape changes. */
export function adviceJson(environment: Environment): object {
  return {
    version: 1,
    region: environment.region,
    tenants: environment.tenants.length,
    model: environment.model,
    pricesRead: PRICES_READ,
    models: adviseModels(environment).map(modelJson),
  };
}

function modelJson({ model, fit, limits, isolation, cost, recommended }: ModelAdvice): object {
  return {
    model,
    fit,
    limits,
    isolation,
    recommended: recommended !== undefined,
    reason: recommended ?? null,
    usdPerMonth: cents(cost.usd),
    usdPerTenant: cents(cost.usdPerTenant),
    lines: cost.lines.map(({ region, part, count, usdEach, usd, derived }) => ({
      ...{ region, part, count, derived },
      usdEach: usdEach === undefined ? null : cents(usdEach),
      usdPerMonth: usd === undefined ? null : cents(usd),
    })),
    assumptions: cost.assumptions,
  };
}

function dollars(usd: number): string {
  return Math.round(usd).toLocaleString('en-US');
}

function cents(usd: number): number {
  return Math.round(usd * 100) / 100;
}
