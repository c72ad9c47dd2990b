import { TenancyOptions } from './tenancy-options';

/** What Superset takes of the options of a model. */
export function supersetOptions(options: TenancyOptions) {
  const { brand, contentBundle, domainName, internetFacing, image, connectionsPerProcess } = options;
  const { minWebTasks, maxWebTasks, minWorkerTasks, maxWorkerTasks } = options;
  return {
    ...{ brand, contentBundle, domainName, internetFacing, image, connectionsPerProcess },
    ...{ minWebTasks, maxWebTasks, minWorkerTasks, maxWorkerTasks },
  };
}
