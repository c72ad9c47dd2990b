import { Fn, Lazy } from 'aws-cdk-lib';
import { environmentProblems } from '../../lib/environment/environment-rules';
import { ConfigurationError } from '../../lib/validation/configuration-error';
import { databaseExample, example, instanceExample } from '../tenancy/environments';
import { Given, MAKERS, TENANT } from './makers';
import { publicProps } from './public-props';

/** A value of an environment, and what is refused of it. */
interface Rule {
  /** Where a file has it. */
  readonly inFile: (value: never) => unknown;
  readonly good: unknown;
  /** Each bad value, and the code that it is refused with. */
  readonly bad: readonly (readonly [value: unknown, code: string])[];
  /** A value that only the deployment knows. @default - the value has to be known at synthesis */
  readonly token?: () => unknown;
  /** What the constructs that take it call it. */
  readonly keys: readonly string[];
  /** Constructs that take the key for something else, or hand it on to an `Environment`. */
  readonly but?: readonly string[];
}

const text = () => Lazy.string({ produce: () => 'later' });
const tooLong = `${'a'.repeat(60)}@${'b'.repeat(60)}.example`;
const arn = (place: string) => `arn:aws:acm:${place}:certificate/5b0d6e0c-7f7f-4c55-9b0d-6a8f3c1c2d4e`;

