import { DEFAULT_CACHE, DEFAULT_METADATA_SERVER, DEFAULT_TASKS, DEFAULT_TENANTS_SERVER } from '../defaults';
import { instanceClassOf } from '../database/instance-class';
import { Environment, EnvironmentDatabase, TenancyModel } from '../environment/environment';
import { InstancePlan, instancePlans, regionOf, tenantsPerCell } from '../environment/instance-plan';
import { placeInstances, sharesCell } from '../placement/instance-placement';
import { MOST_ON_SHARD } from '../tenancy/model-fit';
import { shardOf } from '../tenancy/shard-placement';
import { InstanceSharing } from '../tenant/tenant-instance';
import { BillOfMaterials } from './bill-of-materials';

/** What a model has for an environment, one bill for each region. Its tests compare the counts with synthesised templates. */
export function billsOf(environment: Environment, model: TenancyModel): BillOfMaterials[] {
  switch (model) {
    case TenancyModel.SHARED_RLS:
      return [sharedBill(environment)];
    case TenancyModel.DATABASE_PER_TENANT:
      return [databaseBill(environment)];
    case TenancyModel.INSTANCE_PER_TENANT:
      return instanceBills(environment);
  }
}

/** Of Superset: `SECRET_KEY`, guest tokens, asynchronous queries, and the password of the cache. */
const SUPERSET_SECRETS = 4;

/** The login of web, workers and beat to the metadata that tenants share. */
const WEB_LOGIN = 1;

/** Of each tenant: its login in PostgreSQL, and the first one in Superset. */
const TENANT_SECRETS = 2;

/** What has alarms, and how many; those of replicas are of a cache that has any. */
const ALARMS = {
  superset: 18,
  server: 7,
  proxy: 6,
  ownWorkers: 1,
  instance: 9,
  instanceServer: 9,
  cell: 9,
  replicas: 3,
};

function sharedBill(environment: Environment): BillOfMaterials {
  const bill = new BillOfMaterials(environment.region);
  oneSuperset(bill, environment);
  bill.server(
    "tenants' PostgreSQL",
    serverOf(sizesOf(environment, TenancyModel.SHARED_RLS).database, DEFAULT_TENANTS_SERVER),
  );
  bill.each('secretMonth', SECRETS, SUPERSET_SECRETS + WEB_LOGIN + 1 + environment.tenants.length * TENANT_SECRETS);
  bill.each('keyMonth', KEYS, 1);
  bill.each('alarmMonth', CLOUDWATCH_ALARMS, ALARMS.superset + ALARMS.server);
  return bill;
}

function databaseBill(environment: Environment): BillOfMaterials {
  const { tenants } = environment;
  const bill = new BillOfMaterials(environment.region);
  oneSuperset(bill, environment);
  const shards = shardsOf(environment);
  for (const { instanceClass, hasTenants, ...server } of shards) {
    bill.server("tenants' PostgreSQL", { instanceClass, ...server });
    if (hasTenants) bill.proxy(instanceClassOf(instanceClass)?.vcpu ?? 0);
  }
  const count = (has: (tenant: (typeof tenants)[number]) => unknown) => tenants.filter(has).length;
  const ownWorkers = count((tenant) => tenant.ownWorkers);
  bill.tasks('worker', ownWorkers);
  bill.each(
    'secretMonth',
    SECRETS,
    SUPERSET_SECRETS + WEB_LOGIN + tenants.length * TENANT_SECRETS + count((tenant) => tenant.loader),
  );
  bill.each('keyMonth', KEYS, 1 + count((tenant) => tenant.ownKey));
  const proxies = shards.filter(({ hasTenants }) => hasTenants).length;
  bill.each(
    'alarmMonth',
    CLOUDWATCH_ALARMS,
    ALARMS.superset + shards.length * ALARMS.server + proxies * ALARMS.proxy + ownWorkers * ALARMS.ownWorkers,
  );
  return bill;
}

/** What the two models with one Superset have in common. */
function oneSuperset(bill: BillOfMaterials, environment: Environment): void {
  const { metadataDatabase, cache, superset } = sizesOf(environment, TenancyModel.SHARED_RLS);
  bill.network(environment.network);
  bill.loadBalancer(environment.domain.internetFacing);
  bill.server("Superset's PostgreSQL", serverOf(metadataDatabase, DEFAULT_METADATA_SERVER));
  bill.cache({
    nodeType: cache?.nodeType ?? DEFAULT_CACHE.nodeType,
    replicas: cache?.replicas ?? DEFAULT_CACHE.replicas,
  });
  if (cache?.replicas !== 0) bill.each('alarmMonth', CLOUDWATCH_ALARMS, ALARMS.replicas);
  bill.tasks('web', superset?.minWebTasks ?? DEFAULT_TASKS.minWebTasks);
  bill.tasks('worker', superset?.minWorkerTasks ?? DEFAULT_TASKS.minWorkerTasks);
  bill.tasks('beat', 1);
}

