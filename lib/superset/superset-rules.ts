import * as acm from 'aws-cdk-lib/aws-certificatemanager';
import { IConstruct } from 'constructs';
import { allowedNetworkProblems, networksOfARule } from '../network/network-rules';
import { Problem } from '../validation/problem';
import { propertyProblems, schemaProblems } from '../validation/schema';
import { Brand } from './brand';
import { brandRuleProblems } from './brand-rules';
import { certificateProblems } from './certificate-rules';
import { functionNameProblems } from './function-name';

/** What an environment file has of a Superset, too. */
interface SupersetValues {
  readonly domainName: string;
  readonly certificate?: acm.ICertificate;
  readonly allowedNetworks?: string[];
  readonly allowedFunctions?: string[];
  readonly brand?: Brand;
  readonly connectionsPerProcess?: number;
  readonly minWebTasks?: number;
  readonly maxWebTasks?: number;
  readonly minWorkerTasks?: number;
  readonly maxWorkerTasks?: number;
}

/**
 * What is wrong with values of a Superset that were given to a construct, as an environment file with them would be told.
 *
 * @param isShared whether its load balancer is shared.
 */
export function supersetProblems(scope: IConstruct, given: SupersetValues, isShared = false): Problem[] {
  const { domainName, certificate, allowedNetworks, allowedFunctions } = given;
  return [
    ...propertyProblems('EnvironmentDomain', 'name', domainName, ['domainName']),
    ...(certificate ? certificateProblems(scope, certificate, ['certificate']) : []),
    ...propertyProblems('TenantInstance', 'allowedNetworks', allowedNetworks, ['allowedNetworks']),
    ...allowedNetworkProblems(allowedNetworks, ['allowedNetworks']),
    ...(isShared ? networksOfARule(allowedNetworks, ['allowedNetworks']) : []),
    ...propertyProblems('EnvironmentSuperset', 'allowedFunctions', allowedFunctions, ['allowedFunctions']),
    ...functionNameProblems(allowedFunctions ?? [], ['allowedFunctions']),
    ...NUMBERS.flatMap((name) => propertyProblems('EnvironmentSuperset', name, given[name], [name])),
    ...brandProblems(given.brand),
  ];
}

const NUMBERS = [
  'minWebTasks',
  'maxWebTasks',
  'minWorkerTasks',
  'maxWorkerTasks',
  'connectionsPerProcess',
] as const satisfies readonly (keyof SupersetValues)[];

function brandProblems(brand: Brand | undefined): Problem[] {
  if (!brand) return [];
  const problems = [...schemaProblems('Brand', brand), ...brandRuleProblems(brand, '')];
  return problems.map((problem) => ({ ...problem, path: ['brand', ...problem.path] }));
}
