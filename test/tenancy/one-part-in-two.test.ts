import { Stack } from 'aws-cdk-lib';
import * as acm from 'aws-cdk-lib/aws-certificatemanager';
import { SupersetCache } from '../../lib/cache/superset-cache';
import { MetadataDatabase } from '../../lib/database/metadata-database';
import { TenantDatabaseServer } from '../../lib/database/tenant-database-server';
import { TableStrategy, TenantColumnType } from '../../lib/database/tenant-table';
import { EnvironmentNames } from '../../lib/naming/environment-names';
import { TenancyNetwork } from '../../lib/network/tenancy-network';
import { DatabaseProvisioner } from '../../lib/provisioning/database-provisioner';
import { LoaderSecret } from '../../lib/provisioning/loader-secret';
import { OwnDatabases } from '../../lib/provisioning/own-databases';
import { ShardsProvisioner } from '../../lib/provisioning/shards-provisioner';
import { TenantDatabases } from '../../lib/provisioning/tenant-databases';
import { DatabasePerTenancy, DatabasePerTenancyProps } from '../../lib/tenancy/database-per-tenancy';
import { SharedRlsTenancy, SharedRlsTenancyProps } from '../../lib/tenancy/shared-rls-tenancy';
import { TenantSecret } from '../../lib/tenant/tenant-secret';
import { tenants, userApp } from './environments';

const env = { account: '123456789012', region: 'eu-central-1' };
const [TENANT, OTHER] = tenants(2);
const table = {
  tenantColumn: { name: 'tenant_id', type: TenantColumnType.UUID },
  tables: [{ name: 'orders', strategy: TableStrategy.COLUMN }],
};

/** A stack with a network, and what two tenancies may wrongly have in common. */
function parts() {
  const stack = new Stack(userApp(), 'App', { env });
  const network = new TenancyNetwork(stack, 'Network', {});
  const common = (id: string) => ({
    network,
    domainName: 'superset.example.com',
    certificate: acm.Certificate.fromCertificateArn(
      stack,
      `${id}Certificate`,
      'arn:aws:acm:eu-central-1:123456789012:certificate/0',
    ),
    secretNamePrefix: id.toLowerCase(),
  });
  const shared = (id: string, props: Partial<SharedRlsTenancyProps>) =>
    new SharedRlsTenancy(stack, id, { ...common(id), ...table, tenants: [TENANT], ...props });
  const own = (id: string, props: Partial<DatabasePerTenancyProps>) =>
    new DatabasePerTenancy(stack, id, { ...common(id), tenants: [TENANT], ...props });
  return { stack, network, shared, own };
}

test('a cache, a metadata database or a server in two tenancies is refused, naming both', () => {
  const { stack, network, shared } = parts();
  const cache = new SupersetCache(stack, 'Cache', { network });
  const metadataDatabase = new MetadataDatabase(stack, 'Metadata', { network });
  const database = new TenantDatabaseServer(stack, 'Database', { network });
  shared('Blue', { cache, metadataDatabase, database });

  expect(() => shared('Green', { cache })).toThrow(
    'App/Green/Superset: the cache App/Cache is that of App/Blue/Superset already',
  );
  expect(() => shared('Red', { metadataDatabase })).toThrow(
    'App/Red/Superset: the metadata database App/Metadata is that of App/Blue/Superset already',
  );
  expect(() => shared('Grey', { database })).toThrow(
    "App/Grey/Provisioner: the server App/Database is that of App/Blue/Provisioner already. Two environments over one server would change each other's tenants: give each its own.",
  );
  expect(() => shared('White', {})).not.toThrow();
});

test('a shard in two tenancies is refused, naming both', () => {
  const { stack, network, own } = parts();
  const server = new TenantDatabaseServer(stack, 'Server', { network, databaseName: 'tenancy' });
  own('Blue', { shards: [{ name: 'a', server }] });

  expect(() => own('Green', { shards: [{ name: 'b', server }] })).toThrow(
    'App/Green/Provisioner: the server App/Server is that of App/Blue/Provisioner already',
  );
});

test('two batches of one name at one provisioner are refused, two names are not', () => {
  const { stack, network } = parts();
  const database = new TenantDatabaseServer(stack, 'Database', { network });
  const login = { host: database.hostname, port: database.port, database: database.databaseName };
  const provisioner = new DatabaseProvisioner(stack, 'Provisioner', {
    network,
    database,
    loaderSecret: new LoaderSecret(stack, 'Loader', login),
  });
  const add = (id: string, batch: string) => new TenantDatabases(stack, id, { provisioner, batch, ...table });
  add('First', 'tenants');

  expect(() => add('Second', 'tenants')).toThrow(
    "App/Second: batch 'tenants' is that of App/First already, with the same provisioner App/Provisioner",
  );
  expect(() => add('Third', 'others')).not.toThrow();

  const server = new TenantDatabaseServer(stack, 'Server', { network, databaseName: 'tenancy' });
  const shards = new ShardsProvisioner(stack, 'Shards', { network, shards: [{ name: 'a', server, connections: 0 }] });
  const addOwn = (id: string) => new OwnDatabases(stack, id, { provisioner: shards, batch: 'tenants', tenants: [] });
  addOwn('Own');
  expect(() => addOwn('Again')).toThrow("App/Again: batch 'tenants' is that of App/Own already");
});

test('a secret of another environment than its provisioner is refused, unless that environment is shared with it', () => {
  const { stack, network } = parts();
  const server = new TenantDatabaseServer(stack, 'Server', { network, databaseName: 'tenancy' });
  const provisioner = new ShardsProvisioner(stack, 'Shards', {
    network,
    shards: [{ name: 'a', server, connections: 0 }],
  });
  const login = { host: server.hostname, port: server.port, database: 'x' };
  const add = (other: Stack, tenant = TENANT) =>
    new OwnDatabases(other, 'Own', {
      provisioner,
      batch: tenant.id,
      tenants: [{ tenant, shard: 'a', secret: new TenantSecret(other, 'Secret', { tenant, ...login }) }],
    });

  expect(() => add(new Stack(stack.node.root as never, 'Other', { env }))).toThrow(
    "Other/Own: Other/Secret is a secret of environment 'Other'; App/Shards reads those of 'App'. Make both in one environment, or call EnvironmentNames.share",
  );
  const joined = new Stack(stack.node.root as never, 'Joined', { env });
  EnvironmentNames.share(joined, EnvironmentNames.of(provisioner));
  expect(() => add(joined, OTHER)).not.toThrow();
});
