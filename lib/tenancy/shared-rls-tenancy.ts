import { CfnResource, RemovalPolicy } from 'aws-cdk-lib';
import * as kms from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import { SupersetCache } from '../cache/superset-cache';
import { MetadataDatabase } from '../database/metadata-database';
import { TenantDatabaseServer } from '../database/tenant-database-server';
import { TenantColumn, TenantTable } from '../database/tenant-table';
import { DEFAULT_TASKS } from '../defaults';
import { ownKeyProps } from '../encryption/own-key';
import { TenancyAlarms } from '../monitoring/tenancy-alarms';
import { EnvironmentNames } from '../naming/environment-names';
import { TenancyNetwork } from '../network/tenancy-network';
import { DatabaseProvisioner } from '../provisioning/database-provisioner';
import { LoaderSecret } from '../provisioning/loader-secret';
import { TenantDatabases } from '../provisioning/tenant-databases';
import { SupersetService } from '../superset/superset-service';
import { AdminLoginSecret } from '../tenant/admin-login-secret';
import { tenantProblems } from '../tenant/tenant-rules';
import { TenantSecret } from '../tenant/tenant-secret';
import { ConfigurationError } from '../validation/configuration-error';
import { checkConnections, checkMetadataConnections } from './connection-budget';
import { warnOfFit } from './model-fit';
import { supersetOptions } from './superset-options';
import { SharedSupersetOptions } from './tenancy-options';
import { placeTenants } from './tenant-placement';
import { TenantsStack } from './tenants-stack';
import { refuse } from '../validation/refuse';
import { propertyProblems } from '../validation/schema';
import { supersetProblems } from '../superset/superset-rules';
import { dataProblems } from '../provisioning/data-rules';
import { checkStackQuotas } from '../validation/stack-quotas';

/** Props of {@link SharedRlsTenancy}. */
export interface SharedRlsTenancyProps extends SharedSupersetOptions {
  /** The column that says which tenant a row belongs to. */
  readonly tenantColumn: TenantColumn;

  /** The tables that tenants may read, each its own rows. They need not exist yet. */
  readonly tables: TenantTable[];

  /**
   * Server of the tenants' data.
   *
   * @default - a new one with the defaults of {@link TenantDatabaseServer}
   */
  readonly database?: TenantDatabaseServer;
}

/**
 * The shared model: one Superset and one PostgreSQL server for all tenants, kept apart by their login roles and
 * row-level security.
 */
export class SharedRlsTenancy extends Construct {
  /** Key of everything that the model makes. */
  public readonly encryptionKey: kms.IKey;

  /** Network. */
  public readonly network: TenancyNetwork;

  /** Server of the tenants' data. */
  public readonly database: TenantDatabaseServer;

  /** Server of Superset's metadata. */
  public readonly metadataDatabase: MetadataDatabase;

  /** Cache. */
  public readonly cache: SupersetCache;

  /** Superset. It may connect to the server of the tenants' data, and read the login of each tenant. */
  public readonly superset: SupersetService;

  /** Alarms; send your own to its topic by `addAlarm`. */
  public readonly alarms: TenancyAlarms;

  /** Login of the operator's ETL. */
  public readonly loaderSecret: LoaderSecret;

  /** What makes tenants in PostgreSQL. */
  public readonly provisioner: DatabaseProvisioner;

  /** What all tenants share in PostgreSQL: schema, policies, loader. */
  public readonly sharedDatabase: TenantDatabases;

  /** Login of each tenant, in the order of their ids within their stacks. */
  public readonly tenantSecrets: TenantSecret[];

