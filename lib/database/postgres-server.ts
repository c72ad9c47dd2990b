import { Duration, Names, RemovalPolicy, Token, Validations } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as rds from 'aws-cdk-lib/aws-rds';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { letLogsUse, ownKeyProps } from '../encryption/own-key';
import { TenancyNetwork } from '../network/tenancy-network';
import { ConfigurationError } from '../validation/configuration-error';
import { instanceClassNames, instanceClassOf, maxConnections } from './instance-class';

/** Props of {@link PostgresServer}: what its two users let be chosen, with their defaults filled in. */
export interface PostgresServerProps {
  readonly network: TenancyNetwork;
  readonly instanceClass: string;
  readonly storageGiB: number;
  readonly multiAz: boolean;
  readonly backupRetention: Duration;
  readonly postgresVersion: string;
  readonly databaseName: string;
  readonly masterUsername: string;
  readonly encryptionKey?: kms.IKey;
  readonly removalPolicy: RemovalPolicy;
}

/** An RDS for PostgreSQL server: encrypted, TLS only, private, audited, with a master password that RDS keeps. */
export class PostgresServer extends Construct {
  public readonly instance: rds.IDatabaseInstance;
  public readonly masterSecret: secretsmanager.ISecret;
  public readonly connections: ec2.Connections;
  public readonly maxConnections: number;

  constructor(scope: Construct, id: string, props: PostgresServerProps) {
    super(scope, id);
    this.maxConnections = maxConnections(this.validInstanceClass(props.instanceClass));
    const { network, removalPolicy } = props;
    const engine = rds.DatabaseInstanceEngine.postgres({ version: this.validVersion(props.postgresVersion) });
    const key =
      props.encryptionKey ??
      new kms.Key(this, 'Key', ownKeyProps(`PostgreSQL server ${this.node.path}`, removalPolicy));
    const retained = removalPolicy !== RemovalPolicy.DESTROY;
    const identifier = this.identifier();

    const securityGroup = new ec2.SecurityGroup(this, 'SecurityGroup', {
      vpc: network.vpc,
      description: `PostgreSQL server ${identifier}`,
      allowAllOutbound: false,
    });
    this.connections = new ec2.Connections({ securityGroups: [securityGroup], defaultPort: ec2.Port.tcp(PORT) });
    const logGroups = this.logGroups(identifier, key, removalPolicy);

    const instance = new rds.DatabaseInstance(this, 'Instance', {
      instanceIdentifier: identifier,
      engine,
      instanceType: new ec2.InstanceType(props.instanceClass),
      vpc: network.vpc,
      vpcSubnets: network.databaseSubnets,
      publiclyAccessible: false,
      securityGroups: [securityGroup],
      port: PORT,
      databaseName: props.databaseName,
      credentials: rds.Credentials.fromUsername(props.masterUsername, { encryptionKey: key }),
      manageMasterUserPassword: true,
      iamAuthentication: true,
      caCertificate: rds.CaCertificate.RDS_CA_RSA2048_G1,
      parameterGroup: this.parameterGroup(engine, props.storageGiB, removalPolicy),
      storageType: rds.StorageType.GP3,
      storageEncryptionKey: key,
      allocatedStorage: props.storageGiB,
      maxAllocatedStorage: Math.min(props.storageGiB * 5, 65536),
      multiAz: props.multiAz,
      backupRetention: props.backupRetention,
      deleteAutomatedBackups: !retained,
      copyTagsToSnapshot: true,
      deletionProtection: retained,
      removalPolicy,
      autoMinorVersionUpgrade: true,
      cloudwatchLogsExports: LOG_EXPORTS,
      monitoringInterval: Duration.minutes(1),
      enablePerformanceInsights: true,
      databaseInsightsMode: rds.DatabaseInsightsMode.STANDARD,
      performanceInsightEncryptionKey: key,
    });
    instance.node.addDependency(...logGroups);
    this.instance = instance;
    this.masterSecret = instance.secret!;
    this.keepWhatTheInstanceUses(securityGroup, removalPolicy);
    this.acknowledgeFindings();
  }

  private validInstanceClass(name: string): string {
    if (instanceClassOf(name)) {
      return name;
    }
    const family = instanceClassNames().filter((known) =>
      known.startsWith(`${name.replace(/^db\./, '').split('.')[0]}.`),
    );
    throw new ConfigurationError(
      this,
      'INSTANCE_CLASS_UNKNOWN',
      `instanceClass is '${name}'; it must be a class of RDS for PostgreSQL without 'db.': ${(family.length > 0 ? family : instanceClassNames()).join(', ')}.`,
    );
  }

