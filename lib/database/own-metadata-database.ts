import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { Construct, Dependable } from 'constructs';
import { metadataDatabaseName } from '../provisioning/desired-databases';
import { OwnDatabases } from '../provisioning/own-databases';
import { Tenant } from '../tenant/tenant';
import { TenantMetadataSecret } from '../tenant/tenant-metadata-secret';
import { IMetadataDatabase } from './metadata-database';
import { TenantDatabaseServer } from './tenant-database-server';
import { oneTenantProblems } from '../tenant/tenant-rules';
import { refuse } from '../validation/refuse';

/** Props of {@link OwnMetadataDatabase}. */
export interface OwnMetadataDatabaseProps {
  /** The tenant whose Superset it is. */
  readonly tenant: Tenant;

  /** Server of the tenant's data, where the database is, too. */
  readonly server: TenantDatabaseServer;

  /** What makes the database. Whoever depends on this construct waits for it, and for the way to the server. */
  readonly databases: OwnDatabases;

  /** What Superset logs in with. */
  readonly secret: TenantMetadataSecret;

  /**
   * By what the server is opened, where that is of another stack.
   *
   * @default - the server's
   */
  readonly connections?: ec2.Connections;
}

/** The metadata of one tenant's own Superset: the database `superset_<id>` on the server of the tenant's data. */
export class OwnMetadataDatabase extends Construct implements IMetadataDatabase {
  /** Host name of the server. */
  public readonly hostname: string;

  /** Port of the server, as text. */
  public readonly port: string;

  /** Name of the database. */
  public readonly databaseName: string;

  /** Secret of the role that owns the database, with which all of Superset logs in. */
  public readonly secret: secretsmanager.ISecret;

  /** None: the metadata is one tenant's. */
  public readonly webSecret?: secretsmanager.ISecret;

  /** Connections that the server takes (`max_connections`). */
  public readonly maxConnections: number;

  /** Who may connect to the server. */
  public readonly connections: ec2.Connections;

  /**
   * @param scope the parent.
   * @param id the id in it.
   * @param props the server and the login.
   */
  constructor(scope: Construct, id: string, props: OwnMetadataDatabaseProps) {
    super(scope, id);
    const { server, tenant, databases, secret } = props;
    refuse(this, oneTenantProblems(tenant));
    this.hostname = server.hostname;
    this.port = server.port;
    this.databaseName = metadataDatabaseName(tenant.id);
    this.secret = secret.secret;
    this.maxConnections = server.maxConnections;
    this.connections = props.connections ?? server.connections;
    // The rules that open the server lie below its security group.
    Dependable.implement(this, { dependencyRoots: [this, databases, ...this.connections.securityGroups] });
  }

  /**
   * Lets a principal read the secret of the owner.
   *
   * @param grantee the principal.
   */
  public grantSecretRead(grantee: iam.IGrantable): iam.Grant {
    return this.secret.grantRead(grantee);
  }
}
