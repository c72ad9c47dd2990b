import { isIPv4 } from 'node:net';
import { resolve } from 'node:path';
import { Token } from 'aws-cdk-lib';
import { RegionInfo } from 'aws-cdk-lib/region-info';
import { saferVersion } from '../database/postgres-version';
import { contentBundleProblem } from '../superset/content-bundle';
import { ownKeyProblems, shardRuleProblems, tenantRuleProblems } from '../tenant/tenant-rules';
import { nearest } from '../validation/nearest';
import { Path, Problem, valueText } from '../validation/problem';
import { schemaProblems } from '../validation/schema';
import { TenancyModel } from './environment';

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
  return [
    ...schemaProblems('Environment', given, show),
    ...RULES.flatMap((rule) => rule(given)),
    ...contentIsABundle(given, directory),
    ...tenantRuleProblems(at(given, ['tenants']), at(given, ['data', 'tenantColumn']), at(given, ['data', 'tables']), [
      'data',
    ]),
    ...ofModel(given),
  ];
}

/** What the schema does not see. Each passes over what is not of its type: the schema says that. */
type Rule = (environment: unknown) => Problem[];

const RULES: Rule[] = [
  regionExists,
  newOrGivenVpc,
  cidrIsANetwork,
  zonesOfTheRegion,
  certificateOfTheRegion,
  (environment) => safePostgres(environment, ['database', 'postgresVersion']),
  (environment) => safePostgres(environment, ['metadataDatabase', 'postgresVersion']),
  (environment) => minUpToMax(environment, 'minWebTasks', 'maxWebTasks', [2, 6]),
  (environment) => minUpToMax(environment, 'minWorkerTasks', 'maxWorkerTasks', [1, 4]),
  emailAddresses,
  schemaIsFree,
];

function regionExists(environment: unknown): Problem[] {
  const region = text(environment, ['region']);
  if (region === undefined || !REGION.test(region) || REGIONS.includes(region)) return [];
  const near = nearest(region, REGIONS, 3);
  return [
    {
      path: ['region'],
      code: 'REGION_UNKNOWN',
      fault: `is ${valueText(region)}, a region that aws-cdk-lib does not know`,
      allowed: near.length > 0 ? `${near.join(', ')} and others` : undefined,
      remedy: near.length > 0 ? `write ${near[0]}; for a new region, update aws-cdk-lib` : 'update aws-cdk-lib',
    },
  ];
}

const REGION = /^[a-z]{2}(-[a-z]+)+-[0-9]$/;
const REGIONS = RegionInfo.regions.map(({ name }) => name);

/** The region, if it is one, so that what depends on it is judged. */
function knownRegion(environment: unknown): string | undefined {
  const region = text(environment, ['region']);
  return region !== undefined && REGIONS.includes(region) ? region : undefined;
}

function knownAccount(environment: unknown): string | undefined {
  const account = text(environment, ['account']);
  return account !== undefined && /^\d{12}$/.test(account) ? account : undefined;
}

function newOrGivenVpc(environment: unknown): Problem[] {
  if (at(environment, ['network', 'vpcId']) === undefined) return [];
  return ['cidr', 'availabilityZones']
    .filter((key) => at(environment, ['network', key]) !== undefined)
    .map((key) => ({
      path: ['network', key],
      code: 'NETWORK_TWOFOLD',
      fault: 'is of a new VPC, but network.vpcId names one that exists',
      remedy: `take ${key} out, or vpcId`,
      atKey: true,
    }));
}

function cidrIsANetwork(environment: unknown): Problem[] {
  const path = ['network', 'cidr'];
  const [cidr, address, length] = /^([0-9.]+)\/(1[6-9]|2[0-2])$/.exec(text(environment, path) ?? '') ?? [];
  if (cidr === undefined) return [];
  const bytes = address.split('.').map(Number);
  const number = bytes.reduce((sum, byte) => sum * 256 + byte, 0);
  const size = 2 ** (32 - Number(length));
  if (isIPv4(address) && number % size === 0) return [];
  const first = number - (number % size);
  const network = [24, 16, 8, 0].map((shift) => Math.floor(first / 2 ** shift) % 256).join('.');
  return [
    {
      path,
      code: 'CIDR_INVALID',
      fault: `is ${valueText(cidr)}, which is not the address of a network`,
      allowed: 'the first address of an IPv4 range from /16 to /22, for instance 10.40.0.0/16',
      remedy: isIPv4(address) ? `write ${network}/${length}` : undefined,
    },
  ];
}

function zonesOfTheRegion(environment: unknown): Problem[] {
  const region = knownRegion(environment);
  const given = at(environment, ['network', 'availabilityZones']);
  const zones: unknown[] = Array.isArray(given) ? given : [];
  return zones.flatMap((zone, index): Problem[] => {
    const path = ['network', 'availabilityZones', index];
    if (typeof zone !== 'string') return [];
    if (zones.indexOf(zone) < index) {
      return [{ path, code: 'ZONE_DUPLICATE', fault: `is ${valueText(zone)} again`, remedy: 'name another zone' }];
    }
    if (region === undefined || (zone.startsWith(region) && /^[a-z]$/.test(zone.slice(region.length)))) return [];
    const fault = `is ${valueText(zone)}, which is not a zone of ${region}`;
    return [{ path, code: 'ZONE_ELSEWHERE', fault, allowed: `${region}a, ${region}b and so on` }];
  });
}

