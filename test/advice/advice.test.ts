import { adviceJson, adviceTable } from '../../lib/advice/advice-report';
import prices from '../../lib/advice/aws-prices.json';
import { estimateCost } from '../../lib/advice/cost-estimate';
import { adviseModels } from '../../lib/advice/model-advice';
import { PriceList } from '../../lib/advice/price-list';
import { cacheNodeTypeNames } from '../../lib/cache/cache-node-type';
import { instanceClassNames } from '../../lib/database/instance-class';
import { Environment, InstancePreset, TenancyModel } from '../../lib/environment/environment';
import { InstanceSize } from '../../lib/tenant/tenant-instance';
import { databaseExample, example, instanceExample, tenants } from '../tenancy/environments';

const inUsEast1 = (overrides: Partial<Environment> = {}) =>
  example({ region: 'us-east-1', database: undefined, metadataDatabase: undefined, cache: undefined, ...overrides });

const fleet = (preset: InstancePreset, count: number) =>
  instanceExample({
    region: 'us-east-1',
    instances: { preset },
    tenants: tenants(count, { value: undefined }),
  });

test('an estimate is the sum of its lines, and each line its count times its price', () => {
  for (const environment of [inUsEast1(), databaseExample(), instanceExample()]) {
    for (const { cost } of adviseModels(environment)) {
      for (const { count, usdEach, usd } of cost.lines) expect(usd).toBeCloseTo(count * usdEach!);
      expect(cost.usd).toBeCloseTo(cost.lines.reduce((sum, { usd }) => sum + usd!, 0));
      expect(cost.usdPerTenant * environment.tenants.length).toBeCloseTo(cost.usd);
    }
  }
});

test('the shared model with its defaults, added up by hand', () => {
  const hours = 730;
  const databases = 2 * (0.168 + 0.065) * hours + 2 * (100 + 20) * 0.115;
  const tasks = ((2 + 1 + 0.25) * 0.04048 + (4 + 2 + 0.5) * 0.004445) * hours;
  const network = 8 * 0.01 * hours + 0.0225 * hours;
  const small = 2 * 0.0256 * hours + (6 + 2 * 10 + 2) * 0.4 + 1 + 28 * 0.1;
  const { usd } = estimateCost(inUsEast1({ tenants: tenants(10) }), TenancyModel.SHARED_RLS);
  expect(usd).toBeCloseTo(databases + tasks + network + small);
});

test.each([
  [InstancePreset.STANDARD, 1, 343],
  [InstancePreset.STANDARD, 12, 289],
  [InstancePreset.ECONOMY, 1, 417],
  [InstancePreset.ECONOMY, 12, 100],
])('a tenant of a fleet with preset %s and %i tenants costs what the documentation says', (preset, count, usd) => {
  const { usdPerTenant } = estimateCost(fleet(preset, count), TenancyModel.INSTANCE_PER_TENANT);
  expect(Math.round(usdPerTenant)).toBe(usd);
});

test('a region without prices has those of us-east-1, and the estimate says so', () => {
  const elsewhere = estimateCost(inUsEast1({ region: 'eu-south-2' }), TenancyModel.SHARED_RLS);
  expect(elsewhere.usd).toBe(estimateCost(inUsEast1(), TenancyModel.SHARED_RLS).usd);
  expect(elsewhere.assumptions).toContain('There are no prices of eu-south-2: those of us-east-1 stand in.');
  expect(adviceTable(inUsEast1({ region: 'eu-south-2' }))).toContain('no prices of eu-south-2');
});

test('each region of a fleet has its own prices', () => {
  const [here, there] = tenants(2, { value: undefined });
  const environment = fleet(InstancePreset.STANDARD, 2);
  const { lines } = estimateCost(
    {
      ...environment,
      regions: [{ name: 'eu-central-1', certificateArn: environment.domain.certificateArn }],
      tenants: [here, { ...there, instance: { region: 'eu-central-1' } }],
    },
    TenancyModel.INSTANCE_PER_TENANT,
  );
  const web = lines.filter(({ part }) => part.startsWith('Superset web'));
  expect(web.map(({ region, usdEach }) => [region, usdEach!.toFixed(2)])).toEqual([
    ['us-east-1', '36.04'],
    ['eu-central-1', '41.45'],
  ]);
});

