import { Aws, Duration, Names, RemovalPolicy, Token, Validations } from 'aws-cdk-lib';
import * as acm from 'aws-cdk-lib/aws-certificatemanager';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import * as elbv2 from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { Construct, IDependable } from 'constructs';
import { SupersetCache } from '../cache/superset-cache';
import { IMetadataDatabase } from '../database/metadata-database';
import { TenantDatabaseProxy } from '../database/tenant-database-proxy';
import { DEFAULT_TASKS } from '../defaults';
import { letLogsUse, ownKeyProps } from '../encryption/own-key';
import { EnvironmentNames } from '../naming/environment-names';
import { claimPart } from '../naming/name-claims';
import { TenancyNetwork } from '../network/tenancy-network';
import { LoaderSecret } from '../provisioning/loader-secret';
import { kept } from '../protection/protection';
import { AdminLoginSecret } from '../tenant/admin-login-secret';
import { Tenant } from '../tenant/tenant';
import { TenantLoaderSecret } from '../tenant/tenant-loader-secret';
import { TenantSecret } from '../tenant/tenant-secret';
import { ConfigurationError } from '../validation/configuration-error';
import { skipCfnLint, skipCheckov } from '../validation/skipped-checks';
import { SupersetDesiredState } from './superset-desired-state';
import { Brand } from './brand';
import { imageUri } from './brand-rules';
import { SharedEntrance } from './shared-entrance';
import { SharedLoadBalancer } from './shared-load-balancer';
import { SupersetImage } from './superset-image';
import { WEB_PORT } from './web-port';
import { SupersetLoadBalancer } from './superset-load-balancer';
import { SupersetMigration } from './superset-migration';
import { OWN_WORKER_TASKS, WEB_PROCESSES, WEB_THREADS, WORKER_CHILDREN } from './superset-processes';
import { TIMEOUTS } from './timeouts';
import { refuse } from '../validation/refuse';
import { dataProblems } from '../provisioning/data-rules';
import { someTenantsProblems } from '../tenant/tenant-rules';
import { supersetProblems } from './superset-rules';
import { refuseWithoutRoot } from '../database/rds-authorities';

/** A tenant together with the login that its administrator begins with. */
export interface SupersetTenant {
  /** The tenant. Its id, `displayName` and `adminEmail` must be known at synthesis. */
  readonly tenant: Tenant;

  /** The login. */
  readonly adminLogin: AdminLoginSecret;

  /**
   * Proxy that the tenant logs in by with tokens of IAM. All tenants do, or none. Let the service do so:
   * {@link TenantDatabaseProxy.grantTenantLogin} for its `taskRole`.
   *
   * @default - the tenant's secret says where and how
   */
  readonly proxy?: TenantDatabaseProxy;
}

/** Props of {@link SupersetService}. */
export interface SupersetServiceProps {
  /**
   * The tenants, whose roles, first administrator, Database and shared content each deployment makes in Superset. A tenant that
   * is no longer among them can no longer sign in.
   *
   * Let the service read their secrets: {@link TenantSecret.grantReadAll} for its `taskRole`, and
   * {@link AdminLoginSecret.grantReadAll} for its `migrationRole`.
   */
  readonly tenants: SupersetTenant[];

  /**
   * Path of a bundle of datasets, charts and dashboards that Superset has exported (a ZIP file of at most 10 MiB). Each tenant
   * gets its own copy over its own data.
   *
   * @default - none: tenants begin with nothing
   */
  readonly contentBundle?: string;

  /**
   * Functions that tenants' users may call in SQL beside those of PostgreSQL that only compute: names in lower case, with or
   * without their schema, for instance `analytics.margin`.
   *
   * @default - none
   */
  readonly allowedFunctions?: string[];

  /**
   * Name and face that people see. Paths in it begin at the working directory.
   *
   * @default - Superset's own
   */
  readonly brand?: Brand;

  /**
   * Schema of each tenant's own tables, where every tenant has a database.
   *
   * @default - `tenant_<id>`
   */
  readonly ownSchema?: string;

  /** Network; the tasks run in its service subnets. */
  readonly network: TenancyNetwork;

  /** Server of Superset's own metadata. Without a `webSecret` it is one tenant's. */
  readonly metadataDatabase: IMetadataDatabase;

  /** Cache and queue. */
  readonly cache: SupersetCache;

  /**
   * Proxies that it goes to tenants' servers by. The login of a tenant names the server itself: without the server's proxy here,
   * Superset connects to it directly.
   *
   * @default - none
   */
  readonly proxies?: TenantDatabaseProxy[];

  /**
   * What says that the proxies serve; tenants are made in Superset after it.
   *
   * @default - the target groups of the proxies, which are there some minutes before
   */
  readonly proxiesReady?: IDependable;

  /**
   * Connections of one tenant in one process of Superset, 1 to 20. A web task has two processes, a worker task three.
   *
   * @default 5
   */
  readonly connectionsPerProcess?: number;