  /**
   * @param scope the parent.
   * @param id the id in it.
   * @param props the tenants, and parts that exist already.
   * @throws ConfigurationError if a tenant, a table or the content is not valid, or a quota of AWS would be exceeded.
   */
  constructor(scope: Construct, id: string, props: SharedRlsTenancyProps) {
    super(scope, id);
    EnvironmentNames.define(this, { secretNamePrefix: props.secretNamePrefix });
    this.checkTenants(props);
    const removalPolicy = props.removalPolicy ?? RemovalPolicy.RETAIN;
    this.encryptionKey =
      props.encryptionKey ?? new kms.Key(this, 'Key', ownKeyProps(`Tenancy ${this.node.path}`, removalPolicy));
    const ours = { encryptionKey: this.encryptionKey, removalPolicy };

    this.network =
      props.network ?? new TenancyNetwork(this, 'Network', { ...ours, publicSubnets: props.internetFacing });
    const inNetwork = { network: this.network, ...ours };
    this.database = props.database ?? new TenantDatabaseServer(this, 'Database', inNetwork);
    this.metadataDatabase = props.metadataDatabase ?? new MetadataDatabase(this, 'Metadata', inNetwork);
    this.cache = props.cache ?? new SupersetCache(this, 'Cache', inNetwork);
    checkConnections(this, props.tenants, this.database.maxConnections);
    checkMetadataConnections(
      this,
      props.maxWebTasks ?? DEFAULT_TASKS.maxWebTasks,
      props.maxWorkerTasks ?? DEFAULT_TASKS.maxWorkerTasks,
      this.metadataDatabase.maxConnections,
    );
    warnOfFit(this, props.tenants.length, this.database.storageGiB);

    this.loaderSecret = this.newLoaderSecret();
    this.provisioner = new DatabaseProvisioner(this, 'Provisioner', {
      network: this.network,
      database: this.database,
      loaderSecret: this.loaderSecret,
      reconcileSchedule: props.reconcileSchedule,
      encryptionKey: this.encryptionKey,
    });
    this.sharedDatabase = new TenantDatabases(this, 'Shared', {
      ...tablesOf(props),
      provisioner: this.provisioner,
      batch: 'cell',
    });
    const stacks = this.placeTenants(props);
    this.tenantSecrets = stacks.flatMap(({ secrets }) => secrets);

    this.superset = this.newSuperset(props, stacks, removalPolicy);
    this.letSupersetIn();

    this.alarms = new TenancyAlarms(this, 'Alarms', {
      topic: props.alarmTopic,
      emails: props.alarmEmails,
      encryptionKey: this.encryptionKey,
      tenantDatabase: this.database,
      metadataDatabase: this.metadataDatabase,
      cache: this.cache,
      superset: this.superset,
      provisioner: this.provisioner,
    });
    checkStackQuotas(this);
  }

  private checkTenants(props: SharedRlsTenancyProps): void {
    refuse(this, [
      ...propertyProblems('Environment', 'tenants', props.tenants, ['tenants']),
      ...tenantProblems(props.tenants, props.tenantColumn, props.tables),
      ...dataProblems(props),
      ...supersetProblems(this, props),
    ]);
    if (!props.network && (props.database || props.metadataDatabase || props.cache)) {
      throw new ConfigurationError(
        this,
        'NETWORK_MISSING',
        'a database or cache is given without its network. Give the network that it stands in, too.',
      );
    }
  }

  private newLoaderSecret(): LoaderSecret {
    return new LoaderSecret(this, 'Loader', {
      host: this.database.hostname,
      port: this.database.port,
      database: this.database.databaseName,
      encryptionKey: this.encryptionKey,
    });
  }

  private placeTenants(props: SharedRlsTenancyProps): TenantsStack[] {
    const shared = this.sharedDatabase.resource.node.defaultChild as CfnResource;
    return [...placeTenants(props.tenants)].map(([number, tenants]) => {
      const stack = new TenantsStack(this, `Tenants${number}`, {
        ...tablesOf(props),
        tenants,
        provisioner: this.provisioner,
        encryptionKey: this.encryptionKey,
      });
      stack.nestedStackResource!.addResourceDependency(shared);
      return stack;
    });
  }

  private newSuperset(
    props: SharedRlsTenancyProps,
    stacks: TenantsStack[],
    removalPolicy: RemovalPolicy,
  ): SupersetService {
    return new SupersetService(this, 'Superset', {
      ...supersetOptions(props),
      certificate: props.certificate,
      tenants: stacks.flatMap(({ supersetTenants }) => supersetTenants),
      network: this.network,
      metadataDatabase: this.metadataDatabase,
      cache: this.cache,
      encryptionKey: this.encryptionKey,
      removalPolicy,
    });
  }

  private letSupersetIn(): void {
    this.database.connections.allowDefaultPortFrom(this.superset, 'Superset, as one of the tenants');
    TenantSecret.grantReadAll(this.superset, this.superset.taskRole, this.encryptionKey);
    AdminLoginSecret.grantReadAll(this.superset, this.superset.migrationRole, this.encryptionKey);
  }
}

function tablesOf(props: SharedRlsTenancyProps) {
  return { schema: props.schema, tenantColumn: props.tenantColumn, tables: props.tables };
}
