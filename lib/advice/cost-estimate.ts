import { Environment, TenancyModel } from '../environment/environment';
import { BillItem } from './bill-of-materials';
import { billsOf } from './model-bill';
import { PRICES_READ, REFERENCE_REGION } from './price-list';

/** A line of an estimate: a part in a region. */
export interface CostLine extends BillItem {
  readonly region: string;
  /** What all of them cost in a month in USD; nothing if no source has the price. */
  readonly usd?: number;
}

/** What a model would cost in a month. */
export interface CostEstimate {
  readonly model: TenancyModel;
  readonly lines: CostLine[];
  /** Sum of the lines that have a price, in USD. */
  readonly usd: number;
  readonly usdPerTenant: number;
  /** When the prices were read, as year-month-day. */
  readonly pricesRead: string;
  /** What the sum rests on, and what it leaves out. */
  readonly assumptions: string[];
}

/** The cost of an environment's tenants in one of the models. */
export function estimateCost(environment: Environment, model: TenancyModel): CostEstimate {
  const bills = billsOf(environment, model);
  const lines = bills.flatMap(({ region, items }) =>
    items.map((item) => ({ region, ...item, usd: item.usdEach === undefined ? undefined : item.usdEach * item.count })),
  );
  const usd = lines.reduce((sum, line) => sum + (line.usd ?? 0), 0);
  const unpriced = lines.filter((line) => line.usd === undefined).map(({ part }) => part);
  const unknown = bills.filter(({ pricesKnown }) => !pricesKnown).map(({ region }) => region);
  return {
    model,
    lines,
    usd,
    usdPerTenant: usd / environment.tenants.length,
    pricesRead: PRICES_READ,
    assumptions: [
      ...ASSUMPTIONS,
      ...unknown.map((region) => `There are no prices of ${region}: those of ${REFERENCE_REGION} stand in.`),
      ...(unpriced.length > 0 ? [`Left out, since no source has a price: ${unpriced.join('; ')}.`] : []),
      ...(lines.some(({ derived }) => derived) ? ['Some prices are derived by the rules in aws-prices.json.'] : []),
    ],
  };
}

const ASSUMPTIONS = [
  'On demand, in USD, before tax; 730 hours a month.',
  'Tasks run at their minimum all the time.',
  'Sizes of the file where it has them for that kind of model, else the defaults.',
  'Left out: traffic, what a load balancer carries (LCU), logs, backups above the storage, Lambda, requests.',
];
