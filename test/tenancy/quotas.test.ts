import { App, Stack } from 'aws-cdk-lib';
import * as kms from 'aws-cdk-lib/aws-kms';
import { TableStrategy, TenantColumnType } from '../../lib/database/tenant-table';
import { SharedRlsStack } from '../../lib/tenancy/shared-rls-stack';
import { TenantsStack } from '../../lib/tenancy/tenants-stack';
import { example, tenants, userApp } from './environments';

test('more tenants than one deployment may make are refused at synth, with number, limit and remedy', () => {
  const app = userApp();
  const environment = example({ tenants: tenants(1_200, { limits: { connections: 1 } }) });
  new SharedRlsStack(app, 'Demo', { environment });

  expect(() => app.synth()).toThrow(
    /25\d\d resources in a stack and all nested in it.*the limit is 2500, and AWS cannot raise it.*another environment/,
  );
}, 60_000);

test('more tenants than a stack holds are refused, with number, limit and remedy', () => {
  const { provisioner } = new SharedRlsStack(new App(), 'Demo', { environment: example() }).tenancy;
  const other = new Stack(new App(), 'Other');

  expect(
    () =>
      new TenantsStack(other, 'Tenants0', {
        tenants: tenants(250),
        provisioner,
        tenantColumn: { name: 'tenant_id', type: TenantColumnType.UUID },
        tables: [{ name: 'orders', strategy: TableStrategy.COLUMN }],
        encryptionKey: new kms.Key(other, 'Key'),
      }),
  ).toThrow(/250 tenants .*501 resources in one stack; the limit is 500.*\[TENANTS_STACK_FULL\]/);
});

test('resources grow by two for each tenant, and two for each stack that is new', () => {
  const resources = (count: number) => {
    const { tenancy } = new SharedRlsStack(new App(), 'Demo', { environment: example({ tenants: tenants(count) }) });
    return Stack.of(tenancy)
      .node.findAll()
      .filter((child) => 'cfnResourceType' in child).length;
  };

  expect(resources(90) - resources(80)).toBe(20);
});
