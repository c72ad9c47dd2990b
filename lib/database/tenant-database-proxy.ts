import { Duration, Fn, Names, RemovalPolicy, Stack, Token, Validations } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as rds from 'aws-cdk-lib/aws-rds';
import { Construct } from 'constructs';
import { letLogsUse, ownKeyProps } from '../encryption/own-key';
import { OTHER_STACK, claimName } from '../naming/name-claims';
import { TenancyNetwork } from '../network/tenancy-network';
import { grantDecryptUnderOwnKeys } from '../tenant/decrypt-under-own-keys';
import { checkSecretsOf } from '../tenant/secrets-of-tenants';
import { TenantSecret } from '../tenant/tenant-secret';
import { ConfigurationError } from '../validation/configuration-error';
import { SECRETS_PER_PROXY, exceeds } from '../validation/quotas';
import { skipCfnLint } from '../validation/skipped-checks';
import { ProxyAuthentication } from './proxy-authentication';
import { TenantDatabaseServer } from './tenant-database-server';
import { grantTenantLogin } from './tenant-login';

/** Props of {@link TenantDatabaseProxy}. */
export interface TenantDatabaseProxyProps {
  /** Network; the proxy stands in its database subnets. */
  readonly network: TenancyNetwork;

  /** Server behind it. */
  readonly server: TenantDatabaseServer;

  /**
   * Logins of the tenants that it lets in, at most 200. Changing them does not disturb the others. It reads each when a
   * client logs in.
   *
   * @default - none: end-to-end IAM authentication. It lets in, with a token, whoever {@link TenantDatabaseProxy.grantTenantLogin} lets
   */
  readonly secrets?: TenantSecret[];

  /**
   * Share of the connections that the server takes which the proxy may open, in percent, 10 to 90. The rest is for whoever
   * connects to the server itself.
   *
   * @default 80
   */
  readonly maxConnectionsPercent?: number;

  /**
   * Share of the connections that the server takes which the proxy keeps open although nobody uses them, in percent, up to
   * `maxConnectionsPercent`.
   *
   * @default - half of `maxConnectionsPercent`
   */
  readonly maxIdleConnectionsPercent?: number;

  /**
   * How long a query waits for a free connection before it fails, 1 second to 5 minutes.
   *
   * @default Duration.seconds(30) - RDS's own default of 2 minutes is longer than the load balancer waits for a page
   */
  readonly borrowTimeout?: Duration;

  /**
   * Key of the proxy's log, and of those secrets that are not under a key of their tenant's own. Its policy must let CloudWatch
   * Logs use it; that is added unless the key is imported.
   *
   * @default - a key of its own for the log; secrets under the account's key or their tenant's own
   */
  readonly encryptionKey?: kms.IKey;
}

/**
 * RDS Proxy in front of a server of tenants: TLS only, a login for each tenant, by its own secret or by a token of IAM.
 *
 * It keeps a pool for each login role and database, so that no connection ever serves two tenants. Statements that change a
 * session pin it: they bind a connection of the server to one client until that one leaves. Superset, as this library sets it
 * up, sends none. `EXCLUDE_VARIABLE_SETS`, which would let changed settings go on to the next client, is refused at synthesis.
 */
export class TenantDatabaseProxy extends Construct implements ec2.IConnectable {
  /** Host name that clients connect to. */
  public readonly hostname: string;

  /** Port, as text. */
  public readonly port: string;

  /** Server behind it. */
  public readonly server: TenantDatabaseServer;

  /** Name of the proxy, the dimension `ProxyName` of its metrics. */
  public readonly proxyName: string;

  /** ARN of the proxy. */
  public readonly proxyArn: string;

  /** Connections that it opens to the server at most. */
  public readonly maxConnections: number;

  /** How long a query waits for one of them. */
  public readonly borrowTimeout: Duration;

  /** Logins of the tenants that it lets in; none with IAM authentication. */
  public readonly secrets: TenantSecret[];

  /** How tenants log in. */
  public readonly authentication: ProxyAuthentication;

  /** Who may connect. Nobody may before a call to `connections.allowDefaultPortFrom`. */
  public readonly connections: ec2.Connections;

  /** What ties it to the server. CloudFormation is done with it some minutes before the proxy serves. */
  public readonly targetGroup: rds.CfnDBProxyTargetGroup;

