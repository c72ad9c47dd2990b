import { Lazy } from 'aws-cdk-lib';
import { TableStrategy, TenantColumnType } from '../../lib/database/tenant-table';
import { reservedFor } from '../../lib/tenant/reserved-ids';
import { Tenant } from '../../lib/tenant/tenant';
import { tenantProblems } from '../../lib/tenant/tenant-rules';
import { problemText } from '../../lib/validation/problem';

const COLUMN = { name: 'tenant_id', type: TenantColumnType.UUID };
const TABLES = [{ name: 'orders', strategy: TableStrategy.COLUMN }];

function tenant(id: string, n: number, more: Partial<Tenant> = {}): Tenant {
  return {
    id,
    value: `3f0d2c1e-8a57-4b6b-9c1f-${String(n).padStart(12, '0')}`,
    displayName: `Tenant ${n}`,
    adminEmail: `admin${n}@example.com`,
    ...more,
  };
}

function texts(tenants: Tenant[], column = COLUMN, tables = TABLES): string[] {
  return tenantProblems(tenants, column, tables).map(problemText);
}

test('good tenants have no problems', () => {
  expect(texts([tenant('tk4q9w', 1), tenant('tz81mm', 2)])).toEqual([]);
});

test('tenants that are composed without a file are checked as those of a file are, all at once', () => {
  const tenants = [
    tenant('select', 1),
    tenant('tz81mm', 2, { limits: { connections: 0, workMemMiB: 1.5 } }),
    tenant('TZ81MM', 2, { adminEmail: 'admin3@example.com' }),
    tenant('x"; DROP ROLE y', 4, { value: 'acme', adminEmail: 'nobody' }),
  ];
  expect(texts(tenants).map((text) => text.replace(/;.*\[/, ' ['))).toEqual([
    'tenants[1].limits.workMemMiB is 1.5 [TYPE_WRONG]',
    'tenants[1].limits.connections is 0 [VALUE_INVALID]',
    'tenants[2].id is "TZ81MM" [VALUE_INVALID]',
    'tenants[3].id is "x\\" [VALUE_INVALID]',
    'tenants[3].adminEmail is "nobody" [VALUE_INVALID]',
    'tenants[2].id is "TZ81MM", as is tenants[1].id (tz81mm): only the case of letters differs [TENANT_ID_DUPLICATE]',
    'tenants[0].id is "select", which is a key word of SQL [TENANT_ID_RESERVED]',
    'tenants[2].value is "3f0d2c1e-8a57-4b6b-9c1f-000000000002", as is tenants[1].value [TENANT_VALUE_DUPLICATE]',
    'tenants[3].value is "acme", which is not a uuid as the tenant column holds it [TENANT_VALUE_TYPE]',
  ]);
});

test('tenants that share an administrator are all named, however the letters are written, with the way out', () => {
  const shared = [
    tenant('tk4q9w', 1, { adminEmail: 'ops@example.com' }),
    tenant('tz81mm', 2),
    tenant('ta11bb', 3, { adminEmail: 'OPS@example.com' }),
    tenant('tc22dd', 4, { adminEmail: 'ops@Example.com' }),
  ];
  const problems = texts(shared);

  expect(problems.map((text) => text.split(';')[0])).toEqual([
    'tenants[0].adminEmail is "ops@example.com" for tenant "tk4q9w", as for tenant "ta11bb" (tenants[2].adminEmail)',
    'tenants[2].adminEmail is "OPS@example.com" for tenant "ta11bb", as for tenant "tk4q9w" (tenants[0].adminEmail)',
    'tenants[3].adminEmail is "ops@Example.com" for tenant "tc22dd", as for tenant "tk4q9w" (tenants[0].adminEmail)',
  ]);
  expect(problems[0]).toContain('to mend: give each its own, for instance ops+tk4q9w@example.com');
});

test('column and tables are checked, too', () => {
  const column = { name: 'ctid', type: TenantColumnType.UUID };
  const tables = [
    ...TABLES,
    { name: 'orders', strategy: TableStrategy.SCHEMA },
    { name: 'a; b', strategy: TableStrategy.COLUMN },
  ];
  expect(texts([tenant('tk4q9w', 1)], column, tables).map((text) => text.split(/[ ;]/)[0])).toEqual([
    'tables[2].name',
    'tenantColumn.name',
    'tables[1].name',
  ]);
});

test('values that are known only at deployment are not judged', () => {
  const value = Lazy.string({ produce: () => 'x' });
  const connections = Lazy.number({ produce: () => 1 });
  expect(texts([tenant('tk4q9w', 1, { value, limits: { connections } })])).toEqual([]);
});

test('values of text columns that differ only in the case of letters are two', () => {
  const column = { name: 'tenant', type: TenantColumnType.TEXT };
  expect(texts([tenant('tk4q9w', 1, { value: 'Acme' }), tenant('tz81mm', 2, { value: 'acme' })], column)).toEqual([]);
});

test.each(['tk4q9w', 'orders', 'pgx', 'north', 'selected', 'a_user'])('%s is free for a tenant', (id) => {
  expect(reservedFor(id)).toBeUndefined();
});