function certificateOfTheRegion(environment: unknown): Problem[] {
  const path = ['domain', 'certificateArn'];
  const [arn, ...parts] = /^arn:[^:]+:acm:([^:]+):([^:]+):/.exec(text(environment, path) ?? '') ?? [];
  if (arn === undefined) return [];
  const wanted = { region: knownRegion(environment), account: knownAccount(environment) };
  return Object.entries(wanted).flatMap(([key, ours], index): Problem[] => {
    if (ours === undefined || ours === parts[index]) return [];
    return [
      {
        path,
        code: `CERTIFICATE_${key.toUpperCase()}`,
        fault: `is in ${key} ${parts[index]}, but the load balancer is in ${ours}`,
        allowed: `a certificate in ${key} ${ours}`,
        remedy: `request it there, or mend ${key}`,
      },
    ];
  });
}

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

function minUpToMax(environment: unknown, minKey: string, maxKey: string, defaults: [number, number]): Problem[] {
  const given = [minKey, maxKey].map((key) => at(environment, ['superset', key]));
  const [min, max] = given.map((value, index) => value ?? defaults[index]);
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

const EMAIL = /^[^@\s]{1,64}@([^@\s.]+\.)+[^@\s.]+$/;

function emailAddresses(environment: unknown): Problem[] {
  const given = at(environment, ['alarms', 'emails']);
  const emails: unknown[] = Array.isArray(given) ? given : [];
  return emails.flatMap((email, index): Problem[] => {
    const path = ['alarms', 'emails', index];
    if (typeof email !== 'string') return [];
    if (!EMAIL.test(email)) {
      return [{ path, code: 'EMAIL_INVALID', fault: `is ${valueText(email)}`, allowed: 'an e-mail address' }];
    }
    if (emails.indexOf(email) === index) return [];
    return [{ path, code: 'EMAIL_DUPLICATE', fault: `is ${valueText(email)} again`, remedy: 'take it out' }];
  });
}

/** Keys that only the model with a database for each tenant reads; there they must fit together. */
function ofModel(environment: unknown): Problem[] {
  const tenants = at(environment, ['tenants']);
  switch (text(environment, ['model'])) {
    case TenancyModel.DATABASE_PER_TENANT:
      return [
        ...shardRuleProblems(tenants, at(environment, ['shards']), at(environment, ['defaultShards'])),
        ...ownKeyProblems(tenants, at(environment, ['shards']), at(environment, ['proxy', 'authentication'])),
        ...idleUpToMost(environment),
        ...safeExtensions(environment),
        ...shardsOf(environment).flatMap((_, index) => safePostgres(environment, ['shards', index, 'postgresVersion'])),
      ];
    case TenancyModel.SHARED_RLS: {
      const places: Path[] = [
        ['shards'],
        ['defaultShards'],
        ['proxy'],
        ['data', 'extensions'],
        ...(Array.isArray(tenants) ? tenants : []).flatMap((_, index) =>
          ['shard', 'ownKey', 'loader', 'ownWorkers'].map((key) => ['tenants', index, key]),
        ),
      ];
      return places
        .filter((path) => ![undefined, false].includes(at(environment, path) as undefined))
        .map((path) => ({
          path,
          code: 'MODEL_WITHOUT',
          fault: `is of model ${TenancyModel.DATABASE_PER_TENANT}, but model is ${TenancyModel.SHARED_RLS}`,
          remedy: 'take it out, or change model',
          atKey: true,
        }));
    }
    default:
      return [];
  }
}

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

/** Extensions that lead out of the database, or let a tenant run what it likes in the server. */
const UNSAFE_EXTENSIONS =
  /^(dblink|postgres_fdw|.*_fdw|adminpack|aws_.*|rds_tools|pg_cron|pg_transport|pglogical|pl(perl|python|tcl|v8|rust).*|lo|pageinspect|pg_visibility)$/;

function safeExtensions(environment: unknown): Problem[] {
  const given = at(environment, ['data', 'extensions']);
  return (Array.isArray(given) ? given : []).flatMap((name, index): Problem[] => {
    if (typeof name !== 'string') return [];
    const path = ['data', 'extensions', index];
    if (!/^[a-z][a-z0-9_-]{0,62}$/.test(name)) {
      return [{ path, code: 'EXTENSION_INVALID', fault: `is ${valueText(name)}`, allowed: 'the name of an extension' }];
    }
    if (!UNSAFE_EXTENSIONS.test(name)) return [];
    return [
      {
        path,
        code: 'EXTENSION_UNSAFE',
        fault: `is ${valueText(name)}, which leads out of a tenant's database, or runs what a tenant likes in the server`,
        remedy: 'take it out',
      },
    ];
  });
}

/** Schemas of PostgreSQL and of this library. Everybody may look into `public`, which RDS makes in every database. */
function schemaIsFree(environment: unknown): Problem[] {
  const path = ['data', 'schema'];
  const schema = text(environment, path);
  if (schema === undefined || !/^(pg_|information_schema$|public$|tenancy|tenant_)/.test(schema)) return [];
  return [
    {
      path,
      code: 'SCHEMA_RESERVED',
      fault: `is ${valueText(schema)}, a schema of PostgreSQL or of this library`,
      remedy: 'give the tables a schema of their own, for instance analytics',
    },
  ];
}

function contentIsABundle(environment: unknown, directory: string): Problem[] {
  const path = ['superset', 'contentBundle'];
  const file = text(environment, path);
  if (file === undefined || !/^[^\p{Cc}]{1,1024}$/u.test(file)) return [];
  const problem = contentBundleProblem(resolve(directory, file));
  return problem ? [{ path, ...problem }] : [];
}

/** What is at a path, or undefined. */
function at(value: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (inner, key) =>
      typeof inner === 'object' && inner !== null && Object.hasOwn(inner, key)
        ? (inner as Record<string | number, unknown>)[key]
        : undefined,
    value,
  );
}

function text(value: unknown, path: Path): string | undefined {
  const found = at(value, path);
  return typeof found === 'string' && !Token.isUnresolved(found) ? found : undefined;
}
