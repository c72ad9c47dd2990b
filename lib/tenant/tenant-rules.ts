import { Token } from 'aws-cdk-lib';
import { ProxyAuthentication } from '../database/proxy-authentication';
import { TenantColumn, TenantColumnType, TenantTable } from '../database/tenant-table';
import { nearest } from '../validation/nearest';
import { Path, Problem, pathText, valueText } from '../validation/problem';
import { propertyProblems, schemaProblems } from '../validation/schema';
import { reservedFor } from './reserved-ids';
import { Tenant } from './tenant';

/**
 * What is wrong with the tenants of one server, their column and their tables; none if all is well.
 *
 * Paths begin with `tenants`, `tenantColumn` and `tables`. Values that are CDK tokens are not judged.
 */
export function tenantProblems(
  tenants: readonly Tenant[],
  column: TenantColumn,
  tables: readonly TenantTable[],
): Problem[] {
  return [
    ...tenants.flatMap((tenant, index) => below(['tenants', index], schemaProblems('Tenant', tenant))),
    ...below(['tenantColumn'], schemaProblems('TenantColumn', column)),
    ...propertyProblems('EnvironmentData', 'tables', tables, ['tables']),
    ...missingValues(tenants),
    ...tenantRuleProblems(tenants, column, tables),
  ];
}

/** Tenants without the value that says which rows of a shared table are theirs. */
export function missingValues(tenants: unknown): Problem[] {
  return (Array.isArray(tenants) ? tenants : []).flatMap((tenant, index) =>
    missingKeys(tenant, ['tenants', index], {
      value: 'what the tenant column holds in the rows of this tenant, a text of 1 to 128 characters',
    }),
  );
}

/**
 * Keys that are needed here although the schema does not ask for them. One that was misspelled is not missed, too: the schema says so.
 *
 * @param keys with what is allowed.
 */
export function missingKeys(value: unknown, path: Path, keys: Record<string, string>): Problem[] {
  if (typeof value !== 'object' || value === null) return [];
  const given = Object.keys(value).filter((key) => field(value, key) !== undefined);
  return Object.entries(keys)
    .filter(([key]) => !given.includes(key) && nearest(key, given, 1).length === 0)
    .map(([key, allowed]) => ({
      path: [...path, key],
      code: 'KEY_MISSING',
      fault: `is missing, which model shared-rls needs`,
      allowed,
      remedy: `add ${key}`,
    }));
}

/**
 * The problems that the schema does not see. Whatever is not of its type is passed over: the schema says that.
 *
 * @param data path of what holds the column and the tables.
 */
export function tenantRuleProblems(tenants: unknown, column: unknown, tables: unknown, data: Path = []): Problem[] {
  const ids = texts(tenants, ['tenants'], 'id');
  const values = texts(tenants, ['tenants'], 'value');
  const type = field(column, 'type');
  return [
    ...duplicates(ids, 'TENANT_ID_DUPLICATE', 'give each tenant an id of its own'),
    ...ids.flatMap(reservedId),
    ...duplicates(
      values,
      'TENANT_VALUE_DUPLICATE',
      'give each tenant its own value, or its rows belong to two',
      (each) => (type === TenantColumnType.UUID ? each.toLowerCase() : each),
    ),
    ...values.filter(({ text }) => text !== '').flatMap((value) => valueOfType(value, type)),
    ...sharedAdmins(tenants),
    ...systemColumn(field(column, 'name'), [...data, 'tenantColumn', 'name']),
    ...duplicates(
      texts(tables, [...data, 'tables'], 'name'),
      'TABLE_DUPLICATE',
      'declare each table once, with one strategy',
    ),
  ];
}

/** What is wrong with some of the tenants of one Superset, whatever the model; none if all is well. */
export function someTenantsProblems(tenants: readonly Tenant[]): Problem[] {
  return [
    ...tenants.flatMap((tenant, index) => below(['tenants', index], schemaProblems('Tenant', tenant))),
    ...tenantRuleProblems(tenants, undefined, undefined),
  ];
}

