import { Annotations, CfnOutput, Duration, RemovalPolicy, Stack, StackProps } from 'aws-cdk-lib';
import * as acm from 'aws-cdk-lib/aws-certificatemanager';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as ecr from 'aws-cdk-lib/aws-ecr';
import * as kms from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import { SupersetCache } from '../cache/superset-cache';
import { MetadataDatabase } from '../database/metadata-database';
import { TenantDatabaseServer } from '../database/tenant-database-server';
import { ownKeyProps } from '../encryption/own-key';
import { Environment, EnvironmentDatabase } from '../environment/environment';
import { environmentProblems } from '../environment/environment-rules';
import { TenancyNetwork } from '../network/tenancy-network';
import { SupersetImage } from '../superset/superset-image';
import { AdminLoginSecret } from '../tenant/admin-login-secret';
import { TenantSecret } from '../tenant/tenant-secret';
import { ConfigurationError } from '../validation/configuration-error';
import { problemText } from '../validation/problem';
import { SharedRlsTenancy } from './shared-rls-tenancy';

/** Props of {@link SharedRlsStack}. */
export interface SharedRlsStackProps extends StackProps {
  /** The environment. Its account and region are the stack's. */
  readonly environment: Environment;
}

/** One environment of the shared model as a stack of its own. */
export class SharedRlsStack extends Stack {
  /** The model and its parts. */
  public readonly tenancy: SharedRlsTenancy;

  private readonly zones?: string[];

  /**
   * @param scope the app or stage.
   * @param id the id in it, and the name of the stack.
   * @param props the environment.
   * @throws ConfigurationError if something of the environment is not valid, or a quota of AWS would be exceeded.
   */
  constructor(scope: Construct, id: string, props: SharedRlsStackProps) {
    const { environment } = props;
    const destroy = environment.destroyDataWithStack ?? false;
    super(scope, id, {
      terminationProtection: !destroy,
      ...props,
      env: { account: environment.account, region: environment.region },
    });
    this.checkEnvironment(environment);
    this.zones = environment.network?.availabilityZones;
    const removalPolicy = destroy ? RemovalPolicy.DESTROY : RemovalPolicy.RETAIN;
    const encryptionKey = new kms.Key(this, 'Key', ownKeyProps(`Superset tenancy ${id}`, removalPolicy));
    const ours = { encryptionKey, removalPolicy };

    const network = this.newNetwork(environment, encryptionKey, removalPolicy);
    const inNetwork = { network, ...ours };
    this.tenancy = new SharedRlsTenancy(this, 'Tenancy', {
      ...inNetwork,
      database: new TenantDatabaseServer(this, 'Database', { ...inNetwork, ...serverProps(environment.database) }),
      metadataDatabase: new MetadataDatabase(this, 'Metadata', {
        ...inNetwork,
        ...serverProps(environment.metadataDatabase),
      }),
      cache: new SupersetCache(this, 'Cache', { ...inNetwork, ...environment.cache }),
      ...this.supersetProps(environment, network),
      alarmEmails: environment.alarms?.emails,
      schema: environment.data.schema,
      tenantColumn: environment.data.tenantColumn,
      tables: environment.data.tables,
      tenants: environment.tenants,
    });
    this.addOutputs();
  }

  /** The zones that the environment names; without them the CDK looks the account's up. */
  public get availabilityZones(): string[] {
    return this.zones ?? super.availabilityZones;
  }

  private checkEnvironment(environment: Environment): void {
    const problems = environmentProblems(environment);
    if (problems.length > 0) {
      throw new ConfigurationError(this, problems[0].code, problems.map(problemText).join('\n'));
    }
  }