  /** Host name that users type; point it to the load balancer. */
  readonly domainName: string;

  /**
   * Certificate of that name, in the same region.
   *
   * @default - that of the shared load balancer; a load balancer of its own needs one
   */
  readonly certificate?: acm.ICertificate;

  /**
   * Whether the load balancer takes connections from the internet, behind a web ACL.
   *
   * @default false - only from the VPC, and from what `loadBalancer.connections` is opened to
   */
  readonly internetFacing?: boolean;

  /**
   * Networks, in CIDR notation, that people may reach it from. Behind a shared load balancer at most 4.
   *
   * @default - the VPC, or everywhere if it faces the internet
   */
  readonly allowedNetworks?: string[];

  /**
   * Load balancer that other Supersets have, too. It then decides whether Superset faces the internet.
   *
   * @default - a load balancer of its own
   */
  readonly sharedLoadBalancer?: SharedLoadBalancer;

  /**
   * Priority of the rule at the shared load balancer, 1 to 50,000, which no other Superset there has.
   *
   * @default - none; a shared load balancer needs it
   */
  readonly listenerPriority?: number;

  /**
   * Whether workers run on Fargate Spot, which costs less and may be ended at any time: their tasks then begin anew.
   *
   * @default false
   */
  readonly spotWorkers?: boolean;

  /**
   * Image of Superset.
   *
   * @default - built from the `superset/` of this library
   */
  readonly image?: SupersetImage;

  /**
   * Web tasks at least.
   *
   * @default 2
   */
  readonly minWebTasks?: number;

  /**
   * Web tasks at most.
   *
   * @default 6
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
   * @default 4
   */
  readonly maxWorkerTasks?: number;

  /**
   * Key of Superset's secrets and of the logs. Its policy must let CloudWatch Logs use it; that is added unless the key is
   * imported.
   *
   * @default - a key of its own, rotated yearly
   */
  readonly encryptionKey?: kms.IKey;

  /**
   * What happens to Superset's secrets and the access logs with the stack. All but DESTROY turns the load balancer's deletion
   * protection on, as soon as it is there. A lost `SECRET_KEY` makes what Superset encrypted with it
   * unreadable.
   *
   * @default RemovalPolicy.RETAIN
   */
  readonly removalPolicy?: RemovalPolicy;
}

/**
 * Superset on Fargate: web behind a load balancer, Celery workers, and one beat. Its metadata is migrated and its tenants are
 * made by an awaited task before the services roll.
 */
export class SupersetService extends Construct implements ec2.IConnectable {
  /** Where the tasks run. */
  public readonly cluster: ecs.ICluster;

  /** The way in. Open it to further networks by its `connections`. */
  public readonly loadBalancer: elbv2.IApplicationLoadBalancer;

  /** Superset's web server. */
  public readonly webService: ecs.IFargateService;

  /** Celery workers, but for those that work for one tenant. */
  public readonly workerService: ecs.IFargateService;

  /** Celery workers that work for one tenant each, in the order of the tenants that have such (`ownWorkers`). */
  public readonly ownWorkerServices: ecs.IFargateService[];

  /** Celery's clock, of which there is never more than one. */
  public readonly beatService: ecs.IFargateService;

  /** Role of the tasks of web, workers and beat. It cannot read the secret of the owner of the metadata. */
  public readonly taskRole: iam.IRole;

  /**
   * Role of the migration's task, which logs in as the owner of the metadata and makes the tenants' first administrators. It
   * cannot read the logins of tenants to their data.
   */
  public readonly migrationRole: iam.IRole;

  /** Whom the tasks may reach, and who may reach them. */
  public readonly connections: ec2.Connections;

  /** Where users go. */
  public readonly url: string;

  private readonly targetGroup: elbv2.ApplicationTargetGroup;
  private readonly loadBalancerFullName: string;
  private readonly image: SupersetImage;
  private readonly executionRole: iam.IRole;
  private readonly logGroup: logs.LogGroup;
  private readonly environment: { [name: string]: string };
  private readonly secrets: { [name: string]: ecs.Secret };
  private readonly capacityProviders?: ecs.CfnClusterCapacityProviderAssociations;

