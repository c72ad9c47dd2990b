import {
  Environment,
  EnvironmentCache,
  EnvironmentDatabase,
  EnvironmentNetwork,
  EnvironmentSuperset,
  InstancePreset,
} from './environment';
import { DEFAULT_CACHE, DEFAULT_INSTANCE_TASKS, DEFAULT_TASKS } from '../defaults';
import { Brand } from '../superset/brand';
import { Tenant } from '../tenant/tenant';
import { InstanceSharing, InstanceSize } from '../tenant/tenant-instance';

/** What a tenant's own Superset is, with every choice made. */
export interface InstancePlan {
  readonly tenant: Tenant;
  readonly region: string;
  readonly ring: string;
  readonly domainName: string;
  readonly certificateArn: string;
  readonly supersetVersion: string;
  readonly image?: string;
  readonly brand?: Brand;
  readonly allowedNetworks?: string[];
  readonly network: InstanceSharing;
  readonly loadBalancer: InstanceSharing;
  readonly database: InstanceSharing;
  /** Of its own server. */
  readonly server: EnvironmentDatabase & { readonly instanceClass: string };
  readonly cache: Required<EnvironmentCache>;
  readonly tasks: InstanceTasks;
  readonly spotWorkers: boolean;
}

/** How many tasks a Superset has. */
export type InstanceTasks = Required<
  Pick<EnvironmentSuperset, 'minWebTasks' | 'maxWebTasks' | 'minWorkerTasks' | 'maxWorkerTasks'>
>;

/** The plan of each tenant, in the order of the file. */
export function instancePlans(environment: Environment): InstancePlan[] {
  return environment.tenants.map((tenant) => instancePlan(environment, tenant));
}

function instancePlan(environment: Environment, tenant: Tenant): InstancePlan {
  const { instances = {}, superset, domain } = environment;
  const own = tenant.instance ?? {};
  const preset = instances.preset ?? InstancePreset.STANDARD;
  const size = SIZES[preset][own.size ?? InstanceSize.SMALL];
  const region = own.region ?? environment.region;
  const shared = preset === InstancePreset.ECONOMY ? InstanceSharing.CELL : InstanceSharing.OWN;
  const { minWebTasks, maxWebTasks, minWorkerTasks, maxWorkerTasks } = superset;
  return {
    tenant,
    region,
    ring: own.ring ?? ringsOf(environment).at(-1)!,
    domainName: own.domainName ?? `${stackPart(tenant.id)}.${domain.name}`,
    certificateArn: own.certificateArn ?? regionOf(environment, region).certificateArn,
    supersetVersion: own.supersetVersion ?? superset.version,
    image: own.image ?? superset.image,
    brand: superset.brand || own.brand ? { ...superset.brand, ...defined(own.brand) } : undefined,
    allowedNetworks: own.allowedNetworks,
    network: own.network ?? instances.network ?? InstanceSharing.CELL,
    loadBalancer: own.loadBalancer ?? instances.loadBalancer ?? shared,
    database: own.database ?? instances.database ?? shared,
    server: { ...size.server, ...defined(environment.database), ...defined({ backupDays: own.backupDays }) },
    cache: { ...size.cache, ...defined(environment.cache) },
    tasks: { ...size.tasks, ...defined({ minWebTasks, maxWebTasks, minWorkerTasks, maxWorkerTasks }) },
    spotWorkers: instances.spotWorkers ?? preset === InstancePreset.ECONOMY,
  };
}

/** The rings of an environment, the first one first. */
export function ringsOf({ instances }: Environment): string[] {
  return instances?.rings ?? ['all'];
}

/** Tenants of one cell. */
export function tenantsPerCell({ instances = {} }: Environment): number {
  return instances.tenantsPerCell ?? (instances.preset === InstancePreset.ECONOMY ? 12 : 60);
}

/** What an environment says of one of its regions. */
export function regionOf(
  environment: Environment,
  name: string,
): { readonly certificateArn: string; readonly network?: EnvironmentNetwork } {
  const further = environment.regions?.find((region) => region.name === name);
  return further ?? { certificateArn: environment.domain.certificateArn, network: environment.network };
}

/** A tenant's id as names of stacks and hosts take it. No id has a hyphen, so that no two become one. */
export function stackPart(tenantId: string): string {
  return tenantId.replaceAll('_', '-');
}

/** What a size has for itself. People: those who look at the same time, of whom one in five asks at once. */
interface Size {
  readonly server: EnvironmentDatabase & { readonly instanceClass: string };
  readonly cache: Required<EnvironmentCache>;
  readonly tasks: InstanceTasks;
}

const SIZES: Record<InstancePreset, Record<InstanceSize, Size>> = {
  [InstancePreset.STANDARD]: {
    [InstanceSize.SMALL]: {
      server: { instanceClass: 't4g.medium', storageGiB: 50 },
      cache: DEFAULT_CACHE,
      tasks: DEFAULT_INSTANCE_TASKS,
    },
    [InstanceSize.MEDIUM]: {
      server: { instanceClass: 'm7g.large', storageGiB: 100 },
      cache: DEFAULT_CACHE,
      tasks: DEFAULT_TASKS,
    },
    [InstanceSize.LARGE]: {
      server: { instanceClass: 'r7g.xlarge', storageGiB: 200 },
      cache: { nodeType: 'cache.m7g.large', replicas: 1 },
      tasks: { minWebTasks: 3, maxWebTasks: 12, minWorkerTasks: 2, maxWorkerTasks: 8 },
    },
  },
  [InstancePreset.ECONOMY]: {
    [InstanceSize.SMALL]: {
      server: { instanceClass: 't4g.medium', storageGiB: 20, multiAz: false },
      cache: { nodeType: 'cache.t4g.micro', replicas: 0 },
      tasks: { minWebTasks: 1, maxWebTasks: 2, minWorkerTasks: 1, maxWorkerTasks: 1 },
    },
    [InstanceSize.MEDIUM]: {
      server: { instanceClass: 't4g.large', storageGiB: 50, multiAz: false },
      cache: { nodeType: 'cache.t4g.small', replicas: 0 },
      tasks: { minWebTasks: 1, maxWebTasks: 4, minWorkerTasks: 1, maxWorkerTasks: 2 },
    },
    [InstanceSize.LARGE]: {
      server: { instanceClass: 'm7g.large', storageGiB: 100, multiAz: false },
      cache: { nodeType: 'cache.t4g.medium', replicas: 0 },
      tasks: { minWebTasks: 2, maxWebTasks: 6, minWorkerTasks: 1, maxWorkerTasks: 4 },
    },
  },
};

/** Without what is not given, which would lie over what is. */
function defined<Values extends object>(values?: Values): { [Key in keyof Values]?: NonNullable<Values[Key]> } {
  return Object.fromEntries(Object.entries(values ?? {}).filter(([, value]) => value !== undefined)) as Values;
}