  /**
   * @param scope the parent.
   * @param id the id in it.
   * @param props the server and the tenants.
   * @throws ConfigurationError if there are more secrets than a proxy takes, none, or a percentage or timeout cannot be.
   */
  constructor(scope: Construct, id: string, props: TenantDatabaseProxyProps) {
    super(scope, id);
    const { network, server } = props;
    this.authentication = props.secrets ? ProxyAuthentication.SECRETS : ProxyAuthentication.IAM;
    this.secrets = props.secrets ?? [];
    this.checkSecrets();
    checkSecretsOf(this, this, this.secrets);
    const most = this.validPercent('maxConnectionsPercent', props.maxConnectionsPercent ?? 80, 10, 90);
    const idle = this.validPercent(
      'maxIdleConnectionsPercent',
      props.maxIdleConnectionsPercent ?? Math.floor(most / 2),
      0,
      most,
    );
    this.borrowTimeout = this.validTimeout(props.borrowTimeout ?? Duration.seconds(30));
    this.server = server;
    this.maxConnections = Math.floor((server.maxConnections * most) / 100);
    this.proxyName = this.newName();
    claimName(this, 'name of a proxy', this.proxyName, OTHER_STACK);
    const key =
      props.encryptionKey ??
      new kms.Key(this, 'Key', ownKeyProps(`RDS Proxy ${this.node.path}`, RemovalPolicy.DESTROY));

    const securityGroup = new ec2.SecurityGroup(this, 'SecurityGroup', {
      vpc: network.vpc,
      description: `RDS Proxy ${this.proxyName}`,
      allowAllOutbound: false,
    });
    this.connections = new ec2.Connections({ securityGroups: [securityGroup], defaultPort: ec2.Port.tcp(PORT) });
    server.connections.allowDefaultPortFrom(this, 'RDS Proxy');
    // AWS does not say by which network the proxy reads secrets. In case it is this one: a rule, and subnets that lead there, by
    // an endpoint of the VPC or a NAT gateway.
    if (props.secrets) securityGroup.addEgressRule(ec2.Peer.anyIpv4(), ec2.Port.HTTPS, 'Secrets Manager');
    const subnets = network.internetEgress ? network.serviceSubnets : network.databaseSubnets;
    const role = this.newRole();
    if (props.secrets) this.letReadSecrets(role, props.encryptionKey);
    else server.grantTenantLogin(this, role);
    const log = this.newLog(key);

    const proxy = new rds.CfnDBProxy(this, 'Proxy', {
      dbProxyName: this.proxyName,
      engineFamily: 'POSTGRESQL',
      // Said in both cases: what a template leaves out, CloudFormation may leave as it was.
      defaultAuthScheme: props.secrets ? rds.DefaultAuthScheme.NONE : rds.DefaultAuthScheme.IAM_AUTH,
      auth: props.secrets?.map(({ secretArn }) => ({
        authScheme: 'SECRETS',
        secretArn,
        iamAuth: 'DISABLED',
        clientPasswordAuthType: 'POSTGRES_SCRAM_SHA_256',
      })),
      requireTls: true,
      debugLogging: false,
      idleClientTimeout: Duration.minutes(30).toSeconds(),
      roleArn: role.roleArn,
      vpcSubnetIds: network.vpc.selectSubnets(subnets).subnetIds,
      vpcSecurityGroupIds: [securityGroup.securityGroupId],
    });
    proxy.node.addDependency(role, log);
    skipCfnLint(proxy, 'W3005');
    this.hostname = proxy.attrEndpoint;
    this.port = String(PORT);
    this.proxyArn = proxy.attrDbProxyArn;

    this.targetGroup = new rds.CfnDBProxyTargetGroup(this, 'TargetGroup', {
      dbProxyName: proxy.ref,
      targetGroupName: 'default',
      dbInstanceIdentifiers: [server.instance.instanceIdentifier],
      connectionPoolConfigurationInfo: {
        maxConnectionsPercent: most,
        maxIdleConnectionsPercent: idle,
        connectionBorrowTimeout: this.borrowTimeout.toSeconds(),
      },
    });
    if (Stack.of(this) === Stack.of(server)) server._protectAfter(this.targetGroup);
    this.targetGroup.node.addValidation({ validate: () => this.pinningFilters() });
  }

  /**
   * A metric of the proxy, from the namespace `AWS/RDS`.
   *
   * Each node of the proxy publishes its own values, so that counts are summed up; take the average of latencies and percentages.
   * Some metrics appear only after the first connection. `AvailabilityPercentage` is that of the primary.
   *
   * @param metricName name of the metric (RDS User Guide, "Monitoring RDS Proxy metrics with Amazon CloudWatch").
   * @param options of the metric.
   * @default - sum over 1 minute
   */
  public metric(metricName: string, options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return new cloudwatch.Metric({
      namespace: 'AWS/RDS',
      metricName,
      dimensionsMap: { ProxyName: this.proxyName, ...(BY_ROLE.includes(metricName) && PRIMARY) },
      statistic: cloudwatch.Stats.SUM,
      period: Duration.minutes(1),
      ...options,
    });
  }