  /**
   * @param scope the parent.
   * @param id the id in it.
   * @param props the service.
   * @throws ConfigurationError if an environment file with these values would be refused, fewer tasks are allowed at most than at least, or none, the region of the stack is not known, the VPC
   * has no public subnets to face the internet from, a tenant's name or address is not known yet, the content is no ZIP file, or
   * metadata without a `webSecret` is to hold several tenants.
   */
  constructor(scope: Construct, id: string, props: SupersetServiceProps) {
    super(scope, id);
    refuse(this, [
      ...someTenantsProblems(props.tenants.map(({ tenant }) => tenant)),
      ...dataProblems({ schema: props.ownSchema }, ['ownSchema']),
      ...supersetProblems(this, props, props.sharedLoadBalancer !== undefined),
    ]);
    refuseWithoutRoot(this);
    claimPart(this, 'metadata database', props.metadataDatabase);
    claimPart(this, 'cache', props.cache);
    const { network } = props;
    const removalPolicy = props.removalPolicy ?? RemovalPolicy.RETAIN;
    const key =
      props.encryptionKey ?? new kms.Key(this, 'Key', ownKeyProps(`Superset ${this.node.path}`, removalPolicy));
    const { minWebTasks = DEFAULT_TASKS.minWebTasks, maxWebTasks = DEFAULT_TASKS.maxWebTasks } = props;
    const { minWorkerTasks = DEFAULT_TASKS.minWorkerTasks, maxWorkerTasks = DEFAULT_TASKS.maxWorkerTasks } = props;
    const web = this.validTasks('Web', minWebTasks, maxWebTasks);
    const workers = this.validTasks('Worker', minWorkerTasks, maxWorkerTasks);

    this.url = `https://${props.domainName}`;
    this.image = props.image ?? SupersetImage.bundled();
    this.logGroup = this.newLogGroup('Log', key);
    this.cluster = new ecs.Cluster(this, 'Cluster', {
      vpc: network.vpc,
      containerInsightsV2: ecs.ContainerInsights.ENHANCED,
    });
    if (props.spotWorkers) {
      this.capacityProviders = new ecs.CfnClusterCapacityProviderAssociations(this, 'CapacityProviders', {
        cluster: this.cluster.clusterName,
        capacityProviders: ['FARGATE', SPOT],
        defaultCapacityProviderStrategy: [],
      });
    }
    const tasks = { assumedBy: new iam.ServicePrincipal('ecs-tasks.amazonaws.com') };
    this.taskRole = new iam.Role(this, 'TaskRole', { ...tasks, description: 'Superset' });
    this.migrationRole = new iam.Role(this, 'MigrationRole', { ...tasks, description: 'Migration of Superset' });
    this.executionRole = new iam.Role(this, 'ExecutionRole', { ...tasks, description: 'Starts the tasks of Superset' });
    const securityGroup = this.newSecurityGroup(network);
    this.connections = new ec2.Connections({ securityGroups: [securityGroup] });
    props.metadataDatabase.connections.allowDefaultPortFrom(this, 'Superset');
    props.cache.connections.allowDefaultPortFrom(this, 'Superset');
    props.proxies?.forEach((proxy) => proxy.connections.allowDefaultPortFrom(this, 'Superset, as one of the tenants'));
    props.metadataDatabase.grantSecretRead(this.migrationRole);
    props.metadataDatabase.webSecret?.grantRead(this.migrationRole);
    serviceSecretOf(props.metadataDatabase).grantRead(this.taskRole);
    this.environment = this.environmentOf(props);
    this.secrets = this.secretsOf(props, key, removalPolicy);

    const desiredState = new SupersetDesiredState(this, 'DesiredState', {
      tenants: props.tenants.map(({ tenant }) => tenant),
      proxyNames: new Map(props.tenants.flatMap(({ tenant, proxy }) => (proxy ? [[tenant.id, proxy.proxyName]] : []))),
      contentBundle: props.contentBundle,
      ownSchema: props.ownSchema,
    });
    desiredState.grantRead(this.migrationRole);
    const { secretNamePrefix } = EnvironmentNames.of(this);
    const migration = new SupersetMigration(this, 'Migration', {
      cluster: this.cluster,
      taskDefinition: this.newTask(
        'MigrationTask',
        'migration',
        TASK_SIZES.migration,
        COMMANDS.migration,
        {
          environment: {
            ...ownerLogin(props.metadataDatabase),
            // Not of the services, which would roll because somebody renamed a tenant.
            SUPERSET_DESIRED_STATE: desiredState.url,
            SUPERSET_TENANT_ADMIN_SECRET: AdminLoginSecret.nameFor('{tenant}', secretNamePrefix),
            SUPERSET_LOADER_SECRET: props.ownSchema
              ? TenantLoaderSecret.nameFor('{tenant}', secretNamePrefix)
              : LoaderSecret.nameFor(secretNamePrefix),
          },
        },
        this.migrationRole,
      ),
      container: 'migration',
      roles: [this.migrationRole, this.executionRole],
      network,
      securityGroup,
      taskLogGroup: this.logGroup,
      taskLogStreamPrefix: LOG_STREAM_PREFIX,
      functionLogGroup: this.newLogGroup('MigrationLog', key),
      encryptionKey: key,
    });
    // The rules of the security group, too: CloudFormation makes them apart from it, and the task could not get out before.
    migration.resource.node.addDependency(
      ...this.waysOut(network),
      props.metadataDatabase,
      props.cache,
      this.executionRole,
      this.migrationRole,
      securityGroup,
      ...props.tenants.map(({ adminLogin }) => adminLogin),
      ...(props.proxiesReady ? [props.proxiesReady] : (props.proxies ?? []).map(({ targetGroup }) => targetGroup)),
    );

    this.changeRightsAfter(migration);

    const brand = this.brandOf(props.brand);
    const webService = this.newService('Web', network, securityGroup, {
      taskDefinition: this.newTask('WebTask', 'web', TASK_SIZES.web, COMMANDS.web, {
        environment: brand,
        portMappings: [{ containerPort: WEB_PORT }],
      }),
      healthCheckGracePeriod: Duration.minutes(2),
    });
    const workerService = this.newService('Worker', network, securityGroup, {
      taskDefinition: this.newTask('WorkerTask', 'worker', TASK_SIZES.worker, COMMANDS.worker, {
        environment: brand,
        healthCheck: WORKER_LIVES,
      }),
      ...(props.spotWorkers && { capacityProviderStrategies: [{ capacityProvider: SPOT, weight: 1 }] }),
    });
    this.beatService = this.newService('Beat', network, securityGroup, {
      taskDefinition: this.newTask('BeatTask', 'beat', TASK_SIZES.beat, COMMANDS.beat, { healthCheck: BEAT_TICKS }),
      desiredCount: 1,
      // Two clocks would send every report twice: the old one ends before the new one starts.
      minHealthyPercent: 0,
      maxHealthyPercent: 100,
      availabilityZoneRebalancing: ecs.AvailabilityZoneRebalancing.DISABLED,
    });
    const ownWorkerServices = props.tenants
      .filter(({ tenant }) => tenant.ownWorkers)
      .map(({ tenant: { id: tenant } }) =>
        this.newService(`Worker-${tenant}`, network, securityGroup, {
          taskDefinition: this.newTask(
            `WorkerTask-${tenant}`,
            `worker-${tenant}`,
            TASK_SIZES.worker,
            [...COMMANDS.worker, `--queues=${ownQueue(tenant)}`],
            { environment: brand, healthCheck: WORKER_LIVES },
          ),
        }),
      );
    this.webService = webService;
    this.workerService = workerService;
    this.ownWorkerServices = ownWorkerServices;
    for (const service of [webService, workerService, ...ownWorkerServices, this.beatService]) {
      service.node.addDependency(migration.resource);
    }

    const { entrance, targetGroup } = this.newEntrance(props, webService, key, removalPolicy);
    this.loadBalancer = entrance.loadBalancer;
    this.loadBalancerFullName = entrance.loadBalancerFullName;
    this.targetGroup = targetGroup;
    const webScaling = webService.autoScaleTaskCount(web);
    webScaling.scaleOnCpuUtilization('Cpu', BUSY);
    webScaling.scaleToTrackCustomMetric('Requests', {
      metric: this.metricOfTargets('RequestCountPerTarget', cloudwatch.Stats.SUM, { period: Duration.minutes(1) }),
      targetValue: REQUESTS_PER_TASK,
    });
    workerService.autoScaleTaskCount(workers).scaleOnCpuUtilization('Cpu', BUSY);
    for (const service of ownWorkerServices) {
      service.autoScaleTaskCount({ minCapacity: 1, maxCapacity: OWN_WORKER_TASKS }).scaleOnCpuUtilization('Cpu', BUSY);
    }
    for (const service of [webService, workerService, ...ownWorkerServices]) {
      const resource = service.node.findChild('Service') as ecs.CfnService;
      // With a number, each deployment would shrink the service to it, whatever autoscaling had made of it.
      resource.desiredCount = undefined;
      skipCfnLint(resource, 'W3005');
    }
    this.acknowledgeFindings();
  }

