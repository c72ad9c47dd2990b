import { CfnResource, Duration, Names, RemovalPolicy, Token, Validations } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as rds from 'aws-cdk-lib/aws-rds';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { Construct, IDependable } from 'constructs';
import { letLogsUse, ownKeyProps } from '../encryption/own-key';
import { OTHER_STACK, claimName } from '../naming/name-claims';
import { TenancyNetwork } from '../network/tenancy-network';
import { DeletionProtection, PROTECTED_AFTERWARDS, serverProtection } from '../protection/deletion-protection';
import { kept, keptOrSnapshot } from '../protection/protection';
import { ConfigurationError } from '../validation/configuration-error';
import { skipCfnLint, skipCheckov } from '../validation/skipped-checks';
import { instanceClassNames, instanceClassOf, maxConnections } from './instance-class';
import { POSTGRES_MAJORS, saferVersion } from './postgres-version';
import { refuseWithoutRoot } from './rds-authorities';

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
  public readonly encryptionKey: kms.IKey;
  public readonly maxConnections: number;
  private readonly deletionProtection?: DeletionProtection;

  constructor(scope: Construct, id: string, props: PostgresServerProps) {
    super(scope, id);
    refuseWithoutRoot(this);
    this.maxConnections = maxConnections(this.validInstanceClass(props.instanceClass));
    const { network } = props;
    const removed = props.removalPolicy === RemovalPolicy.DESTROY;
    // What the server needs stays wherever the server, or a snapshot of it, stays.
    const removalPolicy = kept(props.removalPolicy);
    const storageGiB = this.validStorage(props.storageGiB);
    const engine = rds.DatabaseInstanceEngine.postgres({ version: this.validVersion(props.postgresVersion) });
    const key =
      props.encryptionKey ??
      new kms.Key(this, 'Key', ownKeyProps(`PostgreSQL server ${this.node.path}`, removalPolicy));
    this.encryptionKey = key;
    const identifier = this.identifier();
    claimName(this, 'identifier of a DB instance', identifier, OTHER_STACK);

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
      databaseName: this.validDatabaseName(props.databaseName),
      credentials: rds.Credentials.fromUsername(props.masterUsername, { encryptionKey: key }),
      manageMasterUserPassword: true,
      iamAuthentication: true,
      caCertificate: rds.CaCertificate.RDS_CA_RSA2048_G1,
      parameterGroup: this.parameterGroup(engine, storageGiB, removalPolicy),
      storageType: rds.StorageType.GP3,
      storageEncryptionKey: key,
      allocatedStorage: storageGiB,
      maxAllocatedStorage: storageBound(storageGiB),
      multiAz: props.multiAz,
      backupRetention: this.validRetention(props.backupRetention),
      deleteAutomatedBackups: removed,
      copyTagsToSnapshot: true,
      // Retained, no template says it: see DeletionProtection.
      deletionProtection: removed ? false : undefined,
      removalPolicy: keptOrSnapshot(props.removalPolicy),
      autoMinorVersionUpgrade: true,
      cloudwatchLogsExports: LOG_EXPORTS,
      monitoringInterval: Duration.minutes(1),
      enablePerformanceInsights: true,
      databaseInsightsMode: rds.DatabaseInsightsMode.STANDARD,
      performanceInsightEncryptionKey: key,
    });
    instance.node.addDependency(...logGroups);
    if (keptOrSnapshot(props.removalPolicy) === removalPolicy) {
      // Its subnet group and the role of its monitoring, too.
      instance.node
        .findAll()
        .filter(CfnResource.isCfnResource)
        .forEach((part) => part.applyRemovalPolicy(removalPolicy));
    }
    this.instance = instance;
    this.masterSecret = instance.secret!;
    if (!removed) {
      const isRetained = props.removalPolicy !== RemovalPolicy.SNAPSHOT;
      this.deletionProtection = new DeletionProtection(
        this,
        'DeletionProtection',
        serverProtection(instance, isRetained),
      );
    }
    securityGroup.applyRemovalPolicy(removalPolicy);
    this.acknowledgeFindings(instance, props);
  }

  /** Has resources made before the protection is turned on: until that is done, RDS may refuse to register the server with a proxy. */
  public protectAfter(...resources: IDependable[]): void {
    this.deletionProtection?.node.addDependency(...resources);
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

  private validStorage(storageGiB: number): number {
    if (Number.isInteger(storageGiB) && storageGiB >= LEAST_STORAGE_GIB && storageGiB <= MOST_STORAGE_GIB) {
      return storageGiB;
    }
    throw new ConfigurationError(
      this,
      'STORAGE_OUT_OF_RANGE',
      `storageGiB is ${storageGiB}; RDS for PostgreSQL takes ${LEAST_STORAGE_GIB} to ${MOST_STORAGE_GIB} whole GiB of gp3, and alarms are computed from them at synthesis.`,
    );
  }

  private validRetention(retention: Duration): Duration {
    if (retention.isUnresolved() || (retention.toDays() >= 1 && retention.toDays() <= 35)) {
      return retention;
    }
    throw new ConfigurationError(
      this,
      'BACKUP_RETENTION_OUT_OF_RANGE',
      `backupRetention is ${retention.toDays()} days; RDS keeps automated backups for 1 to 35. For longer, copy snapshots with AWS Backup.`,
    );
  }

  private validDatabaseName(name: string): string {
    if (Token.isUnresolved(name) || (/^[a-z][a-z0-9_]{0,62}$/.test(name) && !RESERVED_DATABASES.includes(name))) {
      return name;
    }
    throw new ConfigurationError(
      this,
      'DATABASE_NAME_INVALID',
      `databaseName is '${name}'; it must be 1 to 63 lower-case letters, digits and underscores, start with a letter, and be none of ${RESERVED_DATABASES.join(', ')}.`,
    );
  }

  private validVersion(version: string): rds.PostgresEngineVersion {
    const major = /^(\d+)(?:\.\d+)?$/.exec(version)?.[1];
    if (!major || !POSTGRES_MAJORS.includes(major)) {
      throw new ConfigurationError(
        this,
        'POSTGRES_VERSION_UNSUPPORTED',
        `postgresVersion is '${version}'; it must be ${POSTGRES_MAJORS.join(', ')} or a version 'major.minor' of these.`,
      );
    }
    const safer = saferVersion(version);
    if (safer) {
      throw new ConfigurationError(
        this,
        'POSTGRES_VERSION_VULNERABLE',
        `postgresVersion is '${version}', in which statistics show rows that row-level security hides (CVE-2025-8713). Use ${safer} or later.`,
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
        // One runaway sort must not fill the disk of all: a tenth of the storage for each process, in kB.
        temp_file_limit: String(Math.min(Math.floor((storageGiB * 1024 ** 2) / 10), MOST_TEMP_FILE_KB)),
        idle_in_transaction_session_timeout: String(Duration.minutes(5).toMilliseconds()),
        // A prepared transaction outlives its session and holds its locks.
        max_prepared_transactions: '0',
      },
    });
  }

  private acknowledgeFindings(instance: rds.DatabaseInstance, props: PostgresServerProps): void {
    Validations.of(instance).acknowledge(
      {
        id: 'AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole]',
        reason: 'The policy that RDS asks for; it may write to the log group RDSOSMetrics and nothing else.',
      },
      {
        id: 'NIST.800.53.R5-RDSInBackupPlan',
        reason: `RDS itself backs up and restores to any second of the last ${props.backupRetention.toDays()} days. Copies to another region or account are the account's to plan.`,
      },
    );
    if (POSTGRES_MAJORS.includes(props.postgresVersion)) {
      // cfn-lint reports a major version as outdated; RDS uses a recent minor of it (RDS User Guide, "Understanding PostgreSQL versions").
      skipCfnLint(instance.node.defaultChild as rds.CfnDBInstance, 'W3691');
    }
    if (!props.multiAz) {
      const reason = 'The standby was switched off with multiAz: false.';
      Validations.of(instance).acknowledge(
        { id: 'AwsSolutions-RDS3', reason },
        { id: 'NIST.800.53.R5-RDSMultiAZSupport', reason },
      );
      skipCheckov(instance.node.defaultChild as rds.CfnDBInstance, reason, 'CKV_AWS_157');
    }
    const reason = this.deletionProtection
      ? PROTECTED_AFTERWARDS
      : 'Deletion was asked for, with removalPolicy: DESTROY.';
    Validations.of(instance).acknowledge(
      { id: 'AwsSolutions-RDS10', reason },
      { id: 'NIST.800.53.R5-RDSInstanceDeletionProtectionEnabled', reason },
    );
  }
}

/** Other than 5432, which scanners try first (Security Hub RDS.23). */
const PORT = 5433;

/** RDS User Guide, "Amazon RDS DB instance storage", gp3. */
const LEAST_STORAGE_GIB = 20;
const MOST_STORAGE_GIB = 65_536;

/** Upper bound of `temp_file_limit`, an integer of 32 bits (PostgreSQL documentation, "Resource Consumption"). */
const MOST_TEMP_FILE_KB = 2 ** 31 - 1;

const LOG_EXPORTS = ['postgresql', 'upgrade'];

const RESERVED_DATABASES = ['db', 'postgres', 'rdsadmin', 'template0', 'template1'];

/** Where storage stops growing by itself: RDS wants the bound at least a tenth above the size. */
function storageBound(storageGiB: number): number | undefined {
  const bound = Math.min(storageGiB * 5, MOST_STORAGE_GIB);
  return bound >= storageGiB * 1.1 ? bound : undefined;
}