test('what no source has a price of is left out of the sum, and told', () => {
  const estimate = estimateCost(inUsEast1({ database: { instanceClass: 'm7i.large' } }), TenancyModel.SHARED_RLS);
  expect(estimate.assumptions.join('\n')).toContain("no source has a price: tenants' PostgreSQL: db.m7i.large");
  expect(estimate.lines.find(({ part }) => part.includes('m7i'))?.usd).toBeUndefined();
  expect(estimate.usd).toBeGreaterThan(300);
});

test('database classes have a price, or are known to have none; node types of the cache all have one', () => {
  const list = new PriceList('us-east-1');
  const without = instanceClassNames().filter((name) => !list.databaseHour(name));
  expect([...new Set(without.map((name) => name.split('.')[0]))]).toEqual([
    ...['m6g', 'm6i', 'm7i', 'm8g', 'r6i', 'r7i', 'r8g'],
  ]);
  expect(cacheNodeTypeNames().filter((name) => list.cacheHour(name)?.derived !== false)).toEqual([]);
});

test('a derived price says so, and doubles from size to size', () => {
  const list = new PriceList('us-east-1');
  expect(list.databaseHour('m7g.large')).toEqual({ usd: 0.168, source: 'rds-us-west-2', derived: false });
  expect(list.databaseHour('m7g.2xlarge')).toEqual({ usd: 0.674, source: 'rds-us-east-1, rule size', derived: true });
  const frankfurt = new PriceList('eu-central-1').databaseHour('m7g.large');
  expect(frankfurt).toMatchObject({ derived: true, source: 'rds-us-west-2, rule region' });
  expect(frankfurt!.usd).toBeCloseTo((0.168 * 0.04656) / 0.04048);
});

test('each figure names a source of the file, and each source a page and a date', () => {
  const sources: Record<string, { url: string; published: string }> = prices.sources;
  const named = [...JSON.stringify(prices.regions).matchAll(/"source":"([^"]+)"/g)].map(([, source]) => source);
  expect(named.length).toBeGreaterThan(90);
  expect(named.filter((source) => !sources[source])).toEqual([]);
  for (const { url, published } of Object.values(sources)) {
    expect(url).toMatch(/^https:\/\/(pricing\.us-east-1\.amazonaws|aws\.amazon)\.com\//);
    expect(published).toMatch(/^20\d\d(-\d\d){0,2}$/);
  }
});

test('the simplest model that gives what the file asks for is recommended', () => {
  const recommended = (environment: Environment) => adviseModels(environment).find((each) => each.recommended)!.model;
  const [tenant] = tenants(1);
  expect(recommended(inUsEast1())).toBe(TenancyModel.SHARED_RLS);
  expect(recommended(inUsEast1({ tenants: tenants(31) }))).toBe(TenancyModel.DATABASE_PER_TENANT);
  expect(recommended(inUsEast1({ database: { storageGiB: 500 } }))).toBe(TenancyModel.DATABASE_PER_TENANT);
  expect(recommended(inUsEast1({ tenants: [{ ...tenant, ownKey: true }] }))).toBe(TenancyModel.DATABASE_PER_TENANT);
  const own = { ...tenant, instance: { size: InstanceSize.LARGE } };
  expect(recommended(inUsEast1({ tenants: [own] }))).toBe(TenancyModel.INSTANCE_PER_TENANT);
});

test('the JSON form has the shape that the documentation gives', () => {
  const advice = JSON.parse(JSON.stringify(adviceJson(inUsEast1())));
  expect(advice).toMatchObject({
    version: 1,
    region: 'us-east-1',
    tenants: 2,
    model: 'shared-rls',
    pricesRead: prices.read,
  });
  expect(Object.keys(advice)).toEqual(['version', 'region', 'tenants', 'model', 'pricesRead', 'models']);
  expect(advice.models.map(({ model }: { model: string }) => model)).toEqual(Object.values(TenancyModel));
  for (const model of advice.models) {
    expect(Object.keys(model)).toEqual([
      ...['model', 'fit', 'limits', 'isolation', 'recommended', 'reason'],
      ...['usdPerMonth', 'usdPerTenant', 'lines', 'assumptions'],
    ]);
    for (const line of model.lines) {
      expect(Object.keys(line)).toEqual(['region', 'part', 'count', 'derived', 'usdEach', 'usdPerMonth']);
    }
  }
  expect(advice.models.filter(({ recommended }: { recommended: boolean }) => recommended)).toHaveLength(1);
});