  /**
   * Lets Superset read a secret.
   *
   * @param secret the secret, for instance that of a tenant.
   */
  public grantReadSecret(secret: secretsmanager.ISecret): iam.Grant {
    return secret.grantRead(this.taskRole);
  }

  /**
   * Requests that the load balancer handed on.
   *
   * @param options of the metric.
   * @default - sum over 5 minutes
   */
  public metricRequestCount(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metricOfTargets('RequestCount', cloudwatch.Stats.SUM, options);
  }

  /**
   * Time that Superset took to answer, in seconds.
   *
   * @param options of the metric.
   * @default - 99th percentile over 5 minutes
   */
  public metricResponseTime(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metricOfTargets('TargetResponseTime', 'p99', options);
  }

  /**
   * Answers of Superset with a status of 500 or more.
   *
   * @param options of the metric.
   * @default - sum over 5 minutes
   */
  public metricServerErrors(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metricOfTargets('HTTPCode_Target_5XX_Count', cloudwatch.Stats.SUM, options);
  }

  /**
   * Share of its processor that the web service uses, in percent.
   *
   * @param options of the metric.
   * @default - average over 5 minutes
   */
  public metricWebCpu(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.cpu(this.webService, options);
  }

  /**
   * Share of its processor that the worker service uses, in percent.
   *
   * @param options of the metric.
   * @default - average over 5 minutes
   */
  public metricWorkerCpu(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.cpu(this.workerService, options);
  }

