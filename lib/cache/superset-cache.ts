import { Names, RemovalPolicy, Token, Validations } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as elasticache from 'aws-cdk-lib/aws-elasticache';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { DEFAULT_CACHE } from '../defaults';
import { letLogsUse, ownKeyProps } from '../encryption/own-key';
import { OTHER_STACK, claimName } from '../naming/name-claims';
import { TenancyNetwork } from '../network/tenancy-network';
import { ConfigurationError } from '../validation/configuration-error';
import { cacheNodeTypeNames } from './cache-node-type';

/** Props of {@link SupersetCache}. */
export interface SupersetCacheProps {
  /** Network; the nodes stand in its database subnets. */
  readonly network: TenancyNetwork;

  /**
   * ElastiCache node type, with `cache.`.
   *
   * @default 'cache.t4g.small'
   */
  readonly nodeType?: string;

  /**
   * Replicas beside the primary, 0 to 5 (ElastiCache User Guide, "Quotas"). With one or more, a replica in another
   * availability zone takes over by itself when the primary fails.
   *
   * @default 1
   */
  readonly replicas?: number;

  /**
   * Key of the nodes' disks, the logs and the secret. Its policy must let CloudWatch Logs use it; that is added
   * unless the key is imported.
   *
   * @default - a key of its own, rotated yearly
   */
  readonly encryptionKey?: kms.IKey;
}

/**
 * Valkey for Superset: cache, results of asynchronous queries, and the queue of Celery.
 *
 * Node-based with cluster mode disabled, since Celery's transport works on several keys at once. Clients connect to
 * `rediss://:<token>@<hostname>:<port>/<n>`.
 */
export class SupersetCache extends Construct implements ec2.IConnectable {
  /** Host name of the primary; it follows a failover. */
  public readonly hostname: string;

  /** Port, as text. */
  public readonly port: string;

  /** Secret whose field `token` is what clients authenticate with. */
  public readonly authSecret: secretsmanager.ISecret;

  /** Id of the replication group. */
  public readonly replicationGroupId: string;

  /** Ids of the nodes, the dimension `CacheClusterId` of their metrics. */
  public readonly nodeIds: string[];

  /** Who may connect. Nobody may before a call to `connections.allowDefaultPortFrom`. */
  public readonly connections: ec2.Connections;

  /**
   * @param scope the parent.
   * @param id the id in it.
   * @param props the cache.
   * @throws ConfigurationError if the node type or the number of replicas cannot be.
   */
  constructor(scope: Construct, id: string, props: SupersetCacheProps) {
    super(scope, id);
    const replicas = this.validReplicas(props.replicas ?? DEFAULT_CACHE.replicas);
    const key =
      props.encryptionKey ?? new kms.Key(this, 'Key', ownKeyProps(`Cache ${this.node.path}`, RemovalPolicy.DESTROY));
    const securityGroup = new ec2.SecurityGroup(this, 'SecurityGroup', {
      vpc: props.network.vpc,
      description: `Cache ${this.node.path}`,
      allowAllOutbound: false,
    });
    this.connections = new ec2.Connections({ securityGroups: [securityGroup], defaultPort: ec2.Port.tcp(PORT) });
    const secret = this.newAuthSecret(key);
    this.authSecret = secret;

    const group = new elasticache.CfnReplicationGroup(this, 'Nodes', {
      replicationGroupDescription: `Superset cache and queue of ${this.node.path}`,
      engine: 'valkey',
      engineVersion: '8.1',
      cacheNodeType: this.validNodeType(props.nodeType ?? DEFAULT_CACHE.nodeType),
      clusterMode: 'disabled',
      numCacheClusters: replicas + 1,
      automaticFailoverEnabled: replicas > 0,
      multiAzEnabled: replicas > 0,
      port: PORT,
      transitEncryptionEnabled: true,
      atRestEncryptionEnabled: true,
      kmsKeyId: key.keyArn,
      authToken: secret.secretValueFromJson('token').unsafeUnwrap(),
      cacheParameterGroupName: this.parameterGroup().ref,
      cacheSubnetGroupName: this.subnetGroup(props.network).ref,
      securityGroupIds: [securityGroup.securityGroupId],
      snapshotRetentionLimit: SNAPSHOT_DAYS,
      autoMinorVersionUpgrade: true,
      logDeliveryConfigurations: this.logDelivery(key),
    });
    this.acknowledgeFindings(group, replicas);
    this.hostname = group.attrPrimaryEndPointAddress;
    this.port = group.attrPrimaryEndPointPort;
    this.replicationGroupId = group.ref;
    this.nodeIds = [...Array(replicas + 1).keys()].map((index) => `${group.ref}-00${index + 1}`);
  }

