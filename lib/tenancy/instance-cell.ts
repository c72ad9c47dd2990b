import { RemovalPolicy } from 'aws-cdk-lib';
import * as events from 'aws-cdk-lib/aws-events';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as sns from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { TenantDatabaseServer } from '../database/tenant-database-server';
import { ownKeyProps } from '../encryption/own-key';
import { TenancyAlarms } from '../monitoring/tenancy-alarms';
import { EnvironmentNames } from '../naming/environment-names';
import { TenancyNetwork } from '../network/tenancy-network';
import { Shard } from '../provisioning/shard';
import { ShardsProvisioner } from '../provisioning/shards-provisioner';
import { SharedLoadBalancer } from '../superset/shared-load-balancer';
import { BASE_CONNECTIONS } from './connection-budget';
import { checkStackQuotas } from '../validation/stack-quotas';

/** Props of {@link InstanceCell}. */
export interface InstanceCellProps {
  /** Network of the cell. */
  readonly network: TenancyNetwork;

  /**
   * Load balancer that instances of the cell may have their host names at.
   *
   * @default - none: each has its own
   */
  readonly loadBalancer?: SharedLoadBalancer;

  /**
   * Server that instances of the cell may have their databases on. Its database must be named `tenancy`.
   *
   * @default - none: each has its own
   */
  readonly database?: TenantDatabaseServer;

  /**
   * What the names of its tenants' secrets begin with, as in {@link EnvironmentNamesProps}; instances of the cell have the same.
   *
   * @default - that of what is above; otherwise none
   */
  readonly secretNamePrefix?: string;

  /**
   * How often databases on the server are reconciled with what was deployed last, beside each deployment.
   *
   * @default - every hour
   */
  readonly reconcileSchedule?: events.Schedule;

  /**
   * Topic that alarms of the server go to. Its policy, and that of its key, must let CloudWatch publish.
   *
   * @default - a new topic
   */
  readonly alarmTopic?: sns.ITopic;

  /**
   * E-mail addresses that a new topic sends to. Each must confirm once.
   *
   * @default - none
   */
  readonly alarmEmails?: string[];

  /**
   * Key of the provisioner and of a new topic.
   *
   * @default - a key of its own, rotated yearly
   */
  readonly encryptionKey?: kms.IKey;

  /**
   * What happens to an own key with the stack.
   *
   * @default RemovalPolicy.RETAIN
   */
  readonly removalPolicy?: RemovalPolicy;
}

/** What the instances of a cell share: a network and, by choice, a load balancer and a PostgreSQL server. */
export class InstanceCell extends Construct {
  /** Network. */
  public readonly network: TenancyNetwork;

  /** Load balancer, if the cell has one. */
  public readonly loadBalancer?: SharedLoadBalancer;

  /** Server, if the cell has one. */
  public readonly shard?: Shard;

  /** What makes databases on the server. */
  public readonly provisioner?: ShardsProvisioner;

  /** Alarms of the server, if the cell has one. */
  public readonly alarms?: TenancyAlarms;

  /**
   * @param scope the parent.
   * @param id the id in it.
   * @param props what the cell has.
   * @throws ConfigurationError if the server's database is not named `tenancy`.
   */
  constructor(scope: Construct, id: string, props: InstanceCellProps) {
    super(scope, id);
    EnvironmentNames.define(this, { secretNamePrefix: props.secretNamePrefix });
    checkStackQuotas(this);
    this.network = props.network;
    this.loadBalancer = props.loadBalancer;
    const { database } = props;
    if (!database) return;
    const encryptionKey =
      props.encryptionKey ?? new kms.Key(this, 'Key', ownKeyProps(`Cell ${this.node.path}`, props.removalPolicy));
    // Each instance says what it needs beyond that, so that none changes with another.
    this.shard = { name: 'cell', server: database, connections: BASE_CONNECTIONS };
    this.provisioner = new ShardsProvisioner(this, 'Provisioner', {
      network: props.network,
      shards: [this.shard],
      reconcileSchedule: props.reconcileSchedule,
      encryptionKey,
    });
    this.alarms = new TenancyAlarms(this, 'Alarms', {
      topic: props.alarmTopic,
      emails: props.alarmEmails,
      encryptionKey,
      shards: [this.shard],
      shardsProvisioner: this.provisioner,
    });
  }
}
