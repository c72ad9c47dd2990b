import { Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as events from 'aws-cdk-lib/aws-events';
import * as targets from 'aws-cdk-lib/aws-events-targets';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { ownKeyProps } from '../encryption/own-key';
import { TenancyNetwork } from '../network/tenancy-network';
import { grantReadOfTenant } from '../tenant/secrets-of-tenants';
import { Tenant } from '../tenant/tenant';
import { TenantLoaderSecret } from '../tenant/tenant-loader-secret';
import { TenantMetadataSecret } from '../tenant/tenant-metadata-secret';
import { TenantSecret } from '../tenant/tenant-secret';
import { databaseServer } from './database-server';
import { ConfigurationError } from '../validation/configuration-error';
import { REGISTRY_DATABASE, StoredDatabases } from './desired-databases';
import { ProvisionerFunction } from './provisioner-function';
import { Shard } from './shard';
import { oneTenantProblems, shardNameProblems } from '../tenant/tenant-rules';
import { refuse } from '../validation/refuse';

/** Props of {@link ShardsProvisioner}. */
export interface ShardsProvisionerProps {
  /** Network; the function runs in its service subnets and must reach Secrets Manager from there. */
  readonly network: TenancyNetwork;

  /** Servers that it provisions. */
  readonly shards: Shard[];

  /**
   * The one tenant that the servers are for, whose secrets are then all that it may read.
   *
   * @default - the secrets of all tenants of the account and region
   */
  readonly onlyFor?: Tenant;

  /**
   * How often it reconciles each server with what was deployed last: to undo what was changed by hand.
   *
   * @default - every hour
   */
  readonly reconcileSchedule?: events.Schedule;

  /**
   * Key of the secrets, the logs and the functions' environments. Its policy must let CloudWatch Logs use it; that is
   * added unless the key is imported.
   *
   * @default - a key of its own, rotated yearly
   */
  readonly encryptionKey?: kms.IKey;

  /**
   * How long the logs are kept.
   *
   * @default RetentionDays.ONE_YEAR
   */
  readonly logRetention?: logs.RetentionDays;
}

/**
 * Makes a database for each tenant, on the server of its shard: the function behind {@link OwnDatabases}.
 *
 * It runs inside of the VPC and is called by a provider outside of it. It reads the master secret of each server, and the
 * secrets of tenants by their names: its policy does not grow with the tenants.
 */
export class ShardsProvisioner extends Construct implements ec2.IConnectable {
  /** What {@link OwnDatabases} calls. */
  public readonly serviceToken: string;

  /** The function that speaks to PostgreSQL. */
  public readonly handler: lambda.Function;

  /** The servers. */
  public readonly shards: Shard[];

  /** Key of its logs and environments, and of the secrets that it may read; those under other keys let it decrypt them. */
  public readonly encryptionKey: kms.IKey;

  /** Whom the function may reach: the servers, and HTTPS for Secrets Manager. */
  public readonly connections: ec2.Connections;

  /**
   * @param scope the parent.
   * @param id the id in it.
   * @param props the servers and what it needs.
   * @throws ConfigurationError if the database of a server is not named `tenancy`.
   */
  constructor(scope: Construct, id: string, props: ShardsProvisionerProps) {
    super(scope, id);
    refuse(this, [...shardNameProblems(props.shards), ...(props.onlyFor ? oneTenantProblems(props.onlyFor) : [])]);
    props.shards.forEach((shard) => this.checkDatabase(shard));
    this.shards = props.shards;
    const encryptionKey = props.encryptionKey ?? new kms.Key(this, 'Key', ownKeyProps(`Provisioner ${this.node.path}`));
    const { handler, serviceToken } = new ProvisionerFunction(this, 'Default', {
      network: props.network,
      servers: props.shards.map(({ server }) => server),
      description: 'Makes a database for each tenant, heals what was changed by hand, and proves their isolation',
      entry: 'onDatabasesEvent',
      environment: {},
      encryptionKey,
      logRetention: props.logRetention ?? logs.RetentionDays.ONE_YEAR,
    });
    this.handler = handler;
    this.encryptionKey = encryptionKey;
    this.serviceToken = serviceToken;
    this.connections = handler.connections;
    if (props.onlyFor) {
      grantReadOfTenant(this, props.onlyFor, handler, encryptionKey);
    } else {
      TenantSecret.grantReadAll(this, handler, encryptionKey);
      TenantLoaderSecret.grantReadAll(this, handler, encryptionKey);
      TenantMetadataSecret.grantReadAll(this, handler, encryptionKey);
    }
    this.addSchedules(props.reconcileSchedule ?? events.Schedule.rate(Duration.hours(1)));
  }

  /**
   * Lets a principal call the function.
   *
   * @param grantee the principal.
   */
  public grantReconcile(grantee: iam.IGrantable): iam.Grant {
    return this.handler.grantInvoke(grantee);
  }

  /**
   * Runs that failed: a tenant could not be made, or is not isolated.
   *
   * @param options of the metric.
   * @default - sum of 5 minutes
   */
  public metricErrors(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.handler.metricErrors(options);
  }

  /**
   * How long a run took, in milliseconds. It is ended at 15 minutes.
   *
   * @param options of the metric.
   * @default - average of 5 minutes
   */
  public metricDuration(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.handler.metricDuration(options);
  }

  private checkDatabase({ name, server: { databaseName } }: Shard): void {
    if (databaseName === REGISTRY_DATABASE) return;
    throw new ConfigurationError(
      this,
      'SHARD_DATABASE_NAME',
      `the server of shard ${name} has the database '${databaseName}'; the provisioner keeps its books in '${REGISTRY_DATABASE}'. Make the server with databaseName: '${REGISTRY_DATABASE}'.`,
    );
  }

  /** One for each server: none waits for another, and each has the function's 15 minutes. */
  private addSchedules(schedule: events.Schedule): void {
    for (const shard of this.shards) {
      const stored: StoredDatabases = { reconcile: 'stored', servers: [databaseServer(shard)] };
      const target = new targets.LambdaFunction(this.handler, {
        event: events.RuleTargetInput.fromObject(stored),
        retryAttempts: 0,
      });
      const description = `Reconciles the databases of tenants on shard ${shard.name} with what was deployed last`;
      new events.Rule(this, `Schedule-${shard.name}`, { description, schedule, targets: [target] });
    }
  }
}
