import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { TableStrategy, TenantColumnType } from '../../lib/database/tenant-table';
import { TenantDatabaseServer } from '../../lib/database/tenant-database-server';
import { TenancyNetwork } from '../../lib/network/tenancy-network';
import { DatabaseProvisioner } from '../../lib/provisioning/database-provisioner';
import { LoaderSecret } from '../../lib/provisioning/loader-secret';
import { TenantDatabases } from '../../lib/provisioning/tenant-databases';
import { Tenant, TenantRemovalPolicy } from '../../lib/tenant/tenant';
import { TenantTier } from '../../lib/tenant/tenant-limits';
import { TenantSecret } from '../../lib/tenant/tenant-secret';
import { tenants } from '../tenancy/environments';

function databases(given: Tenant[]): Template {
  const stack = new Stack(new App(), 'Prod');
  const network = new TenancyNetwork(stack, 'Network');
  const database = new TenantDatabaseServer(stack, 'Database', { network });
  const login = { host: database.hostname, port: database.port, database: database.databaseName };
  const loaderSecret = new LoaderSecret(stack, 'Loader', login);
  new TenantDatabases(stack, 'Tenants', {
    provisioner: new DatabaseProvisioner(stack, 'Provisioner', { network, database, loaderSecret }),
    batch: 'all',
    tenantColumn: { name: 'tenant_id', type: TenantColumnType.UUID },
    tables: [{ name: 'orders', strategy: TableStrategy.COLUMN }],
    tenants: given.map((tenant) => ({ tenant, secret: new TenantSecret(stack, tenant.id, { tenant, ...login }) })),
  });
  return Template.fromStack(stack);
}

function resource(given: Tenant[]) {
  const [found] = Object.values(databases(given).findResources('Custom::SupersetTenantDatabases'));
  return found.Properties;
}

test('the template carries the desired state of every tenant, with limits filled in and numbers as text', () => {
  const [basic, own] = tenants(2);
  const { State } = resource([
    { ...basic, tier: TenantTier.BASIC },
    { ...own, limits: { connections: 7 }, removalPolicy: TenantRemovalPolicy.DESTROY },
  ]);

  expect(State).toMatchObject({
    batch: 'all',
    schema: 'analytics',
    tenantColumn: { name: 'tenant_id', type: 'uuid' },
    tables: [{ name: 'orders', strategy: 'column' }],
  });
  expect(State.tenants).toEqual([
    {
      id: basic.id,
      value: basic.value,
      secret: { Ref: expect.stringMatching(/^t00000Secret/) },
      removalPolicy: 'retain',
      connections: '5',
      statementTimeoutSeconds: '30',
      workMemMiB: '8',
      tempFileMiB: '512',
      parallelWorkers: '0',
    },
    expect.objectContaining({ id: own.id, removalPolicy: 'destroy', connections: '7', statementTimeoutSeconds: '60' }),
  ]);
});

test('neither name nor e-mail address of a tenant leaves the app', () => {
  const made = JSON.stringify(databases(tenants(1)).toJSON());

  expect(made).not.toContain('Tenant 0');
  expect(made).not.toContain('admin@0');
});

test('a new server runs the resource again', () => {
  const { State } = resource(tenants(1));

  expect(State.server['Fn::Join'][1]).toContainEqual({
    'Fn::GetAtt': [expect.stringMatching(/^Database/), 'Endpoint.Address'],
  });
});

test('a function that hangs fails the deployment after 16 minutes, not after an hour', () => {
  expect(resource(tenants(1)).ServiceTimeout).toBe('960');
});

test('more tenants than one request of CloudFormation can carry are refused, with number and limit', () => {
  expect(() => databases(tenants(450, { limits: { connections: 1 } }))).toThrow(
    /450 tenants make \d+ bytes of one request to a custom resource; the limit is 262144, and AWS cannot raise it.*\[TENANT_BATCH_TOO_LARGE\]/,
  );
});

test('a batch of three hundred tenants is no problem', () => {
  expect(resource(tenants(300)).State.tenants).toHaveLength(300);
});