  /**
   * Tasks of a service that run (Container Insights).
   *
   * @param service one of the three services of this construct.
   * @param options of the metric.
   * @default - minimum over 5 minutes
   */
  public metricRunningTasks(service: ecs.IFargateService, options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metricOf(service, 'ECS/ContainerInsights', 'RunningTaskCount', {
      statistic: cloudwatch.Stats.MINIMUM,
      ...options,
    });
  }

  /**
   * Web tasks that fail their health check.
   *
   * @param options of the metric.
   * @default - maximum over 5 minutes
   */
  public metricUnhealthyWebTasks(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metricOfTargets('UnHealthyHostCount', cloudwatch.Stats.MAXIMUM, options);
  }

  /**
   * Web tasks that pass their health check.
   *
   * @param options of the metric.
   * @default - minimum over 5 minutes
   */
  public metricHealthyWebTasks(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metricOfTargets('HealthyHostCount', cloudwatch.Stats.MINIMUM, options);
  }

  private cpu(service: ecs.IFargateService, options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metricOf(service, 'AWS/ECS', 'CPUUtilization', options);
  }

  /** Not by the metrics of the target group: they take the listener's name apart, in which no reference to another stack may be. */
  private metricOfTargets(
    metricName: string,
    statistic: string,
    options?: cloudwatch.MetricOptions,
  ): cloudwatch.Metric {
    const dimensionsMap = {
      TargetGroup: this.targetGroup.targetGroupFullName,
      LoadBalancer: this.loadBalancerFullName,
    };
    return new cloudwatch.Metric({
      namespace: 'AWS/ApplicationELB',
      metricName,
      dimensionsMap,
      statistic,
      ...options,
    });
  }

  private metricOf(
    service: ecs.IFargateService,
    namespace: string,
    metricName: string,
    options?: cloudwatch.MetricOptions,
  ): cloudwatch.Metric {
    const dimensionsMap = { ClusterName: this.cluster.clusterName, ServiceName: service.serviceName };
    return new cloudwatch.Metric({ namespace, metricName, dimensionsMap, ...options });
  }

  private validTasks(kind: 'Web' | 'Worker', minCapacity: number, maxCapacity: number) {
    const known = [minCapacity, maxCapacity].filter((tasks) => !Token.isUnresolved(tasks));
    const inOrder = known.length < 2 || minCapacity <= maxCapacity;
    if (inOrder && known.every((tasks) => Number.isInteger(tasks) && tasks >= 1)) {
      return { minCapacity, maxCapacity };
    }
    throw new ConfigurationError(
      this,
      'TASKS_OUT_OF_ORDER',
      `min${kind}Tasks is ${minCapacity} and max${kind}Tasks ${maxCapacity}; both must be whole numbers of 1 or more, the first not above the second.`,
    );
  }

  /** A failed migration leaves running services the rights that they started with. */
  private changeRightsAfter(migration: SupersetMigration): void {
    const policy = this.taskRole.node.findChild('DefaultPolicy');
    policy.node.addDependency(migration.resource);
    // Not the id of the policy that let services read the owner's secret: CloudFormation deletes that one when they are replaced.
    const id = `${Names.uniqueResourceName(this, { maxLength: 200 })}ServicePolicy`;
    (policy.node.defaultChild as iam.CfnPolicy).overrideLogicalId(id);
  }

  private newLogGroup(id: string, key: kms.IKey): logs.LogGroup {
    letLogsUse(key, this);
    return new logs.LogGroup(this, id, {
      encryptionKey: key,
      retention: logs.RetentionDays.ONE_YEAR,
      removalPolicy: RemovalPolicy.DESTROY,
    });
  }

  private newSecurityGroup(network: TenancyNetwork): ec2.SecurityGroup {
    const securityGroup = new ec2.SecurityGroup(this, 'SecurityGroup', {
      vpc: network.vpc,
      description: 'Tasks of Superset',
      allowAllOutbound: false,
    });
    securityGroup.addEgressRule(ec2.Peer.anyIpv4(), ec2.Port.HTTPS, 'AWS, and data sources on the internet');
    return securityGroup;
  }

  /** What a task reaches ECR, logs and secrets by: endpoints, or routes to a NAT gateway. */
  private waysOut(network: TenancyNetwork): IDependable[] {
    const { internetConnectivityEstablished } = network.vpc.selectSubnets(network.serviceSubnets);
    const endpoints = network.vpc.node.findAll().filter((child) => child instanceof ec2.VpcEndpoint);
    return [internetConnectivityEstablished, ...endpoints];
  }