const RULES: Record<string, Rule> = {
  tenant: {
    inFile: (tenant) => example({ tenants: [tenant] }),
    good: TENANT,
    bad: [
      [{ ...TENANT, id: 'Acme; drop table x' }, 'VALUE_INVALID'],
      [{ ...TENANT, id: '' }, 'VALUE_INVALID'],
      [{ ...TENANT, id: 'a'.repeat(32) }, 'VALUE_INVALID'],
      [{ ...TENANT, id: 'select' }, 'TENANT_ID_RESERVED'],
      [{ ...TENANT, id: 'pg_acme' }, 'TENANT_ID_RESERVED'],
      [{ ...TENANT, displayName: 'two\nlines' }, 'VALUE_INVALID'],
      [{ ...TENANT, displayName: undefined }, 'KEY_MISSING'],
      [{ ...TENANT, adminEmail: 'nobody' }, 'VALUE_INVALID'],
      [{ ...TENANT, adminEmail: `${tooLong}` }, 'VALUE_INVALID'],
      [{ ...TENANT, value: '' }, 'VALUE_INVALID'],
      [{ ...TENANT, tier: 'gold' }, 'VALUE_UNKNOWN'],
      [{ ...TENANT, removalPolicy: 'snapshot' }, 'VALUE_UNKNOWN'],
      [{ ...TENANT, limits: { connections: 0 } }, 'VALUE_INVALID'],
      [{ ...TENANT, limits: { connections: 501 } }, 'VALUE_INVALID'],
      [{ ...TENANT, limits: { statementTimeoutSeconds: 3601 } }, 'VALUE_INVALID'],
      [{ ...TENANT, limits: { workMemMiB: 1.5 } }, 'TYPE_WRONG'],
      [{ ...TENANT, limits: { conections: 5 } }, 'KEY_UNKNOWN'],
    ],
    keys: ['tenant', 'tenants', 'onlyFor'],
  },
  'tenants, none': {
    inFile: (tenants) => example({ tenants }),
    good: [TENANT],
    bad: [[[], 'LIST_LENGTH']],
    keys: ['tenants'],
    // A batch may be empty, and these take tenants together with their logins.
    but: ['TenantDatabasesProps', 'OwnDatabasesProps', 'SupersetServiceProps'],
  },
  schema: {
    inFile: (schema) => databaseExample({ data: { schema } }),
    good: 'analytics',
    bad: [
      ['', 'VALUE_INVALID'],
      ['Ana"lytics; drop', 'VALUE_INVALID'],
      ['a'.repeat(64), 'VALUE_INVALID'],
      ['pg_catalog', 'SCHEMA_RESERVED'],
      ['information_schema', 'SCHEMA_RESERVED'],
      ['public', 'SCHEMA_RESERVED'],
      ['tenancy', 'SCHEMA_RESERVED'],
      ['tenant_tk4q9w', 'SCHEMA_RESERVED'],
    ],
    token: text,
    keys: ['schema', 'ownSchema'],
  },
  extensions: {
    inFile: (extensions) => databaseExample({ data: { extensions } }),
    good: ['pg_trgm'],
    bad: [
      [['dblink'], 'EXTENSION_UNSAFE'],
      [['pg_trgm', 'postgres_fdw'], 'EXTENSION_UNSAFE'],
      [['plpython3u'], 'EXTENSION_UNSAFE'],
      [['DBLINK'], 'EXTENSION_INVALID'],
      [['x"; drop'], 'EXTENSION_INVALID'],
      [[5], 'TYPE_WRONG'],
    ],
    token: () => [text()],
    keys: ['extensions'],
  },
  tables: {
    inFile: (tables) => example({ data: { ...example().data, tables } }),
    good: [{ name: 'orders', strategy: 'column' }],
    bad: [
      [[], 'LIST_LENGTH'],
      [[{ name: 'a; drop', strategy: 'column' }], 'VALUE_INVALID'],
      [[{ name: 'orders', strategy: 'none' }], 'VALUE_UNKNOWN'],
      [['a', 'A'].map(() => ({ name: 'orders', strategy: 'column' })), 'TABLE_DUPLICATE'],
    ],
    keys: ['tables'],
  },
  tenantColumn: {
    inFile: (tenantColumn) => example({ data: { ...example().data, tenantColumn } }),
    good: { name: 'tenant_id', type: 'uuid' },
    bad: [
      [{ name: 'ctid', type: 'uuid' }, 'TENANT_COLUMN_RESERVED'],
      [{ name: 'a b', type: 'uuid' }, 'VALUE_INVALID'],
      [{ name: 'tenant_id', type: 'json' }, 'VALUE_UNKNOWN'],
      [{ name: 'tenant_id', type: 'bigint' }, 'TENANT_VALUE_TYPE'],
    ],
    keys: ['tenantColumn'],
  },
  shards: {
    inFile: (shards) => databaseExample({ shards, defaultShards: undefined, tenants: [TENANT] }),
    good: [{ name: 'a' }],
    bad: [
      [[{ name: 'A-1' }], 'VALUE_INVALID'],
      [[{ name: '' }], 'VALUE_INVALID'],
      [[{ name: 'a' }, { name: 'a' }], 'SHARD_DUPLICATE'],
    ],
    keys: ['shards'],
  },
  domainName: {
    inFile: (name) => example({ domain: { ...example().domain, name } }),
    good: 'bi.example.com',
    bad: [
      ['', 'VALUE_INVALID'],
      ['https://superset.example.com', 'VALUE_INVALID'],
      ['Superset.example.com', 'VALUE_INVALID'],
      ['*.example.com', 'VALUE_INVALID'],
      [`${'a.'.repeat(130)}com`, 'VALUE_INVALID'],
    ],
    token: text,
    keys: ['domainName'],
  },
  certificate: {
    inFile: (certificate: { readonly certificateArn: string }) =>
      example({
        ...{ account: '123456789012', region: 'eu-central-1' },
        domain: { ...example().domain, certificateArn: certificate.certificateArn },
      }),
    good: { certificateArn: arn('eu-central-1:123456789012') },
    bad: [
      [{ certificateArn: 'arn:aws:iam::123456789012:server-certificate/x' }, 'VALUE_INVALID'],
      [{ certificateArn: arn('us-east-1:123456789012') }, 'CERTIFICATE_REGION'],
      [{ certificateArn: arn('eu-central-1:210987654321') }, 'CERTIFICATE_ACCOUNT'],
    ],
    token: () => ({ certificateArn: Fn.importValue('certificate') }),
    keys: ['certificate'],
  },
  allowedNetworks: {
    inFile: (allowedNetworks) =>
      instanceExample({
        tenants: instanceExample().tenants.map((each) => ({ ...each, instance: { allowedNetworks } })),
      }),
    good: ['203.0.113.0/24'],
    bad: [
      [['0.0.0.0/0'], 'CIDR_EVERYWHERE'],
      [['300.0.0.0/8'], 'CIDR_INVALID'],
      [['203.0.113.7'], 'CIDR_INVALID'],
    ],
    token: () => [text()],
    keys: ['allowedNetworks'],
  },
  emails: {
    inFile: (emails) => example({ alarms: { emails } }),
    good: ['platform@example.com'],
    bad: [
      [['platform'], 'EMAIL_INVALID'],
      [['a@example.com', 'a@example.com'], 'EMAIL_DUPLICATE'],
    ],
    token: () => [text()],
    keys: ['emails', 'alarmEmails'],
  },
  allowedFunctions: {
    inFile: (allowedFunctions) => example({ superset: { ...example().superset, allowedFunctions } }),
    good: ['analytics.margin'],
    bad: [
      [['margin(int)'], 'FUNCTION_NAME_INVALID'],
      [Array.from({ length: 201 }, (_, index) => `f${index}`), 'LIST_LENGTH'],
    ],
    keys: ['allowedFunctions'],
  },
  brand: {
    inFile: (brand) => example({ superset: { ...example().superset, brand } }),
    good: { name: 'Northwind' },
    bad: [
      [{ name: '<b>' }, 'VALUE_INVALID'],
      [{ primaryColor: '#ffffff' }, 'BRAND_CONTRAST'],
    ],
    keys: ['brand'],
  },
  contentBundle: {
    inFile: (contentBundle) => example({ superset: { ...example().superset, contentBundle } }),
    good: example().superset.contentBundle,
    bad: [['/nowhere.zip', 'CONTENT_BUNDLE_UNREADABLE']],
    keys: ['contentBundle'],
  },
  connectionsPerProcess: {
    inFile: (connectionsPerProcess) => example({ superset: { ...example().superset, connectionsPerProcess } }),
    good: 5,
    bad: [
      [0, 'VALUE_INVALID'],
      [21, 'VALUE_INVALID'],
    ],
    keys: ['connectionsPerProcess'],
  },
  ...Object.fromEntries(
    ['minWebTasks', 'maxWebTasks', 'minWorkerTasks', 'maxWorkerTasks'].map((key): [string, Rule] => [
      key,
      {
        inFile: (tasks) => example({ superset: { ...example().superset, [key]: tasks } }),
        good: 2,
        bad: [
          [0, 'VALUE_INVALID'],
          [101, 'VALUE_INVALID'],
          [1.5, 'TYPE_WRONG'],
        ],
        keys: [key],
      },
    ]),
  ),
  cidr: {
    inFile: (cidr) => example({ network: { cidr } }),
    good: '10.40.0.0/16',
    bad: [
      ['10.40.0.0/8', 'VALUE_INVALID'],
      ['10.40.0.1/16', 'CIDR_INVALID'],
      ['999.40.0.0/16', 'CIDR_INVALID'],
    ],
    keys: ['cidr'],
  },
  availabilityZones: {
    inFile: (availabilityZones) => example({ network: { availabilityZones } }),
    good: ['eu-central-1a', 'eu-central-1b'],
    bad: [
      [['eu-central-1a'], 'LIST_LENGTH'],
      [['eu-central-1a', 'eu-central-1a'], 'ZONE_DUPLICATE'],
      [['eu-central-1a', 'us-east-1b'], 'ZONE_ELSEWHERE'],
    ],
    keys: ['availabilityZones'],
  },
};