  /**
   * Lets a principal log in by the proxy as any tenant, with tokens that it signs.
   *
   * @param scope the construct that asks, in the stack of the proxy. The finding on the wildcard in the policy is acknowledged on it.
   * @param grantee the principal.
   * @throws ConfigurationError if tenants log in with secrets.
   */
  public grantTenantLogin(scope: Construct, grantee: iam.IGrantable): iam.Grant {
    if (this.authentication === ProxyAuthentication.SECRETS) {
      throw new ConfigurationError(
        this,
        'PROXY_WITHOUT_IAM',
        'tenants log in by this proxy with secrets, and it takes no tokens of IAM. Make it without secrets.',
      );
    }
    return grantTenantLogin(scope, Fn.select(6, Fn.split(':', this.proxyArn)), grantee);
  }

  private checkSecrets(): void {
    const { secrets } = this;
    if (this.authentication === ProxyAuthentication.IAM) return;
    if (secrets.length === 0) {
      throw new ConfigurationError(
        this,
        'PROXY_WITHOUT_TENANTS',
        'secrets is empty; RDS Proxy needs at least one login. Give the shard a tenant, or take the shard out.',
      );
    }
    if (secrets.length > SECRETS_PER_PROXY.limit) {
      throw new ConfigurationError(
        this,
        'PROXY_SECRETS_TOO_MANY',
        `${secrets.length} tenants log in by this proxy, which makes ${exceeds(secrets.length, SECRETS_PER_PROXY)}. Add a shard, and put the next tenants on it; or let tenants log in with tokens of IAM, which need no secrets (proxy.authentication: iam).`,
      );
    }
  }

  private validPercent(name: string, value: number, least: number, most: number): number {
    if (!Token.isUnresolved(value) && Number.isInteger(value) && value >= least && value <= most) {
      return value;
    }
    throw new ConfigurationError(
      this,
      'PROXY_PERCENT_OUT_OF_RANGE',
      `${name} is ${value}; it must be a whole number from ${least} to ${most}.`,
    );
  }

  private validTimeout(timeout: Duration): Duration {
    if (!timeout.isUnresolved() && timeout.toSeconds() >= 1 && timeout.toSeconds() <= 300) {
      return timeout;
    }
    throw new ConfigurationError(
      this,
      'PROXY_TIMEOUT_OUT_OF_RANGE',
      `borrowTimeout is ${timeout.toString()}; RDS Proxy takes 1 second to 5 minutes, known at synthesis.`,
    );
  }

  /** Fixed, so that the log group exists before the proxy. */
  private newName(): string {
    return Names.uniqueResourceName(this, { maxLength: 60, separator: '-', allowedSpecialCharacters: '-' })
      .toLowerCase()
      .replace(/-+/g, '-');
  }

  private newRole(): iam.Role {
    const does = this.authentication === ProxyAuthentication.IAM ? 'logs in as tenants' : 'reads the logins of tenants';
    const role = new iam.Role(this, 'Role', {
      description: `RDS Proxy ${this.proxyName}: ${does}`,
      assumedBy: new iam.ServicePrincipal('rds.amazonaws.com'),
    });
    Validations.of(role).acknowledge({
      id: 'NIST.800.53.R5-IAMNoInlinePolicy',
      reason: 'The policy serves one role of this construct, and goes with it.',
    });
    return role;
  }

  private letReadSecrets(role: iam.Role, secretsKey?: kms.IKey): void {
    TenantSecret.grantReadAll(this, role, secretsKey);
    grantDecryptUnderOwnKeys(
      this.secrets.map(({ secret }) => secret),
      role,
      secretsKey,
    );
  }

  private newLog(key: kms.IKey): logs.LogGroup {
    letLogsUse(key, this);
    return new logs.LogGroup(this, 'Log', {
      logGroupName: `/aws/rds/proxy/${this.proxyName}`,
      encryptionKey: key,
      retention: logs.RetentionDays.ONE_YEAR,
      removalPolicy: RemovalPolicy.DESTROY,
    });
  }

  private pinningFilters(): string[] {
    const pool = Stack.of(this).resolve(this.targetGroup.connectionPoolConfigurationInfo) as
      rds.CfnDBProxyTargetGroup.ConnectionPoolConfigurationInfoFormatProperty | undefined;
    return (pool?.sessionPinningFilters ?? []).length > 0
      ? [
          `sessionPinningFilters is ${pool?.sessionPinningFilters?.join(', ')}: a session whose settings were changed would go on to the next client with them, search_path among them. Take it out; Superset pins no session.`,
        ]
      : [];
  }
}

/** RDS Proxy for PostgreSQL listens here, whatever the port of the server (RDS User Guide, "RDS Proxy endpoints"). */
const PORT = 5432;

/** Metrics that have data for the role of a target only (RDS User Guide, "Monitoring RDS Proxy metrics with Amazon CloudWatch"). */
const BY_ROLE = ['AvailabilityPercentage'];

const PRIMARY = { TargetGroup: 'default', TargetRole: 'READ_WRITE' };