  /**
   * Lets a principal read the secret.
   *
   * @param grantee who.
   */
  public grantAuthSecretRead(grantee: iam.IGrantable): iam.Grant {
    return this.authSecret.grantRead(grantee);
  }

  /**
   * A metric of one node, from the namespace `AWS/ElastiCache`.
   *
   * Each node has metrics of its own, and the primary is whichever the last failover made it.
   *
   * @param nodeId one of `nodeIds`.
   * @param metricName name of the metric (ElastiCache User Guide, "Metrics for Valkey and Redis OSS").
   * @param options of the metric.
   */
  public metricOfNode(nodeId: string, metricName: string, options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return new cloudwatch.Metric({
      namespace: 'AWS/ElastiCache',
      metricName,
      dimensionsMap: { CacheClusterId: nodeId },
      statistic: cloudwatch.Stats.AVERAGE,
      ...options,
    });
  }

  private validReplicas(replicas: number): number {
    if (!Token.isUnresolved(replicas) && Number.isInteger(replicas) && replicas >= 0 && replicas <= 5) {
      return replicas;
    }
    throw new ConfigurationError(
      this,
      'CACHE_REPLICAS_OUT_OF_RANGE',
      `replicas is ${replicas}; ElastiCache allows 0 to 5 beside the primary.`,
    );
  }

  private validNodeType(nodeType: string): string {
    if (Token.isUnresolved(nodeType) || cacheNodeTypeNames().includes(nodeType)) {
      return nodeType;
    }
    throw new ConfigurationError(
      this,
      'CACHE_NODE_TYPE_INVALID',
      `nodeType is '${nodeType}'; it must be one of ${cacheNodeTypeNames().join(', ')}.`,
    );
  }

  private newAuthSecret(key: kms.IKey): secretsmanager.Secret {
    return new secretsmanager.Secret(this, 'AuthSecret', {
      description: `Token of the cache ${this.node.path}`,
      encryptionKey: key,
      generateSecretString: {
        secretStringTemplate: '{}',
        generateStringKey: 'token',
        passwordLength: 64,
        excludePunctuation: true,
      },
      removalPolicy: RemovalPolicy.DESTROY,
    });
  }

  private subnetGroup(network: TenancyNetwork): elasticache.CfnSubnetGroup {
    return new elasticache.CfnSubnetGroup(this, 'Subnets', {
      description: `Subnets of the cache ${this.node.path}`,
      subnetIds: network.vpc.selectSubnets(network.databaseSubnets).subnetIds,
    });
  }

  private parameterGroup(): elasticache.CfnParameterGroup {
    return new elasticache.CfnParameterGroup(this, 'Parameters', {
      cacheParameterGroupFamily: 'valkey8',
      description: `Parameters of the cache ${this.node.path}`,
      // Cached answers expire and may go early; messages of the queue never expire and must not go.
      properties: { 'maxmemory-policy': 'volatile-lru' },
    });
  }

  private logDelivery(key: kms.IKey): elasticache.CfnReplicationGroup.LogDeliveryConfigurationRequestProperty[] {
    letLogsUse(key, this);
    const name = `/aws/vendedlogs/elasticache/${Names.uniqueResourceName(this, { separator: '-' })}`;
    claimName(this, 'log group', name, OTHER_STACK);
    return ['slow-log', 'engine-log'].map((logType) => {
      const logGroup = new logs.LogGroup(this, logType, {
        logGroupName: `${name}/${logType}`,
        encryptionKey: key,
        retention: logs.RetentionDays.THREE_MONTHS,
        removalPolicy: RemovalPolicy.DESTROY,
      });
      return {
        logType,
        logFormat: 'json',
        destinationType: 'cloudwatch-logs',
        destinationDetails: { cloudWatchLogsDetails: { logGroup: logGroup.logGroupName } },
      };
    });
  }

  private acknowledgeFindings(group: elasticache.CfnReplicationGroup, replicas: number): void {
    const reason =
      'ElastiCache keeps the token in the replication group: a new one is set there and in the secret together, by hand.';
    Validations.of(this.authSecret).acknowledge(
      { id: 'AwsSolutions-SMG4', reason },
      { id: 'NIST.800.53.R5-SecretsManagerRotationEnabled', reason },
    );
    if (replicas === 0) {
      Validations.of(group).acknowledge({
        id: 'AwsSolutions-AEC4',
        reason: 'The replica was left out with replicas: 0.',
      });
    }
  }
}

/** Other than 6379, which scanners try first. */
const PORT = 6380;

/** The least that NIST 800-53 r5 asks for, as cdk-nag and AWS Config read it. */
const SNAPSHOT_DAYS = 15;
