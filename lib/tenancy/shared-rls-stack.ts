import { CfnOutput, RemovalPolicy, Stack, StackProps } from 'aws-cdk-lib';
import * as kms from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import { noteAdvice } from '../advice/advice-report';
import { SupersetCache } from '../cache/superset-cache';
import { MetadataDatabase } from '../database/metadata-database';
import { TenantDatabaseServer } from '../database/tenant-database-server';
import { ownKeyProps } from '../encryption/own-key';
import { Environment, EnvironmentData, TenancyModel } from '../environment/environment';
import { EnvironmentNames } from '../naming/environment-names';
import { TenancyNetwork } from '../network/tenancy-network';
import { checkStackNames } from '../placement/stack-names';
import { TerminationProtection } from '../protection/termination-protection';
import { AdminLoginSecret } from '../tenant/admin-login-secret';
import { TenantSecret } from '../tenant/tenant-secret';
import { checkEnvironment, networkProps, serverProps, supersetProps } from './environment-parts';
import { SharedRlsTenancy } from './shared-rls-tenancy';

/** Props of {@link SharedRlsStack}. */
export interface SharedRlsStackProps extends StackProps {
  /** The environment. Its account and region are the stack's. */
  readonly environment: Environment;
}

/** One environment of the shared model as a stack of its own. */
export class SharedRlsStack extends Stack {
  /** The model and its parts. */
  public readonly tenancy: SharedRlsTenancy;

  private readonly zones?: string[];

  /**
   * @param scope the app or stage.
   * @param id the id in it, and the name of the stack.
   * @param props the environment.
   * @throws ConfigurationError if something of the environment is not valid, or a quota of AWS would be exceeded.
   */
  constructor(scope: Construct, id: string, props: SharedRlsStackProps) {
    const { environment } = props;
    const destroy = environment.destroyDataWithStack ?? false;
    super(scope, id, {
      terminationProtection: !destroy,
      ...props,
      env: { account: environment.account, region: environment.region },
    });
    checkEnvironment(this, environment, TenancyModel.SHARED_RLS);
    checkStackNames(this);
    if (this.terminationProtection) new TerminationProtection(this, 'TerminationProtection');
    EnvironmentNames.define(this, { secretNamePrefix: environment.secretNamePrefix });
    this.zones = environment.network?.availabilityZones;
    const removalPolicy = destroy ? RemovalPolicy.DESTROY : RemovalPolicy.RETAIN;
    const encryptionKey = new kms.Key(this, 'Key', ownKeyProps(`Superset tenancy ${id}`, removalPolicy));
    const ours = { encryptionKey, removalPolicy };

    const network = new TenancyNetwork(this, 'Network', networkProps(this, environment, encryptionKey, removalPolicy));
    const inNetwork = { network, ...ours };
    this.tenancy = new SharedRlsTenancy(this, 'Tenancy', {
      ...inNetwork,
      database: new TenantDatabaseServer(this, 'Database', { ...inNetwork, ...serverProps(environment.database) }),
      metadataDatabase: new MetadataDatabase(this, 'Metadata', {
        ...inNetwork,
        ...serverProps(environment.metadataDatabase),
      }),
      cache: new SupersetCache(this, 'Cache', { ...inNetwork, ...environment.cache }),
      ...supersetProps(this, environment, network),
      alarmEmails: environment.alarms?.emails,
      ...tablesOf(environment),
      tenants: environment.tenants,
    });
    noteAdvice(this, environment);
    this.addOutputs();
  }

  /** The zones that the environment names; without them the CDK looks the account's up. */
  public get availabilityZones(): string[] {
    return this.zones ?? super.availabilityZones;
  }

  private addOutputs(): void {
    const { database, loaderSecret, provisioner, sharedDatabase, superset } = this.tenancy;
    const prefix = EnvironmentNames.of(this).secretNamePrefix;
    const outputs: { [id: string]: [value: string, description: string] } = {
      Url: [superset.url, 'Where users go; point its host name to the load balancer'],
      LoadBalancer: [superset.loadBalancer.loadBalancerDnsName, 'What the host name points to'],
      DatabaseEndpoint: [`${database.hostname}:${database.port}`, "Server of the tenants' data"],
      DatabaseName: [database.databaseName, "Database of the tenants' data"],
      LoaderSecretArn: [loaderSecret.secretArn, 'Login of the ETL that loads the tables'],
      TenantSecretNames: [TenantSecret.nameFor('<tenant id>', prefix), 'Login of each tenant in PostgreSQL'],
      AdminLoginSecretNames: [
        AdminLoginSecret.nameFor('<tenant id>', prefix),
        'First login of each tenant in Superset',
      ],
      ReconcileFunction: [
        provisioner.handler.functionName,
        'Call it with {"reconcile":"stored"} after a table was made',
      ],
      PendingTables: [sharedDatabase.pendingTables, 'Declared tables that do not exist yet'],
      UnreadableRelations: [
        sharedDatabase.unreadableRelations,
        'Relations that no tenant can read, for want of a policy',
      ],
    };
    for (const [id, [value, description]] of Object.entries(outputs)) {
      new CfnOutput(this, id, { value, description });
    }
  }
}

/** What the rules of the model have seen to. */
function tablesOf({ data }: Environment) {
  const { schema, tenantColumn, tables } = data as Required<EnvironmentData>;
  return { schema, tenantColumn, tables };
}