  private environmentOf(props: SupersetServiceProps): { [name: string]: string } {
    const { metadataDatabase, cache, connectionsPerProcess, allowedFunctions = [] } = props;
    const tokenProxies = this.tokenProxies(props.tenants);
    const proxies = (props.proxies ?? []).filter((proxy) => !tokenProxies.has(proxy));
    const ownQueues = props.tenants.filter(({ tenant }) => tenant.ownWorkers).map(({ tenant }) => tenant.id);
    return {
      SUPERSET_URL: this.url,
      SUPERSET_DATABASE_HOST: metadataDatabase.hostname,
      SUPERSET_DATABASE_PORT: metadataDatabase.port,
      SUPERSET_DATABASE_NAME: metadataDatabase.databaseName,
      // Not its value: a new password would not reach a task that runs.
      SUPERSET_DATABASE_SECRET: serviceSecretOf(metadataDatabase).secretArn,
      ...this.oneTenant(props),
      SUPERSET_CACHE_HOST: cache.hostname,
      SUPERSET_CACHE_PORT: cache.port,
      ...(tokenProxies.size > 0
        ? { SUPERSET_TOKEN_PROXIES: proxiesByName([...tokenProxies]) }
        : { SUPERSET_TENANT_SECRET: TenantSecret.nameFor('{tenant}', EnvironmentNames.of(this).secretNamePrefix) }),
      ...(proxies.length > 0 && { SUPERSET_DATABASE_PROXIES: this.proxiesByServer(proxies) }),
      ...(connectionsPerProcess !== undefined && {
        SUPERSET_TENANT_CONNECTIONS: `${connectionsPerProcess}`,
      }),
      ...(allowedFunctions.length > 0 && {
        SUPERSET_ALLOWED_SQL_FUNCTIONS: allowedFunctions.join(','),
      }),
      ...(ownQueues.length > 0 && { SUPERSET_OWN_QUEUES: ownQueues.sort().join(',') }),
      AWS_REGION: Aws.REGION,
    };
  }

  /** The tenant whose metadata it is, where no role of the services keeps tenants apart in it. */
  private oneTenant({ metadataDatabase, tenants }: SupersetServiceProps): { [name: string]: string } {
    if (metadataDatabase.webSecret) return {};
    if (tenants.length !== 1) {
      throw new ConfigurationError(
        this,
        'METADATA_WEB_SECRET_MISSING',
        `metadataDatabase has no webSecret, so that it holds the metadata of one tenant, and there are ${tenants.length} tenants. Give a metadataDatabase with a webSecret, such as MetadataDatabase.`,
      );
    }
    return { SUPERSET_ONE_TENANT: tenants[0].tenant.id };
  }

  /** Of the tasks that people see something of, so that a new colour neither migrates anything nor stops the clock. */
  private brandOf(brand: Brand | undefined): { [name: string]: string } {
    if (!brand) return {};
    const images = { logo: brand.logo && imageUri(brand.logo), favicon: brand.favicon && imageUri(brand.favicon) };
    return { SUPERSET_BRAND: JSON.stringify({ ...brand, ...images }) };
  }

  /** Proxies that tenants log in by with tokens. The overlay knows one way to log in only, so that none is taken by mistake. */
  private tokenProxies(tenants: SupersetTenant[]): Set<TenantDatabaseProxy> {
    const bySecret = tenants.find(({ proxy }) => !proxy)?.tenant.id;
    const byToken = tenants.find(({ proxy }) => proxy)?.tenant.id;
    if (bySecret !== undefined && byToken !== undefined) {
      throw new ConfigurationError(
        this,
        'TENANT_LOGINS_MIXED',
        `tenant ${byToken} logs in with tokens of IAM and ${bySecret} with a secret; one Superset knows one way. Give all of them a proxy, or none.`,
      );
    }
    return new Set(tenants.flatMap(({ proxy }) => proxy ?? []));
  }

  /** `{"<server>:<port>": "<proxy>:<port>"}` */
  private proxiesByServer(proxies: TenantDatabaseProxy[]): string {
    const pairs = proxies.map(({ server, hostname, port }) => [
      `${server.hostname}:${server.port}`,
      `${hostname}:${port}`,
    ]);
    // Not toJsonString, which does not resolve what stands in keys.
    return `{${pairs.map(([from, to]) => `"${from}":"${to}"`).join(',')}}`;
  }

  private secretsOf(props: SupersetServiceProps, key: kms.IKey, removalPolicy: RemovalPolicy) {
    const generated = (id: string, description: string) => {
      const secret = new secretsmanager.Secret(this, id, {
        description,
        encryptionKey: key,
        removalPolicy: kept(removalPolicy),
        generateSecretString: { passwordLength: 64, excludePunctuation: true },
      });
      const reason = 'Superset signs and encrypts with it: a change needs its own command, and ends every session.';
      Validations.of(secret).acknowledge(
        { id: 'AwsSolutions-SMG4', reason },
        { id: 'NIST.800.53.R5-SecretsManagerRotationEnabled', reason },
      );
      return ecs.Secret.fromSecretsManager(secret);
    };
    return {
      SUPERSET_CACHE_TOKEN: ecs.Secret.fromSecretsManager(props.cache.authSecret, 'token'),
      SUPERSET_SECRET_KEY: generated('SecretKey', 'SECRET_KEY of Superset'),
      SUPERSET_GUEST_TOKEN_SECRET: generated('GuestTokenSecret', 'Signs guest tokens of Superset'),
      SUPERSET_ASYNC_QUERIES_SECRET: generated('AsyncQueriesSecret', 'Signs the channel of asynchronous queries'),
    };
  }

