/** A good file, which each case spoils. */
export const GOOD = `account: '123456789012'
region: eu-central-1
model: shared-rls
network:
  cidr: 10.40.0.0/16
  availabilityZones: [eu-central-1a, eu-central-1b]
domain:
  name: superset.example.com
  certificateArn: arn:aws:acm:eu-central-1:123456789012:certificate/5b0d6e0c-7f7f-4c55-9b0d-6a8f3c1c2d4e
database:
  instanceClass: m7g.large
  storageGiB: 100
  postgresVersion: '17.9'
cache:
  nodeType: cache.t4g.small
superset:
  version: 6.1.0
  minWebTasks: 2
  maxWebTasks: 4
alarms:
  emails: [platform@example.com]
data:
  tenantColumn: { name: tenant_id, type: uuid }
  tables:
    - { name: orders, strategy: column }
    - { name: events, strategy: partitioned }
tenants:
  - id: tk4q9w
    value: 3f0d2c1e-8a57-4b6b-9c1f-52e7d1a0b864
    displayName: Northwind
    adminEmail: ada@northwind.example
  - id: tz81mm
    value: c7b1e9d4-05f2-4e3a-8d6c-9b24f7a1e053
    displayName: Contoso
    tier: basic
    adminEmail: ben@contoso.example
`;

/** What a case replaces in the good file, the first time that it stands there, with what. */
type Change = readonly [from: string, to: string];

/** What is bad, the changes that make it so, and the first line of each problem that is reported. */
export type BadFile = readonly [title: string, changes: Change[], problems: string[]];