/**
 * What is wrong with tenants that have a database each, and with the shards that these are on; none if all is well.
 *
 * Paths begin with `tenants`, `shards` and `defaultShards`. Values that are CDK tokens are not judged.
 */
export function databaseTenantProblems(
  tenants: readonly Tenant[],
  shards: readonly { readonly name: string; readonly onlyFor?: string }[],
  defaultShards?: readonly string[],
  authentication?: ProxyAuthentication,
): Problem[] {
  return [
    ...propertyProblems('Environment', 'tenants', tenants, ['tenants']),
    ...tenantRuleProblems(tenants, undefined, undefined),
    ...propertyProblems(
      'Environment',
      'shards',
      shards.map(({ name, onlyFor }) => ({ name, onlyFor })),
      ['shards'],
    ),
    ...propertyProblems('Environment', 'defaultShards', defaultShards, ['defaultShards']),
    ...shardRuleProblems(tenants, shards, defaultShards),
    ...ownKeyProblems(tenants, shards, authentication),
  ];
}

/** What is wrong with a tenant, whatever the model; none if all is well. Values that are CDK tokens are not judged. */
export function oneTenantProblems(tenant: Tenant): Problem[] {
  return [...schemaProblems('Tenant', tenant), ...tenantRuleProblems([tenant], undefined, undefined)];
}

/**
 * Tenants whose own key would encrypt nothing that their rows are reached by: with IAM authentication they have no secret, and the
 * storage of a server that others use, too, is not under it. Whatever is not of its type is passed over: the schema says that.
 */
export function ownKeyProblems(tenants: unknown, shards: unknown, authentication: unknown): Problem[] {
  if (authentication !== ProxyAuthentication.IAM) return [];
  const isOn = (shard: unknown, tenant: unknown) =>
    field(shard, 'onlyFor') === field(tenant, 'id') &&
    [undefined, field(shard, 'name')].includes(field(tenant, 'shard'));
  return (Array.isArray(tenants) ? tenants : []).flatMap((tenant, index): Problem[] =>
    field(tenant, 'ownKey') !== true || (Array.isArray(shards) && shards.some((shard) => isOn(shard, tenant)))
      ? []
      : [
          {
            path: ['tenants', index, 'ownKey'],
            code: 'OWN_KEY_CUTS_NOBODY_OFF',
            fault:
              'is true, but with proxy.authentication iam it has no secret that the key encrypts, and others use its server',
            remedy: `give it a shard of its own (onlyFor: ${String(field(tenant, 'id'))}), whose storage is under the key; or set proxy.authentication to secrets`,
          },
        ],
  );
}

/** What is wrong with the names of servers that are given to a construct; none if all is well. */
export function shardNameProblems(shards: readonly { readonly name: string }[]): Problem[] {
  return [
    ...shards.flatMap(({ name }, index) =>
      propertyProblems('EnvironmentShard', 'name', name, ['shards', index, 'name']),
    ),
    ...duplicates(texts(shards, ['shards'], 'name'), 'SHARD_DUPLICATE', 'give each shard a name of its own'),
  ];
}

/** Tenants that are said to be on servers that are not there. */
export function placeProblems(
  tenants: readonly { readonly shard: string }[],
  shards: readonly { readonly name: string }[],
): Problem[] {
  return unknownShards(
    texts(tenants, ['tenants'], 'shard'),
    shards.map(({ name }) => name),
  );
}

