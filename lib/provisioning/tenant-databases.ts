import { CustomResource, Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { TenantColumn, TenantTable } from '../database/tenant-table';
import { claimBatch } from '../naming/name-claims';
import { Tenant, TenantRemovalPolicy } from '../tenant/tenant';
import { checkSecretsOf } from '../tenant/secrets-of-tenants';
import { TenantSecret } from '../tenant/tenant-secret';
import { checkRequestSize } from './custom-resource-request';
import { DatabaseProvisioner } from './database-provisioner';
import { desiredLimits } from './desired-limits';
import { DesiredState, DesiredTenant } from './desired-state';
import { tenantProblems } from '../tenant/tenant-rules';
import { refuse } from '../validation/refuse';
import { dataProblems } from './data-rules';

/** A tenant together with its login. */
export interface TenantLogin {
  /** The tenant. */
  readonly tenant: Tenant;

  /** Its login. */
  readonly secret: TenantSecret;
}

/** Props of {@link TenantDatabases}. */
export interface TenantDatabasesProps {
  /** What makes them. */
  readonly provisioner: DatabaseProvisioner;

  /**
   * Name of this batch among those of the server, for good. A tenant that leaves a batch loses its logins, unless
   * another batch has it.
   */
  readonly batch: string;

  /**
   * Schema of the declared tables.
   *
   * @default 'analytics'
   */
  readonly schema?: string;

  /** The column that says which tenant a row belongs to. */
  readonly tenantColumn: TenantColumn;

  /** The tables that tenants may read, each its own rows. */
  readonly tables: TenantTable[];

  /**
   * The tenants of this batch.
   *
   * @default - none: only what all tenants share, and the operator's loader
   */
  readonly tenants?: TenantLogin[];
}

/**
 * Tenants in PostgreSQL: their login roles, limits, policies, partitions and schemas, kept as declared here.
 *
 * The deployment fails, naming tenant and table, if a tenant can read a foreign row or cannot read one of its own.
 */
export class TenantDatabases extends Construct {
  /** The custom resource. */
  public readonly resource: CustomResource;

  /** Declared tables that did not exist at the last deployment, comma-separated. They are safe when they appear. */
  public readonly pendingTables: string;

  /** Relations in the schema that no tenant can read since no policy protects them, comma-separated. */
  public readonly unreadableRelations: string;

  /**
   * @param scope the parent.
   * @param id the id in it.
   * @param props the tenants and the tables.
   * @throws ConfigurationError if a tenant, the schema, the column or a table is not valid, the tenants are too many for one request of CloudFormation, the
   * provisioner has a batch of that name, or a secret is of another environment than the provisioner.
   */
  constructor(scope: Construct, id: string, props: TenantDatabasesProps) {
    super(scope, id);
    const tenants = (props.tenants ?? []).map(({ tenant }) => tenant);
    refuse(this, [...dataProblems(props), ...tenantProblems(tenants, props.tenantColumn, props.tables)]);
    const secrets = (props.tenants ?? []).map(({ secret }) => secret);
    claimBatch(this, props.batch, props.provisioner);
    checkSecretsOf(this, props.provisioner, secrets);
    const state = desiredState(props);
    checkRequestSize(this, state, state.tenants.length, state.tenants.length);
    this.resource = new CustomResource(this, 'Resource', {
      resourceType: 'Custom::SupersetTenantDatabases',
      serviceToken: props.provisioner.serviceToken,
      // The function ends after 15 minutes at the latest; without this, CloudFormation would wait for an hour.
      serviceTimeout: Duration.minutes(16),
      properties: { State: state },
    });
    this.pendingTables = this.resource.getAttString('PendingTables');
    this.unreadableRelations = this.resource.getAttString('UnreadableRelations');
  }
}

function desiredState(props: TenantDatabasesProps): DesiredState {
  const { hostname, port, databaseName } = props.provisioner.database;
  return {
    batch: props.batch,
    server: `${hostname}:${port}/${databaseName}`,
    schema: props.schema ?? 'analytics',
    tenantColumn: { name: props.tenantColumn.name, type: props.tenantColumn.type },
    tables: props.tables.map(({ name, strategy }) => ({ name, strategy })),
    tenants: (props.tenants ?? []).map(desiredTenant),
  };
}

function desiredTenant({ tenant, secret }: TenantLogin): DesiredTenant {
  return {
    id: tenant.id,
    value: tenant.value as string,
    secret: secret.secretArn,
    removalPolicy: tenant.removalPolicy ?? TenantRemovalPolicy.RETAIN,
    ...desiredLimits(tenant),
  };
}
