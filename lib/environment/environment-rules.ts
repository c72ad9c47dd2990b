import { resolve } from 'node:path';
import { DEFAULT_TASKS } from '../defaults';
import { saferVersion } from '../database/postgres-version';
import { emailProblems } from '../monitoring/email-rules';
import { extensionProblems, reservedSchema } from '../provisioning/data-rules';
import { brandRuleProblems } from '../superset/brand-rules';
import { contentBundleProblem } from '../superset/content-bundle';
import { functionNameProblems } from '../superset/function-name';
import {
  missingKeys,
  missingValues,
  ownKeyProblems,
  shardRuleProblems,
  tenantRuleProblems,
} from '../tenant/tenant-rules';
import { Path, Problem, valueText } from '../validation/problem';
import { schemaProblems } from '../validation/schema';
import { at, text } from './at';
import { TenancyModel } from './environment';
import { instanceRuleProblems } from './instance-rules';
import { certificateOfTheRegion, knownRegion, networkProblems, regionExists } from './place-rules';
import { versionProblems } from './version-rules';

/**
 * What is wrong with an environment, which may be of any shape; nothing if it is an `Environment`.
 *
 * @param show how a message shows the value at a path.
 * @param directory where the paths in it begin.
 */
export function environmentProblems(
  given: unknown,
  show?: (path: Path, value: unknown) => string,
  directory = '',
): Problem[] {
  const ofSchema = schemaProblems('Environment', given, show);
  return [
    ...ofSchema,
    ...RULES.flatMap((rule) => rule(given)),
    ...contentIsABundle(given, directory),
    ...brandsAreSound(given, directory),
    ...tenantRuleProblems(at(given, ['tenants']), at(given, ['data', 'tenantColumn']), at(given, ['data', 'tables']), [
      'data',
    ]),
    ...ofModel(given, ofSchema.length === 0),
  ];
}

/** What the schema does not see. Each passes over what is not of its type: the schema says that. */
type Rule = (environment: unknown) => Problem[];

const RULES: Rule[] = [
  (environment) => regionExists(environment, ['region']),
  (environment) => networkProblems(environment, ['network'], knownRegion(environment)),
  (environment) => certificateOfTheRegion(environment, ['domain', 'certificateArn'], knownRegion(environment)),
  (environment) => safePostgres(environment, ['database', 'postgresVersion']),
  (environment) => safePostgres(environment, ['metadataDatabase', 'postgresVersion']),
  (environment) => minUpToMax(environment, 'minWebTasks', 'maxWebTasks'),
  (environment) => minUpToMax(environment, 'minWorkerTasks', 'maxWorkerTasks'),
  (environment) => emailProblems(at(environment, ['alarms', 'emails']), ['alarms', 'emails']),
  versionProblems,
  functionNames,
  (environment) => reservedSchema(text(environment, ['data', 'schema']), ['data', 'schema']),
];

function safePostgres(environment: unknown, path: Path): Problem[] {
  const version = text(environment, path);
  const safer = version && saferVersion(version);
  if (!safer) return [];
  return [
    {
      path,
      code: 'POSTGRES_VERSION_VULNERABLE',
      fault: `is ${valueText(version)}, whose statistics show rows that row-level security hides (CVE-2025-8713)`,
      allowed: `${safer} or later`,
      remedy: `write '${safer}'`,
    },
  ];
}

function minUpToMax(
  environment: unknown,
  minKey: keyof typeof DEFAULT_TASKS,
  maxKey: keyof typeof DEFAULT_TASKS,
): Problem[] {
  const given = [minKey, maxKey].map((key) => at(environment, ['superset', key]));
  const [min, max] = [given[0] ?? DEFAULT_TASKS[minKey], given[1] ?? DEFAULT_TASKS[maxKey]];
  if (typeof min !== 'number' || typeof max !== 'number' || min <= max) return [];
  const [here, there] = given[0] === undefined ? [maxKey, minKey] : [minKey, maxKey];
  const byDefault = given.includes(undefined) ? ' by default' : '';
  return [
    {
      path: ['superset', here],
      code: 'TASKS_REVERSED',
      fault: `is ${here === minKey ? min : max}, ${here === minKey ? 'more' : 'less'} than ${there}, which is ${here === minKey ? max : min}${byDefault}`,
      allowed: `${minKey} up to ${maxKey}`,
    },
  ];
}

