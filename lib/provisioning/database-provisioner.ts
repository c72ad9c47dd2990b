import { join } from 'node:path';
import { Duration, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as events from 'aws-cdk-lib/aws-events';
import * as targets from 'aws-cdk-lib/aws-events-targets';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as customResources from 'aws-cdk-lib/custom-resources';
import { Construct } from 'constructs';
import { TenantDatabaseServer } from '../database/tenant-database-server';
import { letLogsUse, ownKeyProps } from '../encryption/own-key';
import { TenancyNetwork } from '../network/tenancy-network';
import { TenantSecret } from '../tenant/tenant-secret';
import { skipCfnLint, skipCheckov } from '../validation/skipped-checks';
import { ProvisionerEnvironment } from './desired-state';
import { LoaderSecret } from './loader-secret';

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
    const key = props.encryptionKey ?? new kms.Key(this, 'Key', ownKeyProps(`Provisioner ${this.node.path}`));
    const logGroup = this.newLogGroup(key, props.logRetention ?? logs.RetentionDays.ONE_YEAR);
    this.handler = this.newHandler(props, key, logGroup);
    this.connections = this.handler.connections;
    this.database.connections.allowDefaultPortFrom(this.handler, 'Database provisioner');
    this.letReadSecrets(props.loaderSecret, key);
    const provider = this.newProvider(props, key, logGroup);
    this.serviceToken = provider.serviceToken;
    this.addSchedule(props.reconcileSchedule ?? events.Schedule.rate(Duration.hours(1)));
    this.acknowledgeFindings(provider);
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

  private newLogGroup(key: kms.IKey, retention: logs.RetentionDays): logs.LogGroup {
    letLogsUse(key, this);
    return new logs.LogGroup(this, 'Log', { encryptionKey: key, retention, removalPolicy: RemovalPolicy.DESTROY });
  }

  private newHandler(props: DatabaseProvisionerProps, key: kms.IKey, logGroup: logs.ILogGroup): lambda.Function {
    const { network, database } = props;
    const environment: ProvisionerEnvironment = {
      DATABASE_HOST: database.hostname,
      DATABASE_PORT: database.port,
      DATABASE_NAME: database.databaseName,
      MASTER_SECRET: database.masterSecret.secretArn,
      LOADER_SECRET: props.loaderSecret.secretArn,
    };
    const securityGroup = new ec2.SecurityGroup(this, 'SecurityGroup', {
      vpc: network.vpc,
      description: 'Database provisioner: PostgreSQL and Secrets Manager',
      allowAllOutbound: false,
    });
    securityGroup.addEgressRule(ec2.Peer.anyIpv4(), ec2.Port.HTTPS, 'Secrets Manager');
    return new lambda.Function(this, 'Handler', {
      description: 'Makes tenants in PostgreSQL, heals what was changed by hand, and proves their isolation',
      runtime: lambda.Runtime.NODEJS_24_X,
      architecture: lambda.Architecture.ARM_64,
      code: lambda.Code.fromAsset(join(__dirname, 'handler.bundle')),
      handler: 'index.onEvent',
      // The most that Lambda allows (Lambda quotas).
      timeout: Duration.minutes(15),
      memorySize: 1024,
      vpc: network.vpc,
      vpcSubnets: network.serviceSubnets,
      securityGroups: [securityGroup],
      logGroup,
      environment: { ...environment },
      environmentEncryption: key,
    });
  }

  private letReadSecrets(loaderSecret: LoaderSecret, key: kms.IKey): void {
    this.database.grantMasterSecretRead(this.handler);
    loaderSecret.grantRead(this.handler);
    TenantSecret.grantReadAll(this, this.handler, key);
    // Twenty at a time. It takes no resource, and gives only what GetSecretValue would give of each.
    this.handler.addToRolePolicy(
      new iam.PolicyStatement({ actions: ['secretsmanager:BatchGetSecretValue'], resources: ['*'] }),
    );
    Validations.of(this.handler).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::*]',
      reason:
        'secretsmanager:BatchGetSecretValue takes no resource (Service Authorization Reference); each secret needs GetSecretValue besides.',
    });
  }

  private newProvider(
    props: DatabaseProvisionerProps,
    key: kms.IKey,
    logGroup: logs.ILogGroup,
  ): customResources.Provider {
    const provider = new customResources.Provider(this, 'Provider', {
      onEventHandler: this.handler,
      logGroup,
      providerFunctionEnvEncryption: key,
    });
    // What the function needs to reach server and secrets, from the first tenant made to the last one removed.
    const endpoints = props.network.node.findAll().filter((child) => child instanceof ec2.InterfaceVpcEndpoint);
    const securityGroups = [...this.connections.securityGroups, ...this.database.connections.securityGroups];
    frameworkFunction(provider).node.addDependency(...endpoints, ...securityGroups);
    return provider;
  }

  private addSchedule(schedule: events.Schedule): void {
    const target = new targets.LambdaFunction(this.handler, {
      event: events.RuleTargetInput.fromObject({ reconcile: 'stored' }),
      retryAttempts: 0,
    });
    const description = 'Reconciles the tenants in PostgreSQL with what was deployed last';
    new events.Rule(this, 'Schedule', { description, schedule, targets: [target] });
  }

  private acknowledgeFindings(provider: customResources.Provider): void {
    const handler = this.handler.node.defaultChild as lambda.CfnFunction;
    const managed = 'Lambda asks for this policy: writing logs and, inside of the VPC, network interfaces.';
    const concurrency =
      'A lock in PostgreSQL lets one run at a time act; a reservation fails in accounts with the initial quota of 10.';
    const deadLetters =
      'CloudFormation gets each failure as the answer, and the schedule comes again; both count as errors of the function.';
    const outside =
      'It stands outside of the VPC so that CloudFormation gets an answer even when the VPC reaches nothing.';
    const policy = 'AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role';
    Validations.of(this).acknowledge(
      { id: `${policy}/AWSLambdaBasicExecutionRole]`, reason: managed },
      { id: `${policy}/AWSLambdaVPCAccessExecutionRole]`, reason: managed },
      {
        id: 'NIST.800.53.R5-IAMNoInlinePolicy',
        reason: 'Each policy serves one function of this construct, and goes with it.',
      },
      { id: 'NIST.800.53.R5-LambdaConcurrency', reason: concurrency },
      { id: 'NIST.800.53.R5-LambdaDLQ', reason: deadLetters },
    );
    Validations.of(provider).acknowledge(
      { id: 'NIST.800.53.R5-LambdaInsideVPC', reason: outside },
      {
        id: `AwsSolutions-IAM5[Resource::<${Stack.of(this).getLogicalId(handler)}.Arn>:*]`,
        reason: 'aws-cdk-lib lets it call any version of this one function.',
      },
    );
    for (const resource of [handler, frameworkFunction(provider)]) {
      skipCheckov(resource, concurrency, 'CKV_AWS_115');
      skipCheckov(resource, deadLetters, 'CKV_AWS_116');
      skipCfnLint(resource, 'W3005');
    }
    skipCheckov(frameworkFunction(provider), outside, 'CKV_AWS_117');
  }
}

function frameworkFunction(provider: customResources.Provider): lambda.CfnFunction {
  return provider.node.findChild('framework-onEvent').node.defaultChild as lambda.CfnFunction;
}
