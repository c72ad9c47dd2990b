import { CfnOutput, Duration, RemovalPolicy, Stack, StackProps } from 'aws-cdk-lib';
import * as kms from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import { noteAdvice } from '../advice/advice-report';
import { SupersetCache } from '../cache/superset-cache';
import { MetadataDatabase } from '../database/metadata-database';
import { TenantDatabaseServer } from '../database/tenant-database-server';
import { ownKeyProps } from '../encryption/own-key';
import { Environment, TenancyModel } from '../environment/environment';
import { EnvironmentNames } from '../naming/environment-names';
import { TenancyNetwork } from '../network/tenancy-network';
import { checkStackNames } from '../placement/stack-names';
import { REGISTRY_DATABASE } from '../provisioning/desired-databases';
import { TerminationProtection } from '../protection/termination-protection';
import { AdminLoginSecret } from '../tenant/admin-login-secret';
import { TenantKey } from '../tenant/tenant-key';
import { TenantLoaderSecret } from '../tenant/tenant-loader-secret';
import { TenantSecret } from '../tenant/tenant-secret';
import { DatabasePerTenancy, TenantShard } from './database-per-tenancy';
import { checkEnvironment, networkProps, serverProps, supersetProps } from './environment-parts';

/** Props of {@link DatabasePerTenantStack}. */
export interface DatabasePerTenantStackProps extends StackProps {
  /** The environment. Its account and region are the stack's. */
  readonly environment: Environment;
}

/** One environment of the model with a database for each tenant, as a stack of its own. */
export class DatabasePerTenantStack extends Stack {
  /** The model and its parts. */
  public readonly tenancy: DatabasePerTenancy;

  private readonly zones?: string[];

  /**
   * @param scope the app or stage.
   * @param id the id in it, and the name of the stack.
   * @param props the environment.
   * @throws ConfigurationError if something of the environment is not valid, or a quota of AWS would be exceeded.
   */
  constructor(scope: Construct, id: string, props: DatabasePerTenantStackProps) {
    const { environment } = props;
    const destroy = environment.destroyDataWithStack ?? false;
    super(scope, id, {
      terminationProtection: !destroy,
      ...props,
      env: { account: environment.account, region: environment.region },
    });
    checkEnvironment(this, environment, TenancyModel.DATABASE_PER_TENANT);
    checkStackNames(this);
    if (this.terminationProtection) new TerminationProtection(this, 'TerminationProtection');
    EnvironmentNames.define(this, { secretNamePrefix: environment.secretNamePrefix });
    this.zones = environment.network?.availabilityZones;
    const removalPolicy = destroy ? RemovalPolicy.DESTROY : RemovalPolicy.RETAIN;
    const encryptionKey = new kms.Key(this, 'Key', ownKeyProps(`Superset tenancy ${id}`, removalPolicy));
    const ours = { encryptionKey, removalPolicy };

    const network = new TenancyNetwork(this, 'Network', networkProps(this, environment, encryptionKey, removalPolicy));
    const inNetwork = { network, ...ours };
    const tenantKeys = this.newTenantKeys(environment, removalPolicy);
    const { borrowTimeoutSeconds, authentication, ...percentages } = environment.proxy ?? {};
    this.tenancy = new DatabasePerTenancy(this, 'Tenancy', {
      ...inNetwork,
      shards: this.newShards(environment, network, tenantKeys, ours),
      defaultShards: environment.defaultShards,
      tenantKeys,
      proxyAuthentication: authentication,
      ...percentages,
      borrowTimeout: borrowTimeoutSeconds === undefined ? undefined : Duration.seconds(borrowTimeoutSeconds),
      metadataDatabase: new MetadataDatabase(this, 'Metadata', {
        ...inNetwork,
        ...serverProps(environment.metadataDatabase),
      }),
      cache: new SupersetCache(this, 'Cache', { ...inNetwork, ...environment.cache }),
      ...supersetProps(this, environment, network),
      alarmEmails: environment.alarms?.emails,
      schema: environment.data?.schema,
      extensions: environment.data?.extensions,
      tenants: environment.tenants,
    });
    noteAdvice(this, environment);
    this.addOutputs();
  }

  /** The zones that the environment names; without them the CDK looks the account's up. */
  public get availabilityZones(): string[] {
    return this.zones ?? super.availabilityZones;
  }

  /** Keys that a server is encrypted with, too: those of the others are made beside their secrets. */
  private newTenantKeys(environment: Environment, removalPolicy: RemovalPolicy): { [tenantId: string]: kms.IKey } {
    const withServer = new Set((environment.shards ?? []).map(({ onlyFor }) => onlyFor));
    const tenants = environment.tenants.filter(({ id, ownKey }) => ownKey && withServer.has(id));
    return Object.fromEntries(
      tenants.map((tenant) => [tenant.id, new TenantKey(this, `Key-${tenant.id}`, { tenant, removalPolicy }).key]),
    );
  }

  private newShards(
    environment: Environment,
    network: TenancyNetwork,
    tenantKeys: { [tenantId: string]: kms.IKey },
    ours: { readonly encryptionKey: kms.IKey; readonly removalPolicy: RemovalPolicy },
  ): TenantShard[] {
    return (environment.shards ?? [{ name: 'a' }]).map(({ name, onlyFor, ...size }) => ({
      name,
      onlyFor,
      server: new TenantDatabaseServer(this, `Shard-${name}`, {
        network,
        removalPolicy: ours.removalPolicy,
        encryptionKey: (onlyFor && tenantKeys[onlyFor]) || ours.encryptionKey,
        databaseName: REGISTRY_DATABASE,
        ...serverProps({ ...environment.database, ...size }),
      }),
    }));
  }

  private addOutputs(): void {
    const { superset, provisioner, shards, proxies, connectionBudget } = this.tenancy;
    const { tenants, tenantSecrets } = this.tenancy;
    const prefix = EnvironmentNames.of(this).secretNamePrefix;
    const outputs: { [id: string]: [value: string, description: string] } = {
      Url: [superset.url, 'Where users go; point its host name to the load balancer'],
      LoadBalancer: [superset.loadBalancer.loadBalancerDnsName, 'What the host name points to'],
      AdminLoginSecretNames: [
        AdminLoginSecret.nameFor('<tenant id>', prefix),
        'First login of each tenant in Superset',
      ],
      ReconcileFunction: [provisioner.handler.functionName, 'Makes the databases, and heals them every hour'],
      ConnectionBudget: [connectionBudget, 'Connections of each shard'],
    };
    if (tenantSecrets.length > 0) {
      outputs.TenantSecretNames = [TenantSecret.nameFor('<tenant id>', prefix), 'Login of each tenant in PostgreSQL'];
    }
    if (tenants.some(({ loader }) => loader)) {
      outputs.LoaderSecretNames = [TenantLoaderSecret.nameFor('<tenant id>', prefix), "Login of each tenant's ETL"];
    }
    for (const { name, server } of shards) {
      const proxy = proxies.find((each) => each.server === server);
      outputs[`Shard${name}`] = [`${server.hostname}:${server.port}`, `Server of shard ${name}, for ETL and operators`];
      if (proxy) outputs[`Proxy${name}`] = [`${proxy.hostname}:${proxy.port}`, `Proxy of shard ${name}`];
    }
    for (const [id, [value, description]] of Object.entries(outputs)) {
      new CfnOutput(this, id, { value, description });
    }
  }
}