/** Each public construct that takes a value, with what it calls it. */
const TAKERS = Object.entries(RULES).flatMap(([value, rule]) =>
  takersOf(rule).map(([props, key]) => [value, props, key] as const),
);

describe.each(Object.entries(RULES))('%s', (value, { inFile, good, bad }) => {
  const codes = (given: unknown) => environmentProblems(inFile(given as never)).map(({ code }) => code);

  test('a file is refused for each bad value, and not for a good one', () => {
    expect(codes(good)).toEqual([]);
    for (const [each, code] of bad) expect(codes(each)).toContain(code);
  });

  test.each(TAKERS.filter(([name]) => name === value))(
    '%s: %s refuses by %s what the file refuses',
    (_, props, key) => {
      for (const [each, code] of bad) expect([each, codeOf(() => make(props, key, each))]).toEqual([each, code]);
      expect(codeOf(() => make(props, key, good))).toBe('');
    },
  );
});

test.each(TAKERS.filter(([value]) => RULES[value].token))(
  '%s: what only the deployment knows is left to it: %s, %s',
  (value, props, key) => {
    expect(codeOf(() => make(props, key, RULES[value].token!()))).toBe('');
  },
);

test('an error names the construct, the value and what is allowed', () => {
  expect(() => make('TenantSecretProps', 'tenant', { ...TENANT, id: 'Acme; drop table x' })).toThrow(
    'Prod/Secret: id is "Acme; drop table x"; allowed: 3 to 31 characters: a to z, 0 to 9 and _, starting with a letter [VALUE_INVALID]',
  );
});

test('all that is wrong is named at once', () => {
  const given = { ...TENANT, id: 'X', adminEmail: 'nobody', limits: { connections: 0 } };

  expect(() => make('TenantDatabasesProps', 'tenant', given)).toThrow(
    /tenants\[0\]\.id is "X".*\n.*tenants\[0\]\.limits\.connections is 0.*\n.*tenants\[0\]\.adminEmail is "nobody"/,
  );
});

/** Makes a construct with a value; a tenant as one of `tenants`, where there are several. */
function make(props: string, key: string, value: unknown): void {
  const given: Given = {
    [key === 'onlyFor' || (key === 'tenants' && !Array.isArray(value)) ? 'tenant' : key]: value,
  };
  MAKERS[props](given);
}

function codeOf(making: () => unknown): string {
  try {
    making();
    return '';
  } catch (error) {
    if (error instanceof ConfigurationError) return error.code;
    throw error;
  }
}

/** From the sources, so that a construct that is new cannot be left out. */
function takersOf({ keys, but = [] }: Rule): [props: string, key: string][] {
  const found = publicProps()
    .flatMap(([props, taken]) => keys.filter((key) => taken.includes(key)).map((key): [string, string] => [props, key]))
    .filter(([props]) => !but.includes(props));
  const siblings = ['TenantLoaderSecret', 'TenantMetadataSecret'].map((name): [string, string] => [name, 'tenant']);
  return keys.includes('tenant') ? [...found, ...siblings] : found;
}
