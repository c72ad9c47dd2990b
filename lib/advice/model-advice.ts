import { Environment, TenancyModel } from '../environment/environment';
import { FEWEST_TENANTS, FITTING_STORAGE_GIB, FITTING_TENANTS, MOST_ON_SHARD } from '../tenancy/model-fit';
import { RESOURCES_PER_OPERATION, RESOURCES_PER_STACK, SECRETS_PER_PROXY } from '../validation/quotas';
import { CostEstimate, estimateCost } from './cost-estimate';

/** What speaks for and against one model. */
export interface ModelAdvice {
  readonly model: TenancyModel;
  /** How many tenants, and how much data, it suits. */
  readonly fit: string;
  /** What AWS does not raise. */
  readonly limits: string;
  readonly isolation: string;
  readonly cost: CostEstimate;
  /** Why it is the one for these tenants; nothing with the others. */
  readonly recommended?: string;
}

/** All models for the tenants of an environment. */
export function adviseModels(environment: Environment): ModelAdvice[] {
  const [recommended, reason] = recommend(environment);
  return Object.values(TenancyModel).map((model) => ({
    model,
    ...CHARACTER[model],
    cost: estimateCost(environment, model),
    ...(model === recommended ? { recommended: reason } : {}),
  }));
}

/** The simplest model that gives what the tenants ask for. */
function recommend({ model, tenants, database }: Environment): [TenancyModel, string] {
  const having = (key: 'instance' | 'ownKey' | 'ownWorkers') => tenants.filter((tenant) => tenant[key]);
  const instances = having('instance').length;
  if (instances > 0) {
    return [TenancyModel.INSTANCE_PER_TENANT, `${count(instances)} a Superset with settings of its own`];
  }
  const apart = tenants.filter((tenant) => tenant.ownKey || tenant.ownWorkers).length;
  if (apart > 0) return [TenancyModel.DATABASE_PER_TENANT, `${count(apart)} a key or workers of its own`];
  const many = tenants.length > FITTING_TENANTS;
  const storageGiB = model === TenancyModel.INSTANCE_PER_TENANT ? 0 : (database?.storageGiB ?? 0);
  if (many || storageGiB > FITTING_STORAGE_GIB) {
    const reason = many ? `${tenants.length} tenants` : `${storageGiB} GiB`;
    return [TenancyModel.DATABASE_PER_TENANT, `${reason}: more than one shared database suits`];
  }
  return [TenancyModel.SHARED_RLS, 'all fit on one server, and nothing in the file asks for more'];
}

function count(tenants: number): string {
  return tenants === 1 ? '1 tenant has' : `${tenants} tenants have`;
}

const CHARACTER: Record<TenancyModel, Pick<ModelAdvice, 'fit' | 'limits' | 'isolation'>> = {
  [TenancyModel.SHARED_RLS]: {
    fit: `up to about ${FITTING_TENANTS} tenants and ${FITTING_STORAGE_GIB} GiB`,
    limits: `${RESOURCES_PER_OPERATION.limit} resources in a deployment, 1 server`,
    isolation: "policy on each table by the tenant's login",
  },
  [TenancyModel.DATABASE_PER_TENANT]: {
    fit: `${FEWEST_TENANTS} tenants or more, up to about ${MOST_ON_SHARD} on a server`,
    limits: `${SECRETS_PER_PROXY.limit} tenants on a proxy, ${RESOURCES_PER_OPERATION.limit} resources in a deployment`,
    isolation: 'database and login of its own, key by choice',
  },
  [TenancyModel.INSTANCE_PER_TENANT]: {
    fit: 'tenants that must be apart in all, or in a region',
    limits: `${RESOURCES_PER_STACK.limit} resources for a tenant, 100 target groups in a cell`,
    isolation: 'Superset, databases, cache, key of its own',
  },
};
