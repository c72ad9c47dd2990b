import { TenancyOptions } from './tenancy-options';

/** What Superset takes of the options of a model. */
export function supersetOptions(options: TenancyOptions) {
  const { brand, contentBundle, domainName, internetFacing, image, connectionsPerProcess, allowedFunctions } = options;
  const { minWebTasks, maxWebTasks, minWorkerTasks, maxWorkerTasks } = options;
  return {
    ...{ brand, contentBundle, domainName, internetFacing, image, connectionsPerProcess, allowedFunctions },
    ...{ minWebTasks, maxWebTasks, minWorkerTasks, maxWorkerTasks },
  };
}