export function spoiled(changes: readonly Change[]): string {
  return changes.reduce((text, [from, to]) => {
    if (!text.includes(from)) throw new Error(`The good file has no ${JSON.stringify(from)}.`);
    return text.replace(from, () => to);
  }, GOOD);
}
/** The bad files, in the order of: keys, duplicates, ids, texts and numbers, lists, values, tables, sizes, places, YAML. */
export const BAD_FILES: BadFile[] = [
  [
    'an unknown key with the key that was meant',
    [['region:', 'regoin:']],
    ['2:1: regoin is not a known key [KEY_UNKNOWN]'],
  ],
  [
    'an unknown key that nobody meant',
    [['region:', 'colour: blue\nregion:']],
    ['2:1: colour is not a known key [KEY_UNKNOWN]'],
  ],
  [
    'an unknown key of a tenant',
    [['    tier: basic', '    teir: basic']],
    ['35:5: tenants[1].teir is not a known key [KEY_UNKNOWN]'],
  ],
  [
    'an unknown key of a limit',
    [['    tier: basic', '    limits: { conections: 5 }']],
    ['35:15: tenants[1].limits.conections is not a known key [KEY_UNKNOWN]'],
  ],
  [
    'a key in capitals',
    [['    tier: basic', '    Tier: basic']],
    ['35:5: tenants[1].Tier is not a known key [KEY_UNKNOWN]'],
  ],
  [
    'data that says neither column nor tables',
    [
      ['  tenantColumn: { name: tenant_id, type: uuid }\n', ''],
      [
        '  tables:\n    - { name: orders, strategy: column }\n    - { name: events, strategy: partitioned }\n',
        '  schema: marts\n',
      ],
    ],
    [
      '23:3: data.tenantColumn is missing, which model shared-rls needs [KEY_MISSING]',
      '23:3: data.tables is missing, which model shared-rls needs [KEY_MISSING]',
    ],
  ],
  [
    'a tenant without the value of its rows',
    [['    value: c7b1e9d4-05f2-4e3a-8d6c-9b24f7a1e053\n', '']],
    ['32:5: tenants[1].value is missing, which model shared-rls needs [KEY_MISSING]'],
  ],
  [
    'a value under another name, told once',
    [['    value: c7b1', '    valeu: c7b1']],
    ['33:5: tenants[1].valeu is not a known key [KEY_UNKNOWN]'],
  ],
  ['a missing key', [["account: '123456789012'\n", '']], ['1:1: account is missing [KEY_MISSING]']],
  [
    'a missing key of a tenant',
    [['    displayName: Contoso\n', '']],
    ['32:5: tenants[1].displayName is missing [KEY_MISSING]'],
  ],
  [
    'a duplicate key',
    [['model: shared-rls', 'model: shared-rls\nregion: eu-west-1']],
    ['4:1: region is there already, in line 2 [KEY_DUPLICATE]'],
  ],
  [
    'a duplicate key but for the case',
    [['model: shared-rls', 'model: shared-rls\nRegion: eu-west-1']],
    ['4:1: Region is there already, in line 2 as region: only the case of letters differs [KEY_DUPLICATE]'],
  ],
  [
    'a duplicate key of a tenant',
    [['    tier: basic', '    tier: basic\n    tier: premium']],
    ['36:5: tenants[1].tier is there already, in line 35 [KEY_DUPLICATE]'],
  ],
  ['a key that is a number', [['network:', '1: x\nnetwork:']], ['4:1: the file has a key that is 1 [KEY_NO_TEXT]']],
  [
    'a key that is a list',
    [['network:', '? [a]\n: x\nnetwork:']],
    ['4:3: the file has a key that is not a single value [KEY_NO_TEXT]'],
  ],
  [
    'keys of the prototype',
    [['network:', '__proto__: { tier: basic }\nconstructor: 1\nnetwork:']],
    ['4:1: __proto__ is not a known key [KEY_UNKNOWN]', '5:1: constructor is not a known key [KEY_UNKNOWN]'],
  ],
  [
    'a duplicate tenant id',
    [['id: tz81mm', 'id: tk4q9w']],
    ['32:9: tenants[1].id is "tk4q9w", as is tenants[0].id [TENANT_ID_DUPLICATE]'],
  ],
  [
    'a duplicate tenant id but for the case',
    [['id: tz81mm', 'id: TK4Q9W']],
    [
      '32:9: tenants[1].id is "TK4Q9W" [VALUE_INVALID]',
      '32:9: tenants[1].id is "TK4Q9W", as is tenants[0].id (tk4q9w): only the case of letters differs [TENANT_ID_DUPLICATE]',
    ],
  ],
  [
    'a duplicate tenant value',
    [['c7b1e9d4-05f2-4e3a-8d6c-9b24f7a1e053', '3f0d2c1e-8a57-4b6b-9c1f-52e7d1a0b864']],
    [
      '33:12: tenants[1].value is "3f0d2c1e-8a57-4b6b-9c1f-52e7d1a0b864", as is tenants[0].value [TENANT_VALUE_DUPLICATE]',
    ],
  ],
  [
    'a duplicate tenant value but for the case',
    [['c7b1e9d4-05f2-4e3a-8d6c-9b24f7a1e053', '3F0D2C1E-8A57-4B6B-9C1F-52E7D1A0B864']],
    [
      '33:12: tenants[1].value is "3F0D2C1E-8A57-4B6B-9C1F-52E7D1A0B864", as is tenants[0].value (3f0d2c1e-8a57-4b6b-9c1f-52e7d1a0b864): only the case of letters differs [TENANT_VALUE_DUPLICATE]',
      '33:12: tenants[1].value is "3F0D2C1E-8A57-4B6B-9C1F-52E7D1A0B864", which is not a uuid as the tenant column holds it [TENANT_VALUE_TYPE]',
    ],
  ],
  [
    'a duplicate table',
    [['name: events', 'name: orders']],
    ['26:15: data.tables[1].name is "orders", as is data.tables[0].name [TABLE_DUPLICATE]'],
  ],
  [
    'an id that is SQL',
    [['id: tz81mm', 'id: "x; DROP TABLE orders"']],
    ['32:9: tenants[1].id is "x; DROP TABLE orders" [VALUE_INVALID]'],
  ],
  ['an id with a quote', [['id: tz81mm', 'id: t"x']], ['32:9: tenants[1].id is "t\\"x" [VALUE_INVALID]']],
  [
    'an id that is a key word',
    [['id: tz81mm', 'id: select']],
    ['32:9: tenants[1].id is "select", which is a key word of SQL [TENANT_ID_RESERVED]'],
  ],
  [
    'an id that is a key word since PostgreSQL 16',
    [['id: tz81mm', 'id: system_user']],
    ['32:9: tenants[1].id is "system_user", which is a key word of SQL [TENANT_ID_RESERVED]'],
  ],
  [
    'an id that begins with pg_',
    [['id: tz81mm', 'id: pg_monitor']],
    ['32:9: tenants[1].id is "pg_monitor", which is kept: ids may not begin with pg_ [TENANT_ID_RESERVED]'],
  ],
  [
    'an id that begins with rds',
    [['id: tz81mm', 'id: rdsadmin']],
    ['32:9: tenants[1].id is "rdsadmin", which is kept: ids may not begin with rds [TENANT_ID_RESERVED]'],
  ],
  [
    'an id that is postgres',
    [['id: tz81mm', 'id: postgres']],
    ['32:9: tenants[1].id is "postgres", which is kept: ids may not begin with postgres [TENANT_ID_RESERVED]'],
  ],
  [
    'an id that is public',
    [['id: tz81mm', 'id: public']],
    ['32:9: tenants[1].id is "public", which is kept: ids may not begin with public [TENANT_ID_RESERVED]'],
  ],
  [
    'an id that begins with template',
    [['id: tz81mm', 'id: template1']],
    ['32:9: tenants[1].id is "template1", which is kept: ids may not begin with template [TENANT_ID_RESERVED]'],
  ],
  [
    'an id that begins with the name of a schema of ours',
    [['id: tz81mm', 'id: tenancy_x']],
    ['32:9: tenants[1].id is "tenancy_x", which is kept: ids may not begin with tenancy [TENANT_ID_RESERVED]'],
  ],
  [
    'an id that begins with superset',
    [['id: tz81mm', 'id: superset']],
    ['32:9: tenants[1].id is "superset", which is kept: ids may not begin with superset [TENANT_ID_RESERVED]'],
  ],
  [
    'an id that begins with loader',
    [['id: tz81mm', 'id: loader']],
    ['32:9: tenants[1].id is "loader", which is kept: ids may not begin with loader [TENANT_ID_RESERVED]'],
  ],
  [
    'an id that is too long',
    [['id: tz81mm', 'id: ' + 'a'.repeat(32)]],
    ['32:9: tenants[1].id is "' + 'a'.repeat(32) + '" [VALUE_INVALID]'],
  ],
  ['an id that is too short', [['id: tz81mm', 'id: ab']], ['32:9: tenants[1].id is "ab" [VALUE_INVALID]']],
  [
    'an id with a letter beyond ASCII',
    [['id: tz81mm', 'id: tenäntx']],
    ['32:9: tenants[1].id is "tenäntx" [VALUE_INVALID]'],
  ],
  [
    'an id that begins with a digit',
    [['id: tz81mm', 'id: 9tenant']],
    ['32:9: tenants[1].id is "9tenant" [VALUE_INVALID]'],
  ],
  ['no as an id', [['id: tz81mm', 'id: no']], ['32:9: tenants[1].id is "no" [VALUE_INVALID]']],
  [
    'off as an id',
    [['id: tz81mm', 'id: off']],
    ['32:9: tenants[1].id is off, which other YAML readers take for false [YAML_AMBIGUOUS]'],
  ],
  [
    'yes as an id',
    [['id: tz81mm', 'id: yes']],
    ['32:9: tenants[1].id is yes, which other YAML readers take for true [YAML_AMBIGUOUS]'],
  ],
  ['true as an id', [['id: tz81mm', 'id: true']], ['32:9: tenants[1].id is true [TYPE_WRONG]']],
  ['null as an id', [['id: tz81mm', 'id: null']], ['32:9: tenants[1].id is null [TYPE_WRONG]']],
  ['nothing as an id', [['id: tz81mm', 'id:']], ['32:8: tenants[1].id is empty [TYPE_WRONG]']],
  ['a number as an id', [['id: tz81mm', 'id: 12']], ['32:9: tenants[1].id is 12 [TYPE_WRONG]']],
  ['an account without quotes', [["'123456789012'", '123456789012']], ['1:10: account is 123456789012 [TYPE_WRONG]']],
  [
    'an account with leading zeros',
    [["'123456789012'", '000000000042']],
    ['1:10: account is 000000000042, which reads as 42 [TYPE_WRONG]'],
  ],
  [
    'an account as a power',
    [["'123456789012'", '1e11']],
    ['1:10: account is 1e11, which reads as 100000000000 [TYPE_WRONG]'],
  ],
  [
    'an account in hexadecimal',
    [["'123456789012'", '0x1cbe991a14']],
    ['1:10: account is 0x1cbe991a14, which reads as 123456789012 [TYPE_WRONG]'],
  ],
  [
    'an account of eleven digits',
    [["'123456789012'", "'12345678901'"]],
    ['1:10: account is "12345678901" [VALUE_INVALID]'],
  ],
  [
    'an id that the CDK would take for a token, and not check',
    [['id: tz81mm', 'id: "x; DROP ${Token[TOKEN.1]}"']],
    [
      '32:9: tenants[1].id is "x; DROP ${Token[TOKEN.1]}", which the CDK would take for a value that it does not know yet [CDK_TOKEN]',
    ],
  ],
  [
    'a number that the CDK would take for a token',
    [['storageGiB: 100', 'storageGiB: -1.8881545897087968e+289']],
    [
      '12:15: database.storageGiB is -1.8881545897087968e+289, which the CDK would take for a value that it does not know yet [CDK_TOKEN]',
    ],
  ],
  [
    'a list that the CDK would take for a token',
    [['[platform@example.com]', "['#{Token[TOKEN.1]}']"]],
    [
      '21:12: alarms.emails[0] is "#{Token[TOKEN.1]}", which the CDK would take for a value that it does not know yet [CDK_TOKEN]',
    ],
  ],
  [
    'a display name of two lines',
    [['displayName: Contoso', 'displayName: "Contoso\\nRetail"']],
    ['34:18: tenants[1].displayName is "Contoso\\nRetail" [VALUE_INVALID]'],
  ],
  [
    'a display name of blanks',
    [['displayName: Contoso', 'displayName: " "']],
    ['34:18: tenants[1].displayName is " " [VALUE_INVALID]'],
  ],
  [
    'a display name with an escape sequence of terminals',
    [['displayName: Contoso', 'displayName: "\\e[31mContoso"']],
    ['34:18: tenants[1].displayName is "\\u001b[31mContoso" [VALUE_INVALID]'],
  ],
  [
    'a date as a display name',
    [['displayName: Contoso', 'displayName: 2026-01-01']],
    ['34:18: tenants[1].displayName is 2026-01-01, which other YAML readers take for a date [YAML_AMBIGUOUS]'],
  ],
  [
    'a time as a display name',
    [['displayName: Contoso', 'displayName: 12:30']],
    ['34:18: tenants[1].displayName is 12:30, which other YAML readers take for 750 [YAML_AMBIGUOUS]'],
  ],
  [
    'a number with leading zeros',
    [['storageGiB: 100', 'storageGiB: 0100']],
    ['12:15: database.storageGiB is 0100, which other YAML readers take for 64 [YAML_AMBIGUOUS]'],
  ],
  [
    'a number with underscores',
    [['storageGiB: 100', 'storageGiB: 1_00']],
    ['12:15: database.storageGiB is "1_00" [TYPE_WRONG]'],
  ],
  [
    'a number in quotes',
    [['storageGiB: 100', "storageGiB: '100'"]],
    ['12:15: database.storageGiB is "100" [TYPE_WRONG]'],
  ],
  [
    'a number out of range',
    [['storageGiB: 100', 'storageGiB: 10']],
    ['12:15: database.storageGiB is 10 [VALUE_INVALID]'],
  ],
  [
    'a number that is not whole',
    [['storageGiB: 100', 'storageGiB: 100.5']],
    ['12:15: database.storageGiB is 100.5 [TYPE_WRONG]'],
  ],
  [
    'a number that is none',
    [['storageGiB: 100', 'storageGiB: .nan']],
    ['12:15: database.storageGiB is .nan, which reads as NaN [TYPE_WRONG]'],
  ],
  [
    'a version without quotes',
    [["'17.9'", '17.10']],
    ['13:20: database.postgresVersion is 17.10, which reads as 17.1 [TYPE_WRONG]'],
  ],
  [
    'a truth value as yes',
    [['  storageGiB: 100', '  multiAz: yes']],
    ['12:12: database.multiAz is "yes" [TYPE_WRONG]'],
  ],
  [
    'a truth value in quotes',
    [['  storageGiB: 100', "  multiAz: 'true'"]],
    ['12:12: database.multiAz is "true" [TYPE_WRONG]'],
  ],
  [
    'a list that is a text',
    [['[platform@example.com]', 'platform@example.com']],
    ['21:11: alarms.emails is "platform@example.com" [TYPE_WRONG]'],
  ],
  [
    'a list that is a mapping',
    [['    - { name: orders, strategy: column }\n    - { name: events, strategy: partitioned }', '    orders: column']],
    ['25:5: data.tables is a mapping [TYPE_WRONG]'],
  ],
  [
    'a mapping that is a text',
    [['  cidr: 10.40.0.0/16\n  availabilityZones: [eu-central-1a, eu-central-1b]\n', '  new\n']],
    ['5:3: network is "new" [TYPE_WRONG]'],
  ],
  [
    'a tenant that is a text',
    [['  - id: tk4q9w', '  - acme\n  - id: tk4q9w']],
    ['28:5: tenants[0] is "acme" [TYPE_WRONG]'],
  ],
  [
    'no tenants',
    [
      [
        '  - id: tk4q9w\n    value: 3f0d2c1e-8a57-4b6b-9c1f-52e7d1a0b864\n    displayName: Northwind\n    adminEmail: ada@northwind.example\n  - id: tz81mm\n    value: c7b1e9d4-05f2-4e3a-8d6c-9b24f7a1e053\n    displayName: Contoso\n    tier: basic\n    adminEmail: ben@contoso.example\n',
        '  []\n',
      ],
    ],
    ['28:3: tenants has 0 entries [LIST_LENGTH]'],
  ],
  [
    'a value that is not a UUID',
    [['c7b1e9d4-05f2-4e3a-8d6c-9b24f7a1e053', 'contoso']],
    ['33:12: tenants[1].value is "contoso", which is not a uuid as the tenant column holds it [TENANT_VALUE_TYPE]'],
  ],
  [
    'a UUID in capitals',
    [['c7b1e9d4-05f2-4e3a-8d6c-9b24f7a1e053', 'C7B1E9D4-05F2-4E3A-8D6C-9B24F7A1E053']],
    [
      '33:12: tenants[1].value is "C7B1E9D4-05F2-4E3A-8D6C-9B24F7A1E053", which is not a uuid as the tenant column holds it [TENANT_VALUE_TYPE]',
    ],
  ],
  [
    'a UUID in braces',
    [['c7b1e9d4-05f2-4e3a-8d6c-9b24f7a1e053', "'{c7b1e9d4-05f2-4e3a-8d6c-9b24f7a1e053}'"]],
    [
      '33:12: tenants[1].value is "{c7b1e9d4-05f2-4e3a-8d6c-9b24f7a1e053}", which is not a uuid as the tenant column holds it [TENANT_VALUE_TYPE]',
    ],
  ],
  [
    'values beyond bigint',
    [
      ['type: uuid', 'type: bigint'],
      ['3f0d2c1e-8a57-4b6b-9c1f-52e7d1a0b864', "'9223372036854775808'"],
      ['c7b1e9d4-05f2-4e3a-8d6c-9b24f7a1e053', "'-9223372036854775808'"],
    ],
    [
      '29:12: tenants[0].value is "9223372036854775808", which is not a bigint as the tenant column holds it [TENANT_VALUE_TYPE]',
    ],
  ],
  [
    'a bigint with leading zeros',
    [
      ['type: uuid', 'type: bigint'],
      ['3f0d2c1e-8a57-4b6b-9c1f-52e7d1a0b864', "'007'"],
      ['c7b1e9d4-05f2-4e3a-8d6c-9b24f7a1e053', "'8'"],
    ],
    ['29:12: tenants[0].value is "007", which is not a bigint as the tenant column holds it [TENANT_VALUE_TYPE]'],
  ],
  [
    'a bigint without quotes',
    [
      ['type: uuid', 'type: bigint'],
      ['3f0d2c1e-8a57-4b6b-9c1f-52e7d1a0b864', '7'],
      ['c7b1e9d4-05f2-4e3a-8d6c-9b24f7a1e053', "'8'"],
    ],
    ['29:12: tenants[0].value is 7 [TYPE_WRONG]'],
  ],
  [
    'a text with a control character',
    [
      ['type: uuid', 'type: text'],
      ['3f0d2c1e-8a57-4b6b-9c1f-52e7d1a0b864', '"a\\u0000b"'],
    ],
    ['29:12: tenants[0].value is "a\\u0000b", which is not a text as the tenant column holds it [TENANT_VALUE_TYPE]'],
  ],
  [
    'a text with an invisible character',
    [
      ['type: uuid', 'type: text'],
      ['3f0d2c1e-8a57-4b6b-9c1f-52e7d1a0b864', '"a\\u200bb"'],
    ],
    ['29:12: tenants[0].value is "a\\u{200b}b", which is not a text as the tenant column holds it [TENANT_VALUE_TYPE]'],
  ],
  [
    'a text with blanks around it',
    [
      ['type: uuid', 'type: text'],
      ['3f0d2c1e-8a57-4b6b-9c1f-52e7d1a0b864', "' acme'"],
    ],
    ['29:12: tenants[0].value is " acme", which is not a text as the tenant column holds it [TENANT_VALUE_TYPE]'],
  ],
  [
    'an empty value',
    [['3f0d2c1e-8a57-4b6b-9c1f-52e7d1a0b864', "''"]],
    ['29:12: tenants[0].value is "" [VALUE_INVALID]'],
  ],
  [
    'a column type that does not exist',
    [['type: uuid', 'type: varchar']],
    ['23:42: data.tenantColumn.type is "varchar", which does not exist [VALUE_UNKNOWN]'],
  ],
  [
    'a strategy that does not exist',
    [['strategy: partitioned', 'strategy: partition']],
    ['26:33: data.tables[1].strategy is "partition", which does not exist [VALUE_UNKNOWN]'],
  ],
  [
    'a system column',
    [['name: tenant_id', 'name: xmin']],
    ['23:25: data.tenantColumn.name is "xmin", a column that PostgreSQL gives to every table [TENANT_COLUMN_RESERVED]'],
  ],
  [
    'a column that is SQL',
    [['name: tenant_id', 'name: "tenant_id; --"']],
    ['23:25: data.tenantColumn.name is "tenant_id; --" [VALUE_INVALID]'],
  ],
  [
    'a schema of PostgreSQL',
    [['  tenantColumn:', '  schema: pg_catalog\n  tenantColumn:']],
    ['23:11: data.schema is "pg_catalog", a schema of PostgreSQL or of this library [SCHEMA_RESERVED]'],
  ],
  [
    'the schema public',
    [['  tenantColumn:', '  schema: public\n  tenantColumn:']],
    ['23:11: data.schema is "public", a schema of PostgreSQL or of this library [SCHEMA_RESERVED]'],
  ],
  [
    'an instance class that does not exist',
    [['m7g.large', 'm7g.larg']],
    ['11:18: database.instanceClass is "m7g.larg", which does not exist [VALUE_UNKNOWN]'],
  ],
  [
    'an instance class with db.',
    [['m7g.large', 'db.m7g.large']],
    ['11:18: database.instanceClass is "db.m7g.large", which does not exist [VALUE_UNKNOWN]'],
  ],
  [
    'an instance class of nowhere',
    [['m7g.large', 'huge']],
    ['11:18: database.instanceClass is "huge", which does not exist [VALUE_UNKNOWN]'],
  ],
  [
    'a node type that does not exist',
    [['cache.t4g.small', 'cache.t4g.tiny']],
    ['15:13: cache.nodeType is "cache.t4g.tiny", which does not exist [VALUE_UNKNOWN]'],
  ],
  [
    'a node type without cache.',
    [['cache.t4g.small', 't4g.small']],
    ['15:13: cache.nodeType is "t4g.small", which does not exist [VALUE_UNKNOWN]'],
  ],
  [
    'a model that does not exist',
    [['shared-rls', 'shared']],
    ['3:8: model is "shared", which does not exist [VALUE_UNKNOWN]'],
  ],
  [
    'a tier that does not exist',
    [['tier: basic', 'tier: gold']],
    ['35:11: tenants[1].tier is "gold", which does not exist [VALUE_UNKNOWN]'],
  ],
  [
    'more web tasks at least than at most',
    [['minWebTasks: 2', 'minWebTasks: 5']],
    ['18:16: superset.minWebTasks is 5, more than maxWebTasks, which is 4 [TASKS_REVERSED]'],
  ],
  [
    'fewer web tasks at most than at least by default',
    [['  minWebTasks: 2\n  maxWebTasks: 4', '  maxWebTasks: 1']],
    ['18:16: superset.maxWebTasks is 1, less than minWebTasks, which is 2 by default [TASKS_REVERSED]'],
  ],
  [
    'more worker tasks at least than at most by default',
    [['  minWebTasks: 2', '  minWorkerTasks: 9']],
    ['18:19: superset.minWorkerTasks is 9, more than maxWorkerTasks, which is 4 by default [TASKS_REVERSED]'],
  ],
  [
    'a limit out of range',
    [['    tier: basic', '    limits: { connections: 501 }']],
    ['35:28: tenants[1].limits.connections is 501 [VALUE_INVALID]'],
  ],
  [
    'a certificate of another region',
    [['acm:eu-central-1', 'acm:us-east-1']],
    [
      '9:19: domain.certificateArn is in region us-east-1, but the load balancer is in eu-central-1 [CERTIFICATE_REGION]',
    ],
  ],
  [
    'a certificate of another account',
    [['1:123456789012:', '1:210987654321:']],
    [
      '9:19: domain.certificateArn is in account 210987654321, but the load balancer is in 123456789012 [CERTIFICATE_ACCOUNT]',
    ],
  ],
  [
    'a certificate that is none',
    [['arn:aws:acm:', 'arn:aws:iam:']],
    [
      '9:19: domain.certificateArn is "arn:aws:iam:eu-central-1:123456789012:certificate/5b0d6e0c-… (86 characters) [VALUE_INVALID]',
    ],
  ],
  [
    'a zone of another region',
    [['eu-central-1b]', 'eu-west-1b]']],
    ['6:38: network.availabilityZones[1] is "eu-west-1b", which is not a zone of eu-central-1 [ZONE_ELSEWHERE]'],
  ],
  [
    'a zone that is a region',
    [['eu-central-1b]', 'eu-central-1]']],
    ['6:38: network.availabilityZones[1] is "eu-central-1", which is not a zone of eu-central-1 [ZONE_ELSEWHERE]'],
  ],
  [
    'the same zone twice',
    [['eu-central-1b]', 'eu-central-1a]']],
    ['6:38: network.availabilityZones[1] is "eu-central-1a" again [ZONE_DUPLICATE]'],
  ],
  ['one zone', [[', eu-central-1b]', ']']], ['6:22: network.availabilityZones has 1 entry [LIST_LENGTH]']],
  [
    'a given VPC with a range of its own',
    [['  cidr:', '  vpcId: vpc-0a1b2c3d4e5f67890\n  cidr:']],
    [
      '6:3: network.cidr is of a new VPC, but network.vpcId names one that exists [NETWORK_TWOFOLD]',
      '7:3: network.availabilityZones is of a new VPC, but network.vpcId names one that exists [NETWORK_TWOFOLD]',
    ],
  ],
  [
    'a range that is no network',
    [['10.40.0.0/16', '10.40.7.0/16']],
    ['5:9: network.cidr is "10.40.7.0/16", which is not the address of a network [CIDR_INVALID]'],
  ],
  [
    'a range with a byte beyond 255',
    [['10.40.0.0/16', '10.400.0.0/16']],
    ['5:9: network.cidr is "10.400.0.0/16", which is not the address of a network [CIDR_INVALID]'],
  ],
  [
    'a range that is too small',
    [['10.40.0.0/16', '10.40.0.0/24']],
    ['5:9: network.cidr is "10.40.0.0/24" [VALUE_INVALID]'],
  ],
  [
    'a region that does not exist',
    [['region: eu-central-1', 'region: eu-centrl-1']],
    ['2:9: region is "eu-centrl-1", a region that aws-cdk-lib does not know [REGION_UNKNOWN]'],
  ],
  [
    'a region that is a zone',
    [['region: eu-central-1', 'region: eu-central-1a']],
    ['2:9: region is "eu-central-1a" [VALUE_INVALID]'],
  ],
  [
    'a version of PostgreSQL with a hole',
    [['17.9', '17.5']],
    [
      '13:20: database.postgresVersion is "17.5", whose statistics show rows that row-level security hides (CVE-2025-8713) [POSTGRES_VERSION_VULNERABLE]',
    ],
  ],
  [
    'a version of PostgreSQL that is not supported',
    [['17.9', '14.20']],
    ['13:20: database.postgresVersion is "14.20" [VALUE_INVALID]'],
  ],
  [
    'a version of Superset that is not supported',
    [['6.1.0', '5.0.0']],
    ['17:12: superset.version is "5.0.0" [VALUE_INVALID]'],
  ],
  [
    'a version of Superset without an image of it',
    [['6.1.0', '6.99.0']],
    [
      '17:12: superset.version is "6.99.0", but the image that is built from superset/ is of 6.1.0 [VERSION_WITHOUT_IMAGE]',
    ],
  ],
  ['a version of Superset that is a number', [['6.1.0', '6.1']], ['17:12: superset.version is 6.1 [TYPE_WRONG]']],
  [
    'a host name with a scheme',
    [['superset.example.com', 'https://superset.example.com']],
    ['8:9: domain.name is "https://superset.example.com" [VALUE_INVALID]'],
  ],
  [
    'an e-mail address that is none',
    [['platform@example.com', 'platform']],
    ['21:12: alarms.emails[0] is "platform" [EMAIL_INVALID]'],
  ],
  [
    'the same e-mail address twice',
    [['platform@example.com', 'a@example.com, a@example.com']],
    ['21:27: alarms.emails[1] is "a@example.com" again [EMAIL_DUPLICATE]'],
  ],
  [
    'an administrator without an address',
    [['ada@northwind.example', 'Ada']],
    ['31:17: tenants[0].adminEmail is "Ada" [VALUE_INVALID]'],
  ],
  [
    'an administrator of two tenants, whose address differs in the case of letters only',
    [['ben@contoso.example', 'Ada@Northwind.example']],
    [
      '31:17: tenants[0].adminEmail is "ada@northwind.example" for tenant "tk4q9w", as for tenant "tz81mm" (tenants[1].adminEmail) [ADMIN_EMAIL_DUPLICATE]',
      '36:17: tenants[1].adminEmail is "Ada@Northwind.example" for tenant "tz81mm", as for tenant "tk4q9w" (tenants[0].adminEmail) [ADMIN_EMAIL_DUPLICATE]',
    ],
  ],
  [
    'a function with its parentheses',
    [['version: 6.1.0', 'version: 6.1.0\n  allowedFunctions: [analytics.margin, "margin()"]']],
    ['18:40: superset.allowedFunctions[1] is "margin()", which is not the name of a function [FUNCTION_NAME_INVALID]'],
  ],
  [
    'content without a path',
    [['version: 6.1.0', "version: 6.1.0\n  contentBundle: ''"]],
    ['18:18: superset.contentBundle is "" [VALUE_INVALID]'],
  ],
  [
    'content whose path has an end of line in it',
    [['version: 6.1.0', 'version: 6.1.0\n  contentBundle: "sales\\n.zip"']],
    ['18:18: superset.contentBundle is "sales\\n.zip" [VALUE_INVALID]'],
  ],
  [
    'a display name that is too long',
    [['Northwind', 'N'.repeat(129)]],
    ['30:18: tenants[0].displayName is "' + 'N'.repeat(59) + '… (129 characters) [VALUE_INVALID]'],
  ],
  ['a tag', [['tier: basic', 'tier: !!str basic']], ['35:17: tenants[1].tier has the tag !!str [YAML_TAG]']],
  [
    'a tag of its own',
    [['  cidr: 10.40.0.0/16', '  cidr: !Ref Cidr']],
    ['5:14: network.cidr has the tag !Ref [YAML_TAG]'],
  ],
  [
    'a merge key',
    [['    tier: basic', '    <<: { tier: basic }']],
    ['35:5: tenants[1].<< merges another mapping, which YAML 1.2 does not do [YAML_MERGE]'],
  ],
  [
    'an alias without an anchor',
    [['tier: basic', 'tier: *usual']],
    ['35:11: tenants[1].tier is *usual, but no &usual stands before it [YAML_ALIAS]'],
  ],
  [
    'an alias within its anchor',
    [['network:\n  cidr: 10.40.0.0/16', 'network: &here\n  cidr: *here']],
    ['5:9: network.cidr repeats itself: *here stands within &here [YAML_ALIAS]'],
  ],
  [
    'aliases that explode',
    [
      [
        'account:',
        'a: &a [1, 2, 3, 4, 5, 6, 7, 8, 9]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a]\nc: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b]\nd: &d [*c, *c, *c, *c, *c, *c, *c, *c, *c]\ne: &e [*d, *d, *d, *d, *d, *d, *d, *d, *d]\nf: &f [*e, *e, *e, *e, *e, *e, *e, *e, *e]\naccount:',
      ],
    ],
    ['5:12: e[1] is an alias, and aliases stand for more than 20000 values [YAML_ALIASES]'],
  ],
  [
    'a second document',
    [['tenants:', '---\ntenants:']],
    ['28:1: the file begins a second document; a file holds one environment [YAML_DOCUMENTS]'],
  ],
  [
    'a tab as indentation',
    [['  storageGiB', '\tstorageGiB']],
    ['12:1: the file is not YAML: Tabs are not allowed as indentation [YAML_SYNTAX]'],
  ],
  [
    'a quote that is not closed',
    [["'123456789012'", "'123456789012"]],
    ["1:23: the file is not YAML: Missing closing 'quote [YAML_SYNTAX]"],
  ],
  [
    'a bracket that is not closed',
    [['eu-central-1b]', 'eu-central-1b']],
    [
      '7:1: the file is not YAML: Flow sequence in block collection must be sufficiently indented and end with a ] [YAML_SYNTAX]',
    ],
  ],
  [
    'a colon in a text',
    [['displayName: Contoso', 'displayName: Contoso: Retail']],
    ['34:18: the file is not YAML: Nested mappings are not allowed in compact mappings [YAML_SYNTAX]'],
  ],
  [
    'a line that is indented too little',
    [['    displayName: Contoso', '   displayName: Contoso']],
    [
      '34:1: the file is not YAML: Sequence item without - indicator [YAML_SYNTAX]',
      '35:11: the file is not YAML: Nested mappings are not allowed in compact mappings [YAML_SYNTAX]',
    ],
  ],
  [
    'a broken line, and problems elsewhere',
    [
      ['region: eu-central-1', 'region: eu-centrl-1'],
      ['displayName: Contoso', 'displayName: Contoso: Retail'],
      ['id: tk4q9w', 'id: select'],
    ],
    [
      '2:9: region is "eu-centrl-1", a region that aws-cdk-lib does not know [REGION_UNKNOWN]',
      '28:9: tenants[0].id is "select", which is a key word of SQL [TENANT_ID_RESERVED]',
      '34:18: the file is not YAML: Nested mappings are not allowed in compact mappings [YAML_SYNTAX]',
    ],
  ],
  [
    'a byte order mark within the file',
    [['region', '\ufeffregion']],
    [
      '2:1: the file holds the invisible character U+FEFF [YAML_CHARACTER]',
      '2:1: "\\u{feff}region" is not a known key [KEY_UNKNOWN]',
    ],
  ],
  [
    'a control character',
    [['displayName: Contoso', 'displayName: Con\u0007toso']],
    [
      '34:18: tenants[1].displayName is "Con\\u0007toso" [VALUE_INVALID]',
      '34:21: the file holds the invisible character U+0007 [YAML_CHARACTER]',
    ],
  ],
  [
    'nesting beyond measure',
    [['account:', 'x: ' + '['.repeat(40) + ']'.repeat(40) + '\naccount:']],
    [
      '1:1: x is not a known key [KEY_UNKNOWN]',
      '1:36: x[0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0] lies more than 32 levels deep [YAML_DEEP]',
    ],
  ],
  [
    'what only the other model reads',
    [
      ['domain:', 'shards: [{ name: a }]\ndomain:'],
      ['    displayName: Contoso', '    shard: a\n    loader: true\n    displayName: Contoso'],
    ],
    [
      '7:1: shards is of model database-per-tenant, but model is shared-rls [MODEL_WITHOUT]',
      '35:5: tenants[1].shard is of model database-per-tenant, but model is shared-rls [MODEL_WITHOUT]',
      '36:5: tenants[1].loader is of model database-per-tenant and instance-per-tenant, but model is shared-rls [MODEL_WITHOUT]',
    ],
  ],
  [
    'shards that do not fit together',
    [
      ['shared-rls', 'database-per-tenant'],
      [
        'domain:',
        'shards: [{ name: a }, { name: b, onlyFor: tk4q9w }, { name: a, onlyFor: nobody }]\ndefaultShards: [b, x, a, a]\ndomain:',
      ],
      ['    displayName: Contoso', '    shard: b\n    displayName: Contoso'],
    ],
    [
      '7:61: shards[2].name is "a", as is shards[0].name [SHARD_DUPLICATE]',
      '7:73: shards[2].onlyFor is "nobody", which is no tenant [SHARD_OWNER_UNKNOWN]',
      '8:17: defaultShards[0] is "b", which is only for tenant tk4q9w [SHARD_TAKEN]',
      '8:20: defaultShards[1] is "x", which is no shard [SHARD_UNKNOWN]',
      '8:26: defaultShards[3] is "a", as is defaultShards[2] [SHARD_DUPLICATE]',
      '36:12: tenants[1].shard is "b", which is only for tenant tk4q9w [SHARD_TAKEN]',
    ],
  ],
  [
    'a tenant without a shard that is for it',
    [
      ['shared-rls', 'database-per-tenant'],
      ['domain:', 'shards: [{ name: b, onlyFor: tk4q9w }]\ndomain:'],
    ],
    ['33:5: tenants[1] has no shard: each is only for another tenant [SHARD_MISSING]'],
  ],
  [
    'a key of a tenant that could not cut it off',
    [
      ['shared-rls', 'database-per-tenant'],
      ['domain:', 'proxy: { authentication: iam }\ndomain:'],
      ['    displayName: Northwind\n', '    displayName: Northwind\n    ownKey: true\n'],
    ],
    [
      '32:13: tenants[0].ownKey is true, but with proxy.authentication iam it has no secret that the key encrypts, and others use its server [OWN_KEY_CUTS_NOBODY_OFF]',
    ],
  ],
  [
    'another way to log in than there is',
    [
      ['shared-rls', 'database-per-tenant'],
      ['domain:', 'proxy: { authentication: kerberos }\ndomain:'],
    ],
    ['7:26: proxy.authentication is "kerberos", which does not exist [VALUE_UNKNOWN]'],
  ],
  [
    'a proxy, a shard and extensions that cannot be',
    [
      ['shared-rls', 'database-per-tenant'],
      [
        'domain:',
        "shards: [{ name: a, instanceClass: m7g.larg, postgresVersion: '17.2' }]\nproxy: { maxConnectionsPercent: 40, maxIdleConnectionsPercent: 60, sessionPinningFilters: [x] }\ndomain:",
      ],
      ['  tenantColumn:', '  extensions: [pg_trgm, dblink, "x y"]\n  tenantColumn:'],
    ],
    [
      '7:36: shards[0].instanceClass is "m7g.larg", which does not exist [VALUE_UNKNOWN]',
      '7:63: shards[0].postgresVersion is "17.2", whose statistics show rows that row-level security hides (CVE-2025-8713) [POSTGRES_VERSION_VULNERABLE]',
      '8:64: proxy.maxIdleConnectionsPercent is 60, more than maxConnectionsPercent, which is 40 [PROXY_IDLE_ABOVE_MOST]',
      '8:68: proxy.sessionPinningFilters is not a known key [KEY_UNKNOWN]',
      '25:25: data.extensions[1] is "dblink", which leads out of a tenant\'s database, or runs what a tenant likes in the server [EXTENSION_UNSAFE]',
      '25:33: data.extensions[2] is "x y" [EXTENSION_INVALID]',
    ],
  ],
];
