import { App, Stack } from 'aws-cdk-lib';
import * as acm from 'aws-cdk-lib/aws-certificatemanager';
import * as superset from '../../lib';
import { tenants } from '../tenancy/environments';

/** Values that a construct is made with in place of the good ones. */
export type Given = Record<string, unknown>;

/** Makes each public construct that takes a value of an environment, by the name of its props. */
export const MAKERS: Record<string, (given: Given) => Stack> = {
  TenantSecretProps: (given) => {
    const { stack, login } = parts();
    const props = { tenant: TENANT, ...login, ...given };
    new superset.TenantSecret(stack, 'Secret', props);
    return stack;
  },
  AdminLoginSecretProps: (given) => {
    const stack = newStack();
    new superset.AdminLoginSecret(stack, 'Admin', { tenant: TENANT, ...given });
    return stack;
  },
  TenantKeyProps: (given) => {
    const stack = newStack();
    new superset.TenantKey(stack, 'Key', { tenant: TENANT, ...given });
    return stack;
  },
  LoaderSecretProps: (given) => {
    const { stack, login } = parts();
    new superset.LoaderSecret(stack, 'T', { ...login, ...given });
    return stack;
  },
  TenantDatabaseServerProps: (given) => {
    const { stack, network } = parts();
    new superset.TenantDatabaseServer(stack, 'T', { network, ...given });
    return stack;
  },
  MetadataDatabaseProps: (given) => {
    const { stack, network } = parts();
    new superset.MetadataDatabase(stack, 'T', { network, ...given });
    return stack;
  },
  TenantDatabasesProps: ({ tenant = TENANT, ...given }) => {
    const { stack, network, server: database, login } = parts();
    const loaderSecret = new superset.LoaderSecret(stack, 'Loader', login);
    const provisioner = new superset.DatabaseProvisioner(stack, 'Provisioner', { network, database, loaderSecret });
    const secret = new superset.TenantSecret(stack, 'Secret', { tenant: TENANT, ...login });
    const logins = [{ tenant: tenant as superset.Tenant, secret }];
    new superset.TenantDatabases(stack, 'T', { provisioner, batch: 'all', ...TABLES, tenants: logins, ...given });
    return stack;
  },
  OwnDatabasesProps: ({ tenant = TENANT, ...given }) => {
    const { stack, provisioner, login } = parts();
    const secret = new superset.TenantSecret(stack, 'Secret', { tenant: TENANT, ...login });
    const placed = [{ tenant: tenant as superset.Tenant, shard: 'a', secret }];
    new superset.OwnDatabases(stack, 'T', { provisioner: provisioner(), batch: 'all', tenants: placed, ...given });
    return stack;
  },
  ShardsProvisionerProps: ({ tenant, ...given }) => {
    const { stack, network, server } = parts();
    const shards = [{ name: 'a', server, connections: 5 }];
    const onlyFor = tenant as superset.Tenant | undefined;
    new superset.ShardsProvisioner(stack, 'T', {
      network,
      ...given,
      shards: shardsOf(given, server) ?? shards,
      onlyFor,
    });
    return stack;
  },
  OwnMetadataDatabaseProps: ({ tenant = TENANT, ...given }) => {
    const { stack, server, provisioner, login } = parts();
    const secret = new superset.TenantMetadataSecret(stack, 'Secret', { tenant: TENANT, ...login });
    const placed = [{ tenant: TENANT, shard: 'a', metadataSecret: secret }];
    const databases = new superset.OwnDatabases(stack, 'D', {
      provisioner: provisioner(),
      batch: 'all',
      tenants: placed,
    });
    const props = { tenant: tenant as superset.Tenant, server, databases, secret, ...given };
    new superset.OwnMetadataDatabase(stack, 'T', props);
    return stack;
  },
  SupersetServiceProps: ({ tenant = TENANT, ...given }) => {
    const { stack, network, certificate } = parts();
    const adminLogin = new superset.AdminLoginSecret(stack, 'Admin', { tenant: TENANT });
    new superset.SupersetService(stack, 'T', {
      network,
      metadataDatabase: new superset.MetadataDatabase(stack, 'M', { network }),
      cache: new superset.SupersetCache(stack, 'C', { network }),
      domainName: 'superset.example.com',
      certificate,
      tenants: [{ tenant: tenant as superset.Tenant, adminLogin }],
      ...given,
    });
    return stack;
  },
  SharedLoadBalancerProps: (given) => {
    const { stack, network, certificate } = parts();
    new superset.SharedLoadBalancer(stack, 'T', { network, certificate, ...given });
    return stack;
  },
  TenancyAlarmsProps: (given) => {
    const { stack, server } = parts();
    new superset.TenancyAlarms(stack, 'T', { ...given, shards: shardsOf(given, server) });
    return stack;
  },
  TenancyNetworkProps: (given) => {
    const stack = newStack();
    new superset.TenancyNetwork(stack, 'T', given);
    return stack;
  },
  InstanceCellProps: (given) => {
    const { stack, network, server: database } = parts();
    new superset.InstanceCell(stack, 'T', { network, database, ...given });
    return stack;
  },
  SharedRlsTenancyProps: ({ tenant = TENANT, ...given }) => {
    const { stack, certificate } = parts();
    const props = { ...TABLES, domainName: 'superset.example.com', certificate, ...given };
    new superset.SharedRlsTenancy(stack, 'T', { tenants: [tenant as superset.Tenant], ...props });
    return stack;
  },
  DatabasePerTenancyProps: ({ tenant = TENANT, ...given }) => {
    const { stack, certificate } = parts();
    const props = { domainName: 'superset.example.com', certificate, ...given };
    new superset.DatabasePerTenancy(stack, 'T', { tenants: [tenant as superset.Tenant], ...props });
    return stack;
  },
  InstancePerTenancyProps: (given) => {
    const { stack, certificate } = parts();
    const props = { tenant: TENANT, domainName: 'superset.example.com', certificate, ...given };
    new superset.InstancePerTenancy(stack, 'T', props);
    return stack;
  },
  TenantLoaderSecret: (given) => {
    const { stack, login } = parts();
    new superset.TenantLoaderSecret(stack, 'T', { tenant: TENANT, ...login, ...given });
    return stack;
  },
  TenantMetadataSecret: (given) => {
    const { stack, login } = parts();
    new superset.TenantMetadataSecret(stack, 'T', { tenant: TENANT, ...login, ...given });
    return stack;
  },
};