  private newNetwork(environment: Environment, encryptionKey: kms.IKey, removalPolicy: RemovalPolicy): TenancyNetwork {
    const { vpcId, internetEgress, ...ofNewVpc } = environment.network ?? {};
    if (vpcId) {
      return new TenancyNetwork(this, 'Network', {
        vpc: ec2.Vpc.fromLookup(this, 'Vpc', { vpcId }),
        internetEgress,
        ...ofNewVpc,
      });
    }
    return new TenancyNetwork(this, 'Network', {
      internetEgress,
      publicSubnets: environment.domain.internetFacing || undefined,
      encryptionKey,
      removalPolicy,
      ...ofNewVpc,
    });
  }

  private supersetProps({ domain, superset }: Environment, network: TenancyNetwork) {
    const { image, contentBundle, minWebTasks, maxWebTasks, minWorkerTasks, maxWorkerTasks } = superset;
    return {
      domainName: domain.name,
      certificate: acm.Certificate.fromCertificateArn(this, 'Certificate', domain.certificateArn),
      internetFacing: domain.internetFacing,
      image: image ? this.imageAt(image, network) : undefined,
      ...{ contentBundle, minWebTasks, maxWebTasks, minWorkerTasks, maxWorkerTasks },
    };
  }

  private imageAt(uri: string, network: TenancyNetwork): SupersetImage {
    const ecrImage = ECR_IMAGE.exec(uri)?.groups;
    if (ecrImage) {
      const { account, region, repositoryName, tag, digest } = ecrImage;
      const repository = ecr.Repository.fromRepositoryAttributes(this, 'Repository', {
        repositoryArn: `arn:${this.partition}:ecr:${region}:${account}:repository/${repositoryName}`,
        repositoryName,
      });
      return SupersetImage.fromEcrRepository(repository, digest ?? tag ?? 'latest');
    }
    if (!network.internetEgress) {
      Annotations.of(this).addWarningV2(
        'superset-tenancy:image-out-of-reach',
        `The image ${uri} is on the internet, which tasks cannot reach. Copy it to ECR, or set network.internetEgress.`,
      );
    }
    return SupersetImage.fromRegistry(uri);
  }

  private addOutputs(): void {
    const { database, loaderSecret, provisioner, sharedDatabase, superset } = this.tenancy;
    const outputs: { [id: string]: [value: string, description: string] } = {
      Url: [superset.url, 'Where users go; point its host name to the load balancer'],
      LoadBalancer: [superset.loadBalancer.loadBalancerDnsName, 'What the host name points to'],
      DatabaseEndpoint: [`${database.hostname}:${database.port}`, "Server of the tenants' data"],
      DatabaseName: [database.databaseName, "Database of the tenants' data"],
      LoaderSecretArn: [loaderSecret.secretArn, 'Login of the ETL that loads the tables'],
      TenantSecretNames: [TenantSecret.nameFor('<tenant id>'), 'Login of each tenant in PostgreSQL'],
      AdminLoginSecretNames: [AdminLoginSecret.nameFor('<tenant id>'), 'First login of each tenant in Superset'],
      ReconcileFunction: [
        provisioner.handler.functionName,
        'Call it with {"reconcile":"stored"} after a table was made',
      ],
      PendingTables: [sharedDatabase.pendingTables, 'Declared tables that do not exist yet'],
      UnreadableRelations: [
        sharedDatabase.unreadableRelations,
        'Relations that no tenant can read, for want of a policy',
      ],
    };
    for (const [id, [value, description]] of Object.entries(outputs)) {
      new CfnOutput(this, id, { value, description });
    }
  }
}

/** An image in a private repository of ECR (ECR User Guide, "Amazon ECR private registry"). */
const ECR_IMAGE =
  /^(?<account>\d{12})\.dkr\.ecr\.(?<region>[a-z0-9-]+)\.amazonaws\.com(\.cn)?\/(?<repositoryName>[^:@]+)(:(?<tag>[\w.-]+))?(@(?<digest>sha256:[0-9a-f]{64}))?$/;

function serverProps({ backupDays, ...size }: EnvironmentDatabase = {}) {
  return { ...size, ...(backupDays === undefined ? {} : { backupRetention: Duration.days(backupDays) }) };
}