function instanceBills(environment: Environment): BillOfMaterials[] {
  const sized = { ...environment, ...sizesOf(environment, TenancyModel.INSTANCE_PER_TENANT) };
  const plans = instancePlans(sized);
  const bills = new Map<string, BillOfMaterials>();
  const billIn = (region: string) => {
    const bill = bills.get(region) ?? new BillOfMaterials(region);
    bills.set(region, bill);
    return bill;
  };
  for (const [region, inCell] of cellsOf(sized, plans)) addCell(billIn(region), sized, inCell);
  for (const plan of plans) addInstance(billIn(plan.region), sized, plan);
  return [...bills.values()];
}

/** The tenants of each cell, by a fleet that begins today. */
function cellsOf(environment: Environment, plans: InstancePlan[]): [region: string, inCell: InstancePlan[]][] {
  const places = placeInstances(plans, tenantsPerCell(environment), {});
  const cells = new Map<string, [string, InstancePlan[]]>();
  for (const plan of plans.filter(sharesCell)) {
    const { region, cell } = places[plan.tenant.id];
    const [, inCell] = cells.get(`${region} ${cell}`) ?? [region, []];
    cells.set(`${region} ${cell}`, [region, [...inCell, plan]]);
  }
  return [...cells.values()];
}

function addCell(bill: BillOfMaterials, environment: Environment, inCell: InstancePlan[]): void {
  const shares = (part: 'loadBalancer' | 'database') => inCell.some((plan) => plan[part] === InstanceSharing.CELL);
  bill.network(regionOf(environment, bill.region).network);
  bill.each('keyMonth', KEYS, 1);
  if (shares('loadBalancer')) bill.loadBalancer(environment.domain.internetFacing);
  if (shares('database')) {
    bill.server("cells' PostgreSQL", serverOf(environment.instances?.cellDatabase, DEFAULT_TENANTS_SERVER));
    bill.each('alarmMonth', CLOUDWATCH_ALARMS, ALARMS.cell);
  }
}

function addInstance(bill: BillOfMaterials, environment: Environment, plan: InstancePlan): void {
  const { tenant, server, cache, tasks, spotWorkers } = plan;
  const own = (part: 'network' | 'loadBalancer' | 'database') => plan[part] === InstanceSharing.OWN;
  if (own('network')) bill.network(regionOf(environment, bill.region).network);
  if (own('loadBalancer')) bill.loadBalancer(environment.domain.internetFacing);
  if (own('database')) bill.server("tenants' PostgreSQL", serverOf(server, DEFAULT_TENANTS_SERVER));
  bill.cache(cache);
  if (cache.replicas > 0) bill.each('alarmMonth', CLOUDWATCH_ALARMS, ALARMS.replicas);
  bill.tasks('web', tasks.minWebTasks);
  bill.tasks('worker', tasks.minWorkerTasks, spotWorkers);
  bill.tasks('beat', 1);
  bill.each('secretMonth', SECRETS, SUPERSET_SECRETS + TENANT_SECRETS + 1 + (tenant.loader ? 1 : 0));
  bill.each('keyMonth', KEYS, 1);
  bill.each('alarmMonth', CLOUDWATCH_ALARMS, ALARMS.instance + (own('database') ? ALARMS.instanceServer : 0));
}

type Server = Required<Pick<EnvironmentDatabase, 'instanceClass' | 'storageGiB' | 'multiAz'>>;

function serverOf(given: EnvironmentDatabase | undefined, defaults: Server): Server {
  return {
    instanceClass: given?.instanceClass ?? defaults.instanceClass,
    storageGiB: given?.storageGiB ?? defaults.storageGiB,
    multiAz: given?.multiAz ?? defaults.multiAz,
  };
}

/** The sizes that an environment gives, if they are for that model: those of one Superset say nothing of a fleet, nor the reverse. */
function sizesOf(environment: Environment, model: TenancyModel): Partial<Environment> & Pick<Environment, 'superset'> {
  const isFleet = (each: TenancyModel) => each === TenancyModel.INSTANCE_PER_TENANT;
  const { database, metadataDatabase, cache, superset } = environment;
  if (isFleet(environment.model) === isFleet(model)) return { database, metadataDatabase, cache, superset };
  return {
    database: undefined,
    metadataDatabase: undefined,
    cache: undefined,
    superset: { version: superset.version, image: superset.image },
  };
}

/** Those of the environment, or else as many as its tenants fit on. */
function shardsOf(environment: Environment): (Server & { readonly hasTenants: boolean })[] {
  const { tenants, defaultShards } = environment;
  const { database } = sizesOf(environment, TenancyModel.DATABASE_PER_TENANT);
  if (environment.model !== TenancyModel.DATABASE_PER_TENANT) {
    const count = Math.ceil(tenants.length / MOST_ON_SHARD);
    return Array.from({ length: count }, () => ({ ...serverOf(database, DEFAULT_TENANTS_SERVER), hasTenants: true }));
  }
  const shards = environment.shards ?? [{ name: 'a' }];
  const taken = new Set(tenants.map((tenant) => shardOf(tenant, shards, defaultShards)));
  return shards.map((shard) => ({
    ...serverOf({ ...database, ...shard }, DEFAULT_TENANTS_SERVER),
    hasTenants: taken.has(shard.name),
  }));
}

const SECRETS = 'secrets';
const KEYS = 'KMS keys';
const CLOUDWATCH_ALARMS = 'alarms';