  private newTask(
    id: string,
    name: string,
    size: TaskSize,
    command: string[],
    more: Partial<ecs.ContainerDefinitionOptions> = {},
    taskRole = this.taskRole,
  ) {
    const task = new ecs.FargateTaskDefinition(this, id, {
      ...size,
      taskRole,
      executionRole: this.executionRole,
      runtimePlatform: {
        // The machines that build images are mostly of this kind; an image for another one is emulated there.
        cpuArchitecture: ecs.CpuArchitecture.X86_64,
        operatingSystemFamily: ecs.OperatingSystemFamily.LINUX,
      },
      volumes: WRITABLE.map((path) => ({ name: volumeName(path) })),
    });
    const container = task.addContainer(name, {
      ...more,
      image: this.image.containerImage,
      command,
      environment: { ...this.environment, ...more.environment },
      secrets: this.secrets,
      readonlyRootFilesystem: true,
      user: USER,
      stopTimeout: Duration.seconds(110),
      logging: ecs.LogDriver.awsLogs({ logGroup: this.logGroup, streamPrefix: LOG_STREAM_PREFIX }),
    });
    container.addMountPoints(
      ...WRITABLE.map((path) => ({ sourceVolume: volumeName(path), containerPath: path, readOnly: false })),
    );
    const reason = 'What is secret comes from Secrets Manager; the rest is names, ports and the region.';
    Validations.of(task).acknowledge({ id: 'AwsSolutions-ECS2', reason });
    return task;
  }

  private newService(
    id: string,
    network: TenancyNetwork,
    securityGroup: ec2.SecurityGroup,
    props: Omit<ecs.FargateServiceProps, 'cluster'>,
  ): ecs.FargateService {
    const service = new ecs.FargateService(this, id, {
      cluster: this.cluster,
      vpcSubnets: network.serviceSubnets,
      securityGroups: [securityGroup],
      assignPublicIp: false,
      circuitBreaker: { rollback: true },
      minHealthyPercent: 100,
      maxHealthyPercent: 200,
      enableECSManagedTags: true,
      propagateTags: ecs.PropagatedTagSource.SERVICE,
      ...props,
    });
    // ECS refuses Spot before the association, and refuses to take the association away before the service.
    if (this.capacityProviders) service.node.addDependency(this.capacityProviders);
    return service;
  }

  private newEntrance(
    props: SupersetServiceProps,
    webService: ecs.FargateService,
    encryptionKey: kms.IKey,
    removalPolicy: RemovalPolicy,
  ) {
    const { network, domainName, certificate, allowedNetworks, sharedLoadBalancer, listenerPriority } = props;
    const missing = sharedLoadBalancer ? listenerPriority === undefined : certificate === undefined;
    if (missing) {
      throw new ConfigurationError(
        this,
        'ENTRANCE_INCOMPLETE',
        sharedLoadBalancer
          ? 'sharedLoadBalancer is given without listenerPriority. Give a number from 1 to 50000 that no other Superset there has.'
          : `certificate is missing: a load balancer of its own needs one for ${domainName}. Give it, or a sharedLoadBalancer.`,
      );
    }
    if (!sharedLoadBalancer) {
      const entrance = new SupersetLoadBalancer(this, 'Entrance', {
        network,
        certificate: certificate!,
        internetFacing: props.internetFacing ?? false,
        allowedNetworks,
        encryptionKey,
        removalPolicy,
      });
      return { entrance, targetGroup: this.withReason(entrance.listener.addTargets('Web', targetsOf(webService))) };
    }
    const entrance = new SharedEntrance(this, 'Entrance', {
      ...{ sharedLoadBalancer, network, domainName, certificate, allowedNetworks },
      priority: listenerPriority!,
    });
    const targetGroup = new elbv2.ApplicationTargetGroup(this, 'WebTargets', {
      vpc: network.vpc,
      ...targetsOf(webService),
    });
    entrance.addRule(targetGroup);
    return { entrance, targetGroup: this.withReason(targetGroup) };
  }

  private withReason(targetGroup: elbv2.ApplicationTargetGroup): elbv2.ApplicationTargetGroup {
    const reason =
      'TLS ends at the load balancer; behind it the traffic stays between two security groups of private subnets.';
    skipCheckov(targetGroup.node.defaultChild as elbv2.CfnTargetGroup, reason, 'CKV_AWS_378');
    Validations.of(targetGroup).acknowledge({ id: 'TenancyChecks-TargetProtocol', reason });
    return targetGroup;
  }

  private acknowledgeFindings(): void {
    Validations.of(this).acknowledge({
      id: 'NIST.800.53.R5-IAMNoInlinePolicy',
      reason: 'Each policy serves one role of this construct, and goes with it.',
    });
    Validations.of(this.executionRole).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::*]',
      reason: 'ecr:GetAuthorizationToken takes no resource (Service Authorization Reference, "Amazon ECR").',
    });
  }
}

