import { Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as events from 'aws-cdk-lib/aws-events';
import * as targets from 'aws-cdk-lib/aws-events-targets';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { TenantDatabaseServer } from '../database/tenant-database-server';
import { ownKeyProps } from '../encryption/own-key';
import { TenancyNetwork } from '../network/tenancy-network';
import { TenantSecret } from '../tenant/tenant-secret';
import { ProvisionerEnvironment } from './desired-state';
import { LoaderSecret } from './loader-secret';
import { ProvisionerFunction } from './provisioner-function';

/** Props of {@link DatabaseProvisioner}. */
export interface DatabaseProvisionerProps {
  /** Network; the function runs in its service subnets and must reach Secrets Manager from there. */
  readonly network: TenancyNetwork;

  /** Server that it provisions. */
  readonly database: TenantDatabaseServer;

  /** Login of the operator's ETL, which it makes. */
  readonly loaderSecret: LoaderSecret;

  /**
   * How often it reconciles what was deployed last: to undo what was changed by hand, and to protect tables that
   * have appeared since.
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
 * Makes tenants in PostgreSQL: the function behind {@link TenantDatabases}.
 *
 * It runs inside of the VPC and is called by a provider outside of it, so that CloudFormation gets an answer whatever
 * the network does. It reads the server's master secret, the loader's, and the secrets named
 * `superset/tenant/<id>/db_credentials` of its account and region: its policy does not grow with the tenants.
 */
export class DatabaseProvisioner extends Construct implements ec2.IConnectable {
  /** What {@link TenantDatabases} calls. */
  public readonly serviceToken: string;

  /** The function that speaks to PostgreSQL. */
  public readonly handler: lambda.Function;

  /** The server that it provisions. */
  public readonly database: TenantDatabaseServer;

  /** Whom the function may reach: the server, and HTTPS for Secrets Manager. */
  public readonly connections: ec2.Connections;

  /**
   * @param scope the parent.
   * @param id the id in it.
   * @param props the server and what it needs.
   */
  constructor(scope: Construct, id: string, props: DatabaseProvisionerProps) {
    super(scope, id);
    this.database = props.database;
    const encryptionKey = props.encryptionKey ?? new kms.Key(this, 'Key', ownKeyProps(`Provisioner ${this.node.path}`));
    const { handler, serviceToken } = new ProvisionerFunction(this, 'Default', {
      network: props.network,
      servers: [props.database],
      description: 'Makes tenants in PostgreSQL, heals what was changed by hand, and proves their isolation',
      entry: 'onEvent',
      environment: { ...environmentOf(props) },
      encryptionKey,
      logRetention: props.logRetention ?? logs.RetentionDays.ONE_YEAR,
    });
    this.handler = handler;
    this.serviceToken = serviceToken;
    this.connections = handler.connections;
    props.loaderSecret.grantRead(handler);
    TenantSecret.grantReadAll(this, handler, encryptionKey);
    this.addSchedule(props.reconcileSchedule ?? events.Schedule.rate(Duration.hours(1)));
  }

  /**
   * Lets a principal call the function. An ETL that has made a declared table calls it with
   * `{"reconcile": "stored"}`, and tenants can read the table when the call returns.
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

  private addSchedule(schedule: events.Schedule): void {
    const target = new targets.LambdaFunction(this.handler, {
      event: events.RuleTargetInput.fromObject({ reconcile: 'stored' }),
      retryAttempts: 0,
    });
    const description = 'Reconciles the tenants in PostgreSQL with what was deployed last';
    new events.Rule(this, 'Schedule', { description, schedule, targets: [target] });
  }
}

function environmentOf({ database, loaderSecret }: DatabaseProvisionerProps): ProvisionerEnvironment {
  return {
    DATABASE_HOST: database.hostname,
    DATABASE_PORT: database.port,
    DATABASE_NAME: database.databaseName,
    MASTER_SECRET: database.masterSecret.secretArn,
    LOADER_SECRET: loaderSecret.secretArn,
  };
}