/** The problems of shards that the schema does not see. Whatever is not of its type is passed over: the schema says that. */
export function shardRuleProblems(tenants: unknown, shards: unknown, defaultShards: unknown): Problem[] {
  const names = shards === undefined ? [{ path: [], text: 'a' }] : texts(shards, ['shards'], 'name');
  const owners = texts(shards, ['shards'], 'onlyFor');
  const known = names.map(({ text }) => text);
  const ownerOf = (shard: string) =>
    field(
      (Array.isArray(shards) ? shards : []).find((each) => field(each, 'name') === shard),
      'onlyFor',
    );
  return [
    ...duplicates(names, 'SHARD_DUPLICATE', 'give each shard a name of its own'),
    ...duplicates(owners, 'SHARD_OWNER_DUPLICATE', 'one server for a tenant is enough'),
    ...owners.flatMap((owner) => unknownOwner(owner, tenants)),
    ...unknownShards(listed(defaultShards, ['defaultShards']), known),
    ...listed(defaultShards, ['defaultShards']).flatMap(({ path, text }): Problem[] =>
      ownerOf(text) === undefined
        ? []
        : [{ path, code: 'SHARD_TAKEN', fault: `is ${valueText(text)}, which is only for tenant ${ownerOf(text)}` }],
    ),
    ...duplicates(listed(defaultShards, ['defaultShards']), 'SHARD_DUPLICATE', 'name each shard once'),
    ...unknownShards(texts(tenants, ['tenants'], 'shard'), known),
    ...texts(tenants, ['tenants'], 'shard').flatMap((shard) => foreignShard(shard, tenants, ownerOf)),
    ...noDefault(tenants, shards, defaultShards),
  ];
}

function listed(list: unknown, path: Path): Text[] {
  return (Array.isArray(list) ? list : []).flatMap((text, index): Text[] =>
    typeof text === 'string' && !Token.isUnresolved(text) ? [{ path: [...path, index], text }] : [],
  );
}

function unknownShards(given: Text[], known: string[]): Problem[] {
  return given
    .filter(({ text }) => !known.includes(text))
    .map(({ path, text }) => ({
      path,
      code: 'SHARD_UNKNOWN',
      fault: `is ${valueText(text)}, which is no shard`,
      allowed: known.join(', '),
      remedy: 'write the name of one, or add it to shards',
    }));
}

function unknownOwner({ path, text }: Text, tenants: unknown): Problem[] {
  const ids = texts(tenants, ['tenants'], 'id').map(({ text: id }) => id);
  if (ids.includes(text)) return [];
  return [
    {
      path,
      code: 'SHARD_OWNER_UNKNOWN',
      fault: `is ${valueText(text)}, which is no tenant`,
      remedy: 'write the id of a tenant, or take onlyFor out',
    },
  ];
}

function foreignShard({ path, text }: Text, tenants: unknown, ownerOf: (shard: string) => unknown): Problem[] {
  const owner = ownerOf(text);
  const id = field(field(tenants, path[1]), 'id');
  if (owner === undefined || owner === id) return [];
  return [
    {
      path,
      code: 'SHARD_TAKEN',
      fault: `is ${valueText(text)}, which is only for tenant ${owner}`,
      remedy: 'name another shard, or take onlyFor out of that one',
    },
  ];
}

/** A tenant that names no shard needs one that is for any tenant. */
function noDefault(tenants: unknown, shards: unknown, defaultShards: unknown): Problem[] {
  if (!Array.isArray(shards) || !Array.isArray(tenants) || defaultShards !== undefined) return [];
  if (shards.length === 0 || shards.some((shard) => field(shard, 'onlyFor') === undefined)) return [];
  const owners = shards.map((shard) => field(shard, 'onlyFor'));
  return tenants.flatMap((tenant, index): Problem[] =>
    field(tenant, 'shard') !== undefined || owners.includes(field(tenant, 'id'))
      ? []
      : [
          {
            path: ['tenants', index],
            code: 'SHARD_MISSING',
            fault: 'has no shard: each is only for another tenant',
            remedy: 'add a shard without onlyFor',
          },
        ],
  );
}

interface Text {
  readonly path: Path;
  readonly text: string;
}

function texts(list: unknown, path: Path, key: string): Text[] {
  return (Array.isArray(list) ? list : []).flatMap((entry, index): Text[] => {
    const text = field(entry, key);
    return typeof text === 'string' && !Token.isUnresolved(text) ? [{ path: [...path, index, key], text }] : [];
  });
}

function field(value: unknown, key: string | number): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string | number, unknown>)[key] : undefined;
}

