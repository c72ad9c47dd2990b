import { RemovalPolicy } from 'aws-cdk-lib';
import * as acm from 'aws-cdk-lib/aws-certificatemanager';
import * as events from 'aws-cdk-lib/aws-events';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as sns from 'aws-cdk-lib/aws-sns';
import { SupersetCache } from '../cache/superset-cache';
import { MetadataDatabase } from '../database/metadata-database';
import { TenancyNetwork } from '../network/tenancy-network';
import { Brand } from '../superset/brand';
import { SupersetImage } from '../superset/superset-image';
import { Tenant } from '../tenant/tenant';

/** What every tenancy model lets be chosen. */
export interface TenancyOptions {
  /**
   * Schema of the tables.
   *
   * @default 'analytics'
   */
  readonly schema?: string;

  /**
   * What the names of its secrets, and the aliases of tenants' keys, begin with, as in {@link EnvironmentNamesProps}. Two environments
   * of one account and region that have tenants of the same id, or that are both of the shared model, need it. For good.
   *
   * @default - that of the cell, or of what is above; otherwise none
   */
  readonly secretNamePrefix?: string;

  /** Host name that users type; point it to the load balancer. */
  readonly domainName: string;

  /**
   * Whether the load balancer takes connections from the internet, behind a web ACL. The network then needs public subnets.
   *
   * @default false - only from the VPC
   */
  readonly internetFacing?: boolean;

  /**
   * Image of Superset.
   *
   * @default - built from the `superset/` of this library
   */
  readonly image?: SupersetImage;

  /**
   * Name and face that people see. Paths in it begin at the working directory.
   *
   * @default - Superset's own
   */
  readonly brand?: Brand;

  /**
   * Path of a bundle of datasets, charts and dashboards that Superset has exported (a ZIP file of at most 10 MiB). Each tenant
   * gets its own copy over its own data.
   *
   * @default - none: tenants begin with nothing
   */
  readonly contentBundle?: string;

  /**
   * Connections of one tenant in one process of Superset, 1 to 20. A web task has two processes, a worker task three.
   *
   * @default 5
   */
  readonly connectionsPerProcess?: number;

  /**
   * Functions that tenants' users may call in SQL beside those of PostgreSQL that only compute: names in lower case, with or
   * without their schema, for instance `analytics.margin`.
   *
   * @default - none
   */
  readonly allowedFunctions?: string[];

  /**
   * Web tasks at least.
   *
   * @default 2
   */
  readonly minWebTasks?: number;

  /**
   * Web tasks at most.
   *
   * @default - 6; 4 for the Superset of one tenant
   */
  readonly maxWebTasks?: number;

  /**
   * Worker tasks at least.
   *
   * @default 1
   */
  readonly minWorkerTasks?: number;

  /**
   * Worker tasks at most.
   *
   * @default - 4; 2 for the Superset of one tenant
   */
  readonly maxWorkerTasks?: number;

  /**
   * Network. Give it together with every part that stands in it.
   *
   * @default - a new VPC over two availability zones
   */
  readonly network?: TenancyNetwork;

  /**
   * Cache.
   *
   * @default - a new one with the defaults of {@link SupersetCache}
   */
  readonly cache?: SupersetCache;

  /**
   * Topic that every alarm goes to. Its policy, and that of its key, must let CloudWatch publish.
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
   * How often tenants are reconciled with what was deployed last, beside each deployment.
   *
   * @default - every hour
   */
  readonly reconcileSchedule?: events.Schedule;

  /**
   * Key of everything that the model makes: storage, backups, secrets, logs.
   *
   * @default - a key of its own, rotated yearly
   */
  readonly encryptionKey?: kms.IKey;

  /**
   * What happens to databases, secrets and keys that the model makes, with the stack. DESTROY drops deletion
   * protection too, and overrides what the tenants say: for throw-away environments only.
   *
   * @default RemovalPolicy.RETAIN
   */
  readonly removalPolicy?: RemovalPolicy;
}

/** What every tenancy model with one Superset for all tenants lets be chosen. */
export interface SharedSupersetOptions extends TenancyOptions {
  /** The tenants. Removing one ends its logins and keeps its data, unless its `removalPolicy` says otherwise. */
  readonly tenants: Tenant[];

  /** Certificate of the host name, in the same region. */
  readonly certificate: acm.ICertificate;

  /**
   * Server of Superset's metadata.
   *
   * @default - a new one with the defaults of {@link MetadataDatabase}
   */
  readonly metadataDatabase?: MetadataDatabase;
}