  private validVersion(version: string): rds.PostgresEngineVersion {
    const [, major, minor] = /^(\d+)\.(\d+)$/.exec(version) ?? [];
    const leastMinor = LEAST_MINOR[major];
    if (leastMinor === undefined) {
      throw new ConfigurationError(
        this,
        'POSTGRES_VERSION_UNSUPPORTED',
        `postgresVersion is '${version}'; it must be a full version 'major.minor' of PostgreSQL ${Object.keys(LEAST_MINOR).join(', ')}.`,
      );
    }
    if (Number(minor) < leastMinor) {
      throw new ConfigurationError(
        this,
        'POSTGRES_VERSION_VULNERABLE',
        `postgresVersion is '${version}', in which statistics show rows that row-level security hides (CVE-2025-8713). Use ${major}.${leastMinor} or later.`,
      );
    }
    return rds.PostgresEngineVersion.of(version, major);
  }

  /** A fixed name lets the log groups exist before the server, and makes a replacement fail in place of losing data. */
  private identifier(): string {
    return Names.uniqueResourceName(this, { maxLength: 63, separator: '-', allowedSpecialCharacters: '-' })
      .toLowerCase()
      .replace(/-+/g, '-');
  }

  private logGroups(identifier: string, key: kms.IKey, removalPolicy: RemovalPolicy): logs.LogGroup[] {
    letLogsUse(key, this);
    return LOG_EXPORTS.map(
      (log) =>
        new logs.LogGroup(this, `${log}Logs`, {
          logGroupName: `/aws/rds/instance/${identifier}/${log}`,
          encryptionKey: key,
          retention: logs.RetentionDays.ONE_YEAR,
          removalPolicy,
        }),
    );
  }

  private parameterGroup(
    engine: rds.IInstanceEngine,
    storageGiB: number,
    removalPolicy: RemovalPolicy,
  ): rds.ParameterGroup {
    return new rds.ParameterGroup(this, 'Parameters', {
      engine,
      description: `PostgreSQL server ${this.node.path}`,
      removalPolicy,
      parameters: {
        'rds.force_ssl': '1',
        ssl_min_protocol_version: 'TLSv1.2',
        password_encryption: 'scram-sha-256',
        'rds.accepted_password_auth_method': 'scram',
        // Without it a tenant may change the password of its own role, which locks Superset out.
        'rds.restrict_password_commands': '1',
        shared_preload_libraries: 'pg_stat_statements,pgaudit',
        'pgaudit.log': 'ddl,role',
        log_connections: '1',
        log_disconnections: '1',
        log_lock_waits: '1',
        log_min_duration_statement: '5000',
        // kB for each process: one runaway sort must not fill the disk of all.
        temp_file_limit: String(Math.floor((storageGiB * 1024 * 1024) / 10)),
        idle_in_transaction_session_timeout: String(Duration.minutes(5).toMilliseconds()),
        // A prepared transaction outlives its session and holds its locks.
        max_prepared_transactions: '0',
      },
    });
  }

  /** A retained server holds on to these, so that their deletion would fail. */
  private keepWhatTheInstanceUses(securityGroup: ec2.SecurityGroup, removalPolicy: RemovalPolicy): void {
    securityGroup.applyRemovalPolicy(removalPolicy);
  }

  private acknowledgeFindings(): void {
    Validations.of(this.instance).acknowledge({
      id: 'AwsSolutions-IAM4',
      reason:
        'AmazonRDSEnhancedMonitoringRole is the policy that RDS asks for; it allows writing to one log group only.',
    });
  }
}

/** Other than 5432, which scanners try first (Security Hub RDS.23). */
const PORT = 5433;

const LOG_EXPORTS = ['postgresql', 'upgrade'];

/** The first minor version of each supported major with CVE-2025-8713, 8714 and 8715 fixed (postgresql.org/support/security). */
const LEAST_MINOR: { [major: string]: number } = { '15': 14, '16': 10, '17': 6 };

/** Whether the number is a token or lies in the range. */
export function isWithin(value: number, least: number, most: number): boolean {
  return Token.isUnresolved(value) || (Number.isInteger(value) && value >= least && value <= most);
}
