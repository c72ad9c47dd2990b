import { CfnOutput, RemovalPolicy, Stack, StackProps } from 'aws-cdk-lib';
import * as acm from 'aws-cdk-lib/aws-certificatemanager';
import * as kms from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import { TenantDatabaseServer } from '../database/tenant-database-server';
import { ownKeyProps } from '../encryption/own-key';
import { Environment, TenancyModel } from '../environment/environment';
import { EnvironmentNames } from '../naming/environment-names';
import { TenancyNetwork } from '../network/tenancy-network';
import { checkStackNames } from '../placement/stack-names';
import { REGISTRY_DATABASE } from '../provisioning/desired-databases';
import { SharedLoadBalancer } from '../superset/shared-load-balancer';
import { InstanceSharing } from '../tenant/tenant-instance';
import { TerminationProtection } from '../protection/termination-protection';
import { ConfigurationError } from '../validation/configuration-error';
import { checkInstanceConnections } from './connection-budget';
import { checkEnvironment, networkProps, serverProps } from './environment-parts';
import { InstanceCell } from './instance-cell';
import { InstancePlan, instancePlans, regionOf } from '../environment/instance-plan';

/** Props of {@link InstanceCellStack}. */
export interface InstanceCellStackProps extends StackProps {
  /** The environment. Its account is the stack's. */
  readonly environment: Environment;

  /** Region of the cell. */
  readonly region: string;

  /** Ids of the tenants of the cell. It has what they say that they share. */
  readonly tenantIds: string[];

  /**
   * Whether the cell has a PostgreSQL server although none of its tenants shares it: then removed tenants have their data on it.
   *
   * @default false
   */
  readonly keepsDatabase?: boolean;
}

/** What the instances of one cell share, as a stack that depends on none of them. */
export class InstanceCellStack extends Stack {
  /** The cell and its parts. */
  public readonly cell: InstanceCell;

  private readonly zones?: string[];

  /**
   * @param scope the app or stage.
   * @param id the id in it, and the name of the stack.
   * @param props the environment and the tenants.
   * @throws ConfigurationError if something of the environment is not valid, or the server takes fewer connections than its tenants need.
   */
  constructor(scope: Construct, id: string, props: InstanceCellStackProps) {
    const { environment, region } = props;
    checkEnvironment(scope, environment, TenancyModel.INSTANCE_PER_TENANT);
    const plans = instancePlans(environment).filter(({ tenant }) => props.tenantIds.includes(tenant.id));
    const destroy = environment.destroyDataWithStack ?? false;
    super(scope, id, {
      terminationProtection: !destroy,
      ...props,
      env: { account: environment.account, region },
    });
    checkStackNames(this);
    this.node.addMetadata('superset-tenancy:cell', { tenants: props.tenantIds });
    const { certificateArn, network: given } = regionOf(environment, region);
    if (this.terminationProtection) new TerminationProtection(this, 'TerminationProtection');
    EnvironmentNames.define(this, { secretNamePrefix: environment.secretNamePrefix });
    this.zones = given?.availabilityZones;
    const removalPolicy = destroy ? RemovalPolicy.DESTROY : RemovalPolicy.RETAIN;
    const encryptionKey = new kms.Key(this, 'Key', ownKeyProps(`Superset cell ${id}`, removalPolicy));
    const ours = { encryptionKey, removalPolicy };
    const { domain } = environment;
    const network = new TenancyNetwork(
      this,
      'Network',
      networkProps(this, { domain, network: given }, encryptionKey, removalPolicy),
    );
    const sharing = (part: 'loadBalancer' | 'database') => plans.filter((plan) => plan[part] === InstanceSharing.CELL);
    const behindIt = sharing('loadBalancer');
    const onServer = sharing('database');
    if (onServer.length > MOST_ON_SERVER) {
      throw new ConfigurationError(
        this,
        'CELL_SERVER_RULES',
        `${onServer.length} tenants have their databases on the server of cell ${id}, each with a rule in its security group, which has 60 (Amazon VPC User Guide, "Amazon VPC quotas"). Let at most ${MOST_ON_SERVER} do so: lower instances.tenantsPerCell, or give some a server of their own (database: own).`,
      );
    }
    const database =
      onServer.length > 0 || props.keepsDatabase
        ? new TenantDatabaseServer(this, 'Database', {
            ...ours,
            network,
            databaseName: REGISTRY_DATABASE,
            ...serverProps(environment.instances?.cellDatabase),
          })
        : undefined;
    if (behindIt.length > MOST_BEHIND_LOAD_BALANCER) {
      throw new ConfigurationError(
        this,
        'CELL_TARGET_GROUPS',
        `${behindIt.length} tenants are behind the load balancer of cell ${id}, each with a target group; it has 100 (Elastic Load Balancing User Guide, "Quotas for your Application Load Balancers"), which AWS does not raise. Let at most ${MOST_BEHIND_LOAD_BALANCER} do so: give some a load balancer of their own (loadBalancer: own).`,
      );
    }
    if (database) checkInstanceConnections(this, onServer.map(loadOf), database.maxConnections);
    this.cell = new InstanceCell(this, 'Cell', {
      network,
      loadBalancer:
        behindIt.length > 0
          ? new SharedLoadBalancer(this, 'Entrance', {
              ...ours,
              network,
              certificate: acm.Certificate.fromCertificateArn(this, 'Certificate', certificateArn),
              internetFacing: domain.internetFacing,
              allowedNetworks: networksOf(behindIt),
            })
          : undefined,
      database,
      alarmEmails: environment.alarms?.emails,
      ...ours,
    });
    this.addOutputs();
  }

  /** The zones that the environment names; without them the CDK looks the account's up. */
  public get availabilityZones(): string[] {
    return this.zones ?? super.availabilityZones;
  }

  private addOutputs(): void {
    const { loadBalancer, shard } = this.cell;
    if (loadBalancer) {
      new CfnOutput(this, 'LoadBalancer', {
        value: loadBalancer.loadBalancer.loadBalancerDnsName,
        description: 'What the host names of the tenants of this cell point to',
      });
    }
    if (shard) {
      new CfnOutput(this, 'DatabaseEndpoint', {
        value: `${shard.server.hostname}:${shard.server.port}`,
        description: 'Server of the databases of this cell',
      });
    }
  }
}

/** With room for the provisioner and for operators. */
const MOST_ON_SERVER = 55;

/** As many as `instances.tenantsPerCell` allows; files of places that were merged may hold more. */
const MOST_BEHIND_LOAD_BALANCER = 95;

/** What tenants' networks the load balancer is to be reached from, each once. */
function networksOf(plans: InstancePlan[]): string[] | undefined {
  const networks = [...new Set(plans.flatMap(({ allowedNetworks }) => allowedNetworks ?? []))];
  return networks.length > 0 ? networks.sort() : undefined;
}

function loadOf({ tenant, tasks: { maxWebTasks, maxWorkerTasks } }: InstancePlan) {
  return { tenant, maxWebTasks, maxWorkerTasks };
}