/** What web, workers and beat log in to the metadata with. */
function serviceSecretOf({ secret, webSecret }: IMetadataDatabase): secretsmanager.ISecret {
  return webSecret ?? secret;
}

/** What the migration logs in with, and the login that it makes. */
function ownerLogin({ secret, webSecret }: IMetadataDatabase): { [name: string]: string } {
  return {
    SUPERSET_DATABASE_SECRET: secret.secretArn,
    ...(webSecret && { SUPERSET_WEB_DATABASE_SECRET: webSecret.secretArn }),
  };
}

function targetsOf(webService: ecs.FargateService) {
  return {
    port: WEB_PORT,
    protocol: elbv2.ApplicationProtocol.HTTP,
    targets: [webService],
    deregistrationDelay: Duration.seconds(90),
    healthCheck: { path: '/health', interval: Duration.seconds(15), timeout: Duration.seconds(10) },
  };
}

interface TaskSize {
  readonly cpu: number;
  readonly memoryLimitMiB: number;
}

/** What each used is in docs/superset-service.md, "Memory of the tasks"; `npm run image` measures it. */
export const TASK_SIZES = {
  web: { cpu: 1024, memoryLimitMiB: 2048 },
  worker: { cpu: 1024, memoryLimitMiB: 2048 },
  beat: { cpu: 256, memoryLimitMiB: 512 },
  migration: { cpu: 512, memoryLimitMiB: 1024 },
} as const;

/** User of Superset's own image, named so that an image which would start as root does not. */
const USER = 'superset';

/** Workers acknowledge a task when it is done, so that one which was ended begins anew elsewhere. */
const SPOT = 'FARGATE_SPOT';

/** Requests of a minute, of which a dashboard with 30 charts takes about 60. */
const REQUESTS_PER_TASK = 1000;

const BUSY = { targetUtilizationPercent: 60 };

const CELERY = ['celery', '--app=superset.tasks.celery_app:app'];

/** Threads and not gevent: a slow query in an unpatched driver would stop the health check, too. */
const COMMANDS = {
  web: [
    'gunicorn',
    `--bind=0.0.0.0:${WEB_PORT}`,
    `--workers=${WEB_PROCESSES}`,
    '--worker-class=gthread',
    `--threads=${WEB_THREADS}`,
    // A process that does not even say that it lives; requests may take longer.
    '--timeout=110',
    '--graceful-timeout=100',
    // Longer than the load balancer keeps an idle connection: it would use one that is closed already, and answer 502.
    `--keep-alive=${TIMEOUTS.keepAlive}`,
    '--config=python:superset_tenancy.admission.recycling',
    '--worker-tmp-dir=/tmp',
    'superset.app:create_app()',
  ],
  worker: [
    ...[...CELERY, 'worker', '--pool=prefork', `--concurrency=${WORKER_CHILDREN}`, '-O', 'fair', '--loglevel=INFO'],
    // In KiB, of a child: it is replaced after its task.
    ...['--max-tasks-per-child=200', '--max-memory-per-child=700000'],
  ],
  beat: [...CELERY, 'beat', '--schedule=/tmp/celerybeat-schedule', '--pidfile=/tmp/celerybeat.pid', '--loglevel=INFO'],
  // It ends before the deployment stops waiting for it, so that its log can be shown.
  migration: ['timeout', '1500', 'sh', '-c', 'superset tenancy migrate "$SUPERSET_DESIRED_STATE"'],
};

/** Celery's clock writes its schedule every three to five minutes, from the loop that sends the tasks: one that hangs does not. */
const BEAT_TICKS: ecs.HealthCheck = {
  command: ['CMD-SHELL', "find /tmp -maxdepth 1 -name 'celerybeat-schedule*' -mmin -10 | grep -q ."],
  interval: Duration.minutes(1),
  startPeriod: Duration.minutes(2),
};

/** The worker touches it every few seconds, from the loop that takes tasks. */
const WORKER_LIVES: ecs.HealthCheck = {
  command: ['CMD-SHELL', 'find /tmp/worker-alive -mmin -2 | grep -q .'],
  interval: Duration.minutes(1),
  startPeriod: Duration.minutes(2),
};

/** All that a task may write to; the image declares them as volumes, so that its user owns them. */
const WRITABLE = ['/tmp', '/app/superset_home'];

/** Queue of Celery of a tenant that has workers of its own. */
function ownQueue(tenant: string): string {
  return `tenant_${tenant}`;
}

/** `{"<name>": "<proxy>:<port>"}` */
function proxiesByName(proxies: TenantDatabaseProxy[]): string {
  return `{${proxies.map(({ proxyName, hostname, port }) => `"${proxyName}":"${hostname}:${port}"`).join(',')}}`;
}

function volumeName(path: string): string {
  return path.replace(/\W+/g, '-').replace(/^-/, '');
}

const LOG_STREAM_PREFIX = 'superset';
