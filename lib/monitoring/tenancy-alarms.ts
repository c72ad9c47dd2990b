import { Names, RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as actions from 'aws-cdk-lib/aws-cloudwatch-actions';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as sns from 'aws-cdk-lib/aws-sns';
import * as subscriptions from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';
import { SupersetCache } from '../cache/superset-cache';
import { MetadataDatabase } from '../database/metadata-database';
import { TenantDatabaseProxy } from '../database/tenant-database-proxy';
import { TenantDatabaseServer } from '../database/tenant-database-server';
import { letAlarmsUse, ownKeyProps } from '../encryption/own-key';
import { DatabaseProvisioner } from '../provisioning/database-provisioner';
import { Shard } from '../provisioning/shard';
import { ShardsProvisioner } from '../provisioning/shards-provisioner';
import { SupersetService } from '../superset/superset-service';
import { AlarmDefinition, alarmProps } from './alarm-definition';
import { cacheAlarms } from './cache-alarms';
import { postgresAlarms } from './postgres-alarms';
import { provisionerAlarms } from './provisioner-alarms';
import { proxyAlarms } from './proxy-alarms';
import { supersetAlarms } from './superset-alarms';
import { shardNameProblems } from '../tenant/tenant-rules';
import { refuse } from '../validation/refuse';
import { emailProblems } from './email-rules';

/** Props of {@link TenancyAlarms}. */
export interface TenancyAlarmsProps {
  /**
   * Topic that every alarm goes to. Its policy, and that of its key, must let CloudWatch publish.
   *
   * @default - a new topic, encrypted, TLS only
   */
  readonly topic?: sns.ITopic;

  /**
   * E-mail addresses that a new topic sends to. Each must confirm once.
   *
   * @default - none
   */
  readonly emails?: string[];

  /**
   * Key of a new topic. Its policy must let CloudWatch use it; that is added unless the key is imported.
   *
   * @default - a key of its own, rotated yearly
   */
  readonly encryptionKey?: kms.IKey;

  /**
   * Server of the tenants' data to watch.
   *
   * @default - none
   */
  readonly tenantDatabase?: TenantDatabaseServer;

  /**
   * Servers of tenants' databases to watch. The names of their alarms begin with `shard-<name>`.
   *
   * @default - none
   */
  readonly shards?: Shard[];

  /**
   * Proxies of those servers to watch. The names of their alarms begin with `proxy-<shard>`.
   *
   * @default - none
   */
  readonly proxies?: TenantDatabaseProxy[];

  /**
   * Server of Superset's metadata to watch.
   *
   * @default - none
   */
  readonly metadataDatabase?: MetadataDatabase;

  /**
   * Cache to watch.
   *
   * @default - none
   */
  readonly cache?: SupersetCache;

  /**
   * Superset to watch.
   *
   * @default - none
   */
  readonly superset?: SupersetService;

  /**
   * Database provisioner to watch.
   *
   * @default - none
   */
  readonly provisioner?: DatabaseProvisioner;

  /**
   * Provisioner of shards to watch.
   *
   * @default - none
   */
  readonly shardsProvisioner?: ShardsProvisioner;
}

/**
 * Alarms on one topic, with thresholds computed from the sizes of what they watch.
 *
 * Names end in `<what is watched>-<condition>`, for instance `tenant-database-connections`, after the path of this
 * construct; they change in major versions only. A database has 7 alarms, a proxy 6, a cache node 3, Superset 6 and the
 * provisioner 2, at 0.10 USD a month each (us-east-1, aws.amazon.com/cloudwatch/pricing).
 */
export class TenancyAlarms extends Construct {
  /** Where every alarm goes. */
  public readonly topic: sns.ITopic;

  /**
   * @param scope the parent.
   * @param id the id in it.
   * @param props what to watch.
   * @throws ConfigurationError if an e-mail address or the name of a shard is not valid.
   */
  constructor(scope: Construct, id: string, props?: TenancyAlarmsProps) {
    super(scope, id);
    refuse(this, [...emailProblems(props?.emails, ['emails']), ...shardNameProblems(props?.shards ?? [])]);
    this.topic = props?.topic ?? this.newTopic(props ?? {});
    if (props?.tenantDatabase) {
      this.define('tenant-database', postgresAlarms(props.tenantDatabase));
    }
    for (const { name, server } of props?.shards ?? []) {
      this.define(`shard-${name}`, postgresAlarms(server));
      const proxy = props?.proxies?.find((each) => each.server === server);
      if (proxy) this.define(`proxy-${name}`, proxyAlarms(proxy));
    }
    if (props?.metadataDatabase) {
      this.define('metadata-database', postgresAlarms(props.metadataDatabase));
    }
    if (props?.cache) {
      this.define('cache', cacheAlarms(props.cache));
    }
    if (props?.provisioner) {
      this.define('provisioner', provisionerAlarms(props.provisioner));
    }
    if (props?.shardsProvisioner) {
      this.define('provisioner', provisionerAlarms(props.shardsProvisioner));
    }
    if (props?.superset) {
      this.define('superset', supersetAlarms(props.superset));
    }
  }

  /**
   * Sends an alarm made elsewhere to the topic, when it goes off and when it is over.
   *
   * @param alarm the alarm.
   */
  public addAlarm(alarm: cloudwatch.Alarm): void {
    const action = new actions.SnsAction(this.topic);
    alarm.addAlarmAction(action);
    alarm.addOkAction(action);
  }

  private newTopic(props: TenancyAlarmsProps): sns.Topic {
    const masterKey =
      props.encryptionKey ?? new kms.Key(this, 'Key', ownKeyProps(`Alarms ${this.node.path}`, RemovalPolicy.DESTROY));
    letAlarmsUse(masterKey, this);
    const topic = new sns.Topic(this, 'Topic', { masterKey, enforceSSL: true });
    // A topic with a policy of its own has lost the default one, which lets the account's alarms in.
    topic.addToResourcePolicy(
      new iam.PolicyStatement({
        principals: [new iam.ServicePrincipal('cloudwatch.amazonaws.com')],
        actions: ['sns:Publish'],
        resources: [topic.topicArn],
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
    );
    for (const email of props.emails ?? []) {
      topic.addSubscription(new subscriptions.EmailSubscription(email));
    }
    return topic;
  }

  private define(subject: string, definitions: AlarmDefinition[]): void {
    const prefix = Names.uniqueResourceName(this, { separator: '-', allowedSpecialCharacters: '-', maxLength: 200 });
    for (const definition of definitions) {
      const name = `${subject}-${definition.name}`;
      this.addAlarm(new cloudwatch.Alarm(this, name, { alarmName: `${prefix}-${name}`, ...alarmProps(definition) }));
    }
  }
}
