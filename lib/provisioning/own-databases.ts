import { CustomResource, Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { claimBatch } from '../naming/name-claims';
import { grantDecryptUnderOwnKeys } from '../tenant/decrypt-under-own-keys';
import { checkSecretsOf } from '../tenant/secrets-of-tenants';
import { Tenant, TenantRemovalPolicy } from '../tenant/tenant';
import { TenantLoaderSecret } from '../tenant/tenant-loader-secret';
import { TenantMetadataSecret } from '../tenant/tenant-metadata-secret';
import { TenantSecret } from '../tenant/tenant-secret';
import { checkRequestSize } from './custom-resource-request';
import { databaseServer } from './database-server';
import { DesiredDatabase, DesiredDatabases } from './desired-databases';
import { desiredLimits } from './desired-limits';
import { ShardsProvisioner } from './shards-provisioner';
import { placeProblems, someTenantsProblems } from '../tenant/tenant-rules';
import { refuse } from '../validation/refuse';
import { dataProblems } from './data-rules';

/** A tenant that has a database of its own. */
export interface DatabaseTenant {
  /** The tenant. */
  readonly tenant: Tenant;

  /** Name of the shard that its database is on. */
  readonly shard: string;

  /**
   * Login of Superset, which may only read.
   *
   * @default - it logs in with tokens of IAM; let the provisioner do so, too: {@link TenantDatabaseServer.grantTenantLogin} for its
   * `handler`
   */
  readonly secret?: TenantSecret;

  /**
   * Login of its ETL.
   *
   * @default - it has none
   */
  readonly loaderSecret?: TenantLoaderSecret;

  /**
   * Login of its own Superset, whose metadata then has a database beside the tenant's.
   *
   * @default - these are elsewhere
   */
  readonly metadataSecret?: TenantMetadataSecret;

  /**
   * Connections that this login may have.
   *
   * @default 100
   */
  readonly metadataConnections?: number;
}

/** Props of {@link OwnDatabases}. */
export interface OwnDatabasesProps {
  /** What makes them. */
  readonly provisioner: ShardsProvisioner;

  /**
   * Name of this batch among those of the provisioner, for good. A tenant that leaves a batch loses its logins, unless
   * another batch has it.
   */
  readonly batch: string;

  /**
   * Schema of the tables in each database.
   *
   * @default 'analytics'
   */
  readonly schema?: string;

  /**
   * Extensions that each database has, for instance `pg_trgm`.
   *
   * @default - none
   */
  readonly extensions?: string[];

  /**
   * Connections that the server of each shard must take for this batch, beyond what the shard says.
   *
   * @default - none: the shard says all
   */
  readonly connections?: number;

  /** The tenants of this batch. */
  readonly tenants: DatabaseTenant[];
}

/**
 * A database for each tenant of a batch, with its roles and limits, kept as declared here.
 *
 * The deployment fails, naming the tenant, if one can reach another's database, or if its database is on another shard already.
 */
export class OwnDatabases extends Construct {
  /** The custom resource. */
  public readonly resource: CustomResource;

  /** What each server of the batch says of its `max_connections`, comma-separated. */
  public readonly serverConnections: string;

  /**
   * @param scope the parent.
   * @param id the id in it.
   * @param props the tenants.
   * @throws ConfigurationError if a tenant, its shard, the schema or an extension is not valid, the tenants are too many for one request of CloudFormation, the
   * provisioner has a batch of that name, or a secret is of another environment than the provisioner.
   */
  constructor(scope: Construct, id: string, props: OwnDatabasesProps) {
    super(scope, id);
    refuse(this, [
      ...dataProblems(props),
      ...someTenantsProblems(props.tenants.map(({ tenant }) => tenant)),
      ...placeProblems(props.tenants, props.provisioner.shards),
    ]);
    const secrets = props.tenants.flatMap((each) =>
      [each.secret ?? [], each.loaderSecret ?? [], each.metadataSecret ?? []].flat(),
    );
    claimBatch(this, props.batch, props.provisioner);
    checkSecretsOf(this, props.provisioner, secrets);
    const state = desiredState(props);
    checkRequestSize(this, state, state.tenants.length, state.tenants.length * 2 + state.servers.length);
    this.resource = new CustomResource(this, 'Resource', {
      resourceType: 'Custom::SupersetOwnDatabases',
      serviceToken: props.provisioner.serviceToken,
      // The function ends after 15 minutes at the latest; without this, CloudFormation would wait for an hour.
      serviceTimeout: Duration.minutes(16),
      properties: { State: state },
    });
    this.serverConnections = this.resource.getAttString('Connections');
    const { handler, encryptionKey } = props.provisioner;
    grantDecryptUnderOwnKeys(
      secrets.map(({ secret }) => secret),
      handler.role!,
      encryptionKey,
    );
  }
}

function desiredState(props: OwnDatabasesProps): DesiredDatabases {
  return {
    batch: props.batch,
    servers: props.provisioner.shards.map((shard) =>
      databaseServer({ ...shard, connections: shard.connections + (props.connections ?? 0) }),
    ),
    schema: props.schema ?? 'analytics',
    extensions: props.extensions ?? [],
    tenants: props.tenants.map(desiredDatabase),
  };
}

function desiredDatabase(given: DatabaseTenant): DesiredDatabase {
  const { tenant, shard, secret, loaderSecret, metadataSecret, metadataConnections = 100 } = given;
  return {
    id: tenant.id,
    server: shard,
    ...(secret && { secret: secret.secretArn }),
    ...(loaderSecret && { loaderSecret: loaderSecret.secretArn }),
    ...(metadataSecret && {
      metadataSecret: metadataSecret.secretArn,
      metadataConnections: `${metadataConnections}`,
    }),
    removalPolicy: tenant.removalPolicy ?? TenantRemovalPolicy.RETAIN,
    ...desiredLimits(tenant),
  };
}