/** A good tenant. */
export const TENANT: superset.Tenant = tenants(1)[0];

const TABLES = {
  tenantColumn: { name: 'tenant_id', type: superset.TenantColumnType.UUID },
  tables: [{ name: 'orders', strategy: superset.TableStrategy.COLUMN }],
};

const ENV = { account: '123456789012', region: 'eu-central-1' };

function newStack(): Stack {
  return new Stack(new App(), 'Prod', { env: ENV });
}

/** What most constructs are made with. */
function parts() {
  const stack = newStack();
  const network = new superset.TenancyNetwork(stack, 'Network');
  const server = new superset.TenantDatabaseServer(stack, 'Server', { network, databaseName: 'tenancy' });
  const shards = [{ name: 'a', server, connections: 5 }];
  return {
    ...{ stack, network, server },
    /** Not made for nothing: a server has one provisioner. */
    provisioner: () => new superset.ShardsProvisioner(stack, 'Shards', { network, shards }),
    login: { host: server.hostname, port: server.port, database: server.databaseName },
    certificate: acm.Certificate.fromCertificateArn(
      stack,
      'Certificate',
      `arn:aws:acm:${ENV.region}:${ENV.account}:certificate/5b0d6e0c-7f7f-4c55-9b0d-6a8f3c1c2d4e`,
    ),
  };
}

/** Shards of other names. */
function shardsOf({ shards }: Given, server: superset.TenantDatabaseServer): superset.Shard[] | undefined {
  return (shards as superset.TenantShard[] | undefined)?.map(({ name }) => ({ name, server, connections: 5 }));
}