function duplicates(
  given: Text[],
  code: string,
  remedy: string,
  same: (text: string) => string = (text) => text.toLowerCase(),
): Problem[] {
  const first = new Map<string, Text>();
  return given.flatMap(({ path, text }): Problem[] => {
    const before = first.get(same(text));
    if (!before) {
      first.set(same(text), { path, text });
      return [];
    }
    const but = before.text === text ? '' : ` (${before.text}): only the case of letters differs`;
    return [{ path, code, fault: `is ${valueText(text)}, as is ${pathText(before.path)}${but}`, remedy }];
  });
}

/** Each of those that share an address is told of another one, so that all their lines are named. */
function sharedAdmins(tenants: unknown): Problem[] {
  const byAddress = new Map<string, Text[]>();
  for (const email of texts(tenants, ['tenants'], 'adminEmail')) {
    const address = email.text.toLowerCase();
    const sharing = byAddress.get(address);
    if (sharing) sharing.push(email);
    else byAddress.set(address, [email]);
  }
  const idOf = ({ path: [, index] }: Text) => field(field(tenants, index), 'id');
  return [...byAddress.values()]
    .filter((sharing) => sharing.length > 1)
    .flatMap((sharing) => sharing.map((email, index) => [email, sharing[index === 0 ? 1 : 0]]))
    .map(([email, other]) => ({
      path: email.path,
      code: 'ADMIN_EMAIL_DUPLICATE',
      fault: `is ${valueText(email.text)} for tenant ${valueText(idOf(email))}, as for tenant ${valueText(idOf(other))} (${pathText(other.path)})`,
      allowed: 'an address for each tenant, whatever the case of its letters: a user of Superset belongs to one',
      remedy: `give each its own, for instance ${email.text.replace('@', `+${idOf(email)}@`)}`,
    }));
}

function reservedId({ path, text }: Text): Problem[] {
  const owner = reservedFor(text.toLowerCase());
  if (!owner) return [];
  return [
    {
      path,
      code: 'TENANT_ID_RESERVED',
      fault: `is ${valueText(text)}, which is ${owner}`,
      remedy: 'choose an opaque id, for instance tk4q9w',
    },
  ];
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const INTEGER = /^(0|-?[1-9][0-9]{0,18})$/;
const [LEAST_BIGINT, MOST_BIGINT] = [-(2n ** 63n), 2n ** 63n - 1n];

function valueOfType({ path, text }: Text, type: unknown): Problem[] {
  const problem = (allowed: string, remedy?: string): Problem[] => [
    {
      path,
      code: 'TENANT_VALUE_TYPE',
      fault: `is ${valueText(text)}, which is not a ${String(type)} as the tenant column holds it`,
      allowed,
      remedy,
    },
  ];
  switch (type) {
    case TenantColumnType.UUID: {
      const lower = text.toLowerCase();
      if (UUID.test(text)) return [];
      return problem(
        'a UUID in its canonical form: 8-4-4-4-12 digits 0 to 9 and a to f in lower case',
        UUID.test(lower) ? `write ${lower}` : undefined,
      );
    }
    case TenantColumnType.BIGINT:
      if (INTEGER.test(text) && BigInt(text) >= LEAST_BIGINT && BigInt(text) <= MOST_BIGINT) return [];
      return problem(
        `a whole number from ${LEAST_BIGINT} to ${MOST_BIGINT} in decimal, without leading zeros or a plus`,
      );
    case TenantColumnType.TEXT:
      if (!/\p{C}/u.test(text) && text.trim() === text) return [];
      return problem('a text without control or other invisible characters, and without blanks around it');
    default:
      return [];
  }
}

/** PostgreSQL Documentation, "System Columns". */
const SYSTEM_COLUMNS = ['tableoid', 'xmin', 'cmin', 'xmax', 'cmax', 'ctid'];

function systemColumn(name: unknown, path: Path): Problem[] {
  if (!SYSTEM_COLUMNS.includes(name as string)) return [];
  return [
    {
      path,
      code: 'TENANT_COLUMN_RESERVED',
      fault: `is ${valueText(name)}, a column that PostgreSQL gives to every table`,
      remedy: 'name the column of your tables that says whose the row is',
    },
  ];
}

function below(path: Path, problems: Problem[]): Problem[] {
  return problems.map((problem) => ({ ...problem, path: [...path, ...problem.path] }));
}