/** Keys of a model stand in a file of that model only; there they must fit together. */
function ofModel(environment: unknown, hasShape: boolean): Problem[] {
  const tenants = at(environment, ['tenants']);
  switch (text(environment, ['model'])) {
    case TenancyModel.SHARED_RLS:
      return [
        ...misplaced(environment, TenancyModel.SHARED_RLS),
        ...missingKeys(environment, [], DATA),
        ...missingKeys(at(environment, ['data']), ['data'], TABLES),
        ...missingValues(tenants),
      ];
    case TenancyModel.DATABASE_PER_TENANT:
      return [
        ...misplaced(environment, TenancyModel.DATABASE_PER_TENANT),
        ...shardRuleProblems(tenants, at(environment, ['shards']), at(environment, ['defaultShards'])),
        ...ownKeyProblems(tenants, at(environment, ['shards']), at(environment, ['proxy', 'authentication'])),
        ...idleUpToMost(environment),
        ...extensionProblems(at(environment, ['data', 'extensions']), ['data', 'extensions']),
        ...shardsOf(environment).flatMap((_, index) => safePostgres(environment, ['shards', index, 'postgresVersion'])),
      ];
    case TenancyModel.INSTANCE_PER_TENANT:
      return [
        ...misplaced(environment, TenancyModel.INSTANCE_PER_TENANT),
        ...extensionProblems(at(environment, ['data', 'extensions']), ['data', 'extensions']),
        ...safePostgres(environment, ['instances', 'cellDatabase', 'postgresVersion']),
        ...instanceRuleProblems(environment, hasShape),
      ];
    default:
      return [];
  }
}

const { SHARED_RLS, DATABASE_PER_TENANT, INSTANCE_PER_TENANT } = TenancyModel;

/** Keys that some models only have. `*` stands for each tenant. */
const MODELS_OF: readonly [path: readonly string[], models: readonly TenancyModel[]][] = [
  [['shards'], [DATABASE_PER_TENANT]],
  [['defaultShards'], [DATABASE_PER_TENANT]],
  [['proxy'], [DATABASE_PER_TENANT]],
  [['instances'], [INSTANCE_PER_TENANT]],
  [['regions'], [INSTANCE_PER_TENANT]],
  [['metadataDatabase'], [SHARED_RLS, DATABASE_PER_TENANT]],
  [
    ['data', 'extensions'],
    [DATABASE_PER_TENANT, INSTANCE_PER_TENANT],
  ],
  [['tenants', '*', 'shard'], [DATABASE_PER_TENANT]],
  [['tenants', '*', 'ownKey'], [DATABASE_PER_TENANT]],
  [
    ['tenants', '*', 'loader'],
    [DATABASE_PER_TENANT, INSTANCE_PER_TENANT],
  ],
  [['tenants', '*', 'ownWorkers'], [DATABASE_PER_TENANT]],
  [['tenants', '*', 'instance'], [INSTANCE_PER_TENANT]],
];

function misplaced(environment: unknown, model: TenancyModel): Problem[] {
  const tenants = at(environment, ['tenants']);
  return MODELS_OF.filter(([, models]) => !models.includes(model)).flatMap(([pattern, models]) => {
    const paths: Path[] = pattern.includes('*')
      ? (Array.isArray(tenants) ? tenants : []).map((_, index) => pattern.map((key) => (key === '*' ? index : key)))
      : [pattern];
    return paths
      .filter((path) => ![undefined, false].includes(at(environment, path) as undefined))
      .map((path) => ({
        path,
        code: 'MODEL_WITHOUT',
        fault: `is of model ${models.join(' and ')}, but model is ${model}`,
        remedy: 'take it out, or change model',
        atKey: true,
      }));
  });
}

const DATA = { data: 'a mapping with schema, tenantColumn, tables' };

const TABLES = {
  tenantColumn: 'a mapping with name, type',
  tables: 'a list of at least 1',
};

function shardsOf(environment: unknown): unknown[] {
  const shards = at(environment, ['shards']);
  return Array.isArray(shards) ? shards : [];
}

function idleUpToMost(environment: unknown): Problem[] {
  const [idle, most] = ['maxIdleConnectionsPercent', 'maxConnectionsPercent'].map((key) =>
    at(environment, ['proxy', key]),
  );
  if (typeof idle !== 'number' || idle <= ((most as number | undefined) ?? 80)) return [];
  return [
    {
      path: ['proxy', 'maxIdleConnectionsPercent'],
      code: 'PROXY_IDLE_ABOVE_MOST',
      fault: `is ${idle}, more than maxConnectionsPercent, which is ${most ?? '80 by default'}`,
      allowed: '0 up to maxConnectionsPercent',
    },
  ];
}

function brandsAreSound(environment: unknown, directory: string): Problem[] {
  const tenants = at(environment, ['tenants']);
  const places: Path[] = [
    ['superset', 'brand'],
    ...(Array.isArray(tenants) ? tenants : []).map((_, index) => ['tenants', index, 'instance', 'brand']),
  ];
  return places.flatMap((path) =>
    brandRuleProblems(at(environment, path), directory).map((problem) => ({
      ...problem,
      path: [...path, ...problem.path],
    })),
  );
}

function functionNames(environment: unknown): Problem[] {
  const path = ['superset', 'allowedFunctions'];
  const given = at(environment, path);
  return Array.isArray(given) ? functionNameProblems(given, path) : [];
}

function contentIsABundle(environment: unknown, directory: string): Problem[] {
  const path = ['superset', 'contentBundle'];
  const file = text(environment, path);
  if (file === undefined || !/^[^\p{Cc}]{1,1024}$/u.test(file)) return [];
  const problem = contentBundleProblem(resolve(directory, file));
  return problem ? [{ path, ...problem }] : [];
}
