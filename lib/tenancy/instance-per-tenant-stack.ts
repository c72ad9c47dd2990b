import {
  CfnOutput,
  CrossStackReferences,
  ReferenceStrength,
  RemovalPolicy,
  Stack,
  StackProps,
  Tags,
} from 'aws-cdk-lib';
import * as acm from 'aws-cdk-lib/aws-certificatemanager';
import { Construct } from 'constructs';
import { SupersetCache } from '../cache/superset-cache';
import { TenantDatabaseServer } from '../database/tenant-database-server';
import { Environment, TenancyModel } from '../environment/environment';
import { EnvironmentNames } from '../naming/environment-names';
import { TenancyNetwork } from '../network/tenancy-network';
import { checkStackNames } from '../placement/stack-names';
import { REGISTRY_DATABASE } from '../provisioning/desired-databases';
import { InstanceSharing } from '../tenant/tenant-instance';
import { TenantKey } from '../tenant/tenant-key';
import { TerminationProtection } from '../protection/termination-protection';
import { ConfigurationError } from '../validation/configuration-error';
import { checkEnvironment, imageAt, networkProps, serverProps } from './environment-parts';
import { InstanceCell } from './instance-cell';
import { InstancePerTenancy } from './instance-per-tenancy';
import { InstancePlan, instancePlans, regionOf, ringsOf } from '../environment/instance-plan';

/** Props of {@link InstancePerTenantStack}. */
export interface InstancePerTenantStackProps extends StackProps {
  /** The environment. Its account, and the region that it says for the tenant, are the stack's. */
  readonly environment: Environment;

  /** Id of the tenant. */
  readonly tenantId: string;

  /**
   * Its cell.
   *
   * @default - none: it shares nothing
   */
  readonly cell?: InstanceCell;

  /**
   * Priority of its rule at the load balancer of the cell, 1 to 50,000, which no other instance of the cell has.
   *
   * @default - none; a load balancer of the cell needs it
   */
  readonly listenerPriority?: number;
}

/** The Superset of one tenant, in the tenant's region. It names what it takes of its cell; the cell knows nothing of it. */
export class InstancePerTenantStack extends Stack {
  /** The instance and its parts. */
  public readonly tenancy: InstancePerTenancy;

  /** Ring in which it gets a new version or configuration. */
  public readonly ring: string;

  private readonly zones?: string[];

  /**
   * @param scope the app or stage.
   * @param id the id in it, and the name of the stack.
   * @param props the environment and the tenant.
   * @throws ConfigurationError if something of the environment is not valid, it has no such tenant, or a quota of AWS would be exceeded.
   */
  constructor(scope: Construct, id: string, props: InstancePerTenantStackProps) {
    const { environment, cell, listenerPriority } = props;
    checkEnvironment(scope, environment, TenancyModel.INSTANCE_PER_TENANT);
    const plan = planOf(scope, environment, props.tenantId);
    const destroy = environment.destroyDataWithStack ?? false;
    super(scope, id, {
      terminationProtection: !destroy,
      ...props,
      env: { account: environment.account, region: plan.region },
    });
    CrossStackReferences.of(this).consume(ReferenceStrength.WEAK);
    checkStackNames(this);
    this.ring = plan.ring;
    // For the rollout: beside the template, so that another ring changes nothing of it.
    this.node.addMetadata('superset-tenancy:instance', {
      tenant: plan.tenant.id,
      ring: plan.ring,
      ringNumber: ringsOf(environment).indexOf(plan.ring),
      bakeMinutes: environment.instances?.bakeMinutes ?? 30,
      version: plan.supersetVersion,
      url: `https://${plan.domainName}`,
    });
    const { tenant } = plan;
    const { domain, superset, data } = environment;
    const region = regionOf(environment, plan.region);
    if (this.terminationProtection) new TerminationProtection(this, 'TerminationProtection');
    EnvironmentNames.define(this, { secretNamePrefix: environment.secretNamePrefix });
    this.zones = region.network?.availabilityZones;
    const removalPolicy = destroy ? RemovalPolicy.DESTROY : RemovalPolicy.RETAIN;
    const encryptionKey = new TenantKey(this, 'Key', { tenant, removalPolicy }).key;
    const ours = { encryptionKey, removalPolicy };
    const ownNetwork = plan.network === InstanceSharing.OWN || !cell;
    const network = ownNetwork
      ? new TenancyNetwork(
          this,
          'Network',
          networkProps(this, { domain, network: region.network }, encryptionKey, removalPolicy),
        )
      : cell.network;
    const ownLoadBalancer = plan.loadBalancer === InstanceSharing.OWN;
    const certificateArn =
      ownLoadBalancer || plan.certificateArn !== region.certificateArn ? plan.certificateArn : undefined;
    this.tenancy = new InstancePerTenancy(this, 'Tenancy', {
      ...ours,
      ...plan.tasks,
      tenant,
      network,
      cell: ownNetwork ? undefined : cell,
      listenerPriority,
      ownLoadBalancer,
      database:
        plan.database === InstanceSharing.OWN
          ? new TenantDatabaseServer(this, 'Database', {
              ...ours,
              network,
              databaseName: REGISTRY_DATABASE,
              ...serverProps(plan.server),
            })
          : undefined,
      cache: new SupersetCache(this, 'Cache', { ...plan.cache, network, encryptionKey }),
      domainName: plan.domainName,
      certificate: certificateArn ? acm.Certificate.fromCertificateArn(this, 'Certificate', certificateArn) : undefined,
      internetFacing: domain.internetFacing,
      allowedNetworks: plan.allowedNetworks,
      spotWorkers: plan.spotWorkers,
      image: plan.image ? imageAt(this, plan.image, network) : undefined,
      brand: plan.brand,
      contentBundle: superset.contentBundle,
      connectionsPerProcess: superset.connectionsPerProcess,
      allowedFunctions: superset.allowedFunctions,
      schema: data?.schema,
      extensions: data?.extensions,
      alarmEmails: environment.alarms?.emails,
    });
    Tags.of(this).add('superset:tenant', tenant.id);
    this.addOutputs(plan);
  }

  /** The zones that the environment names; without them the CDK looks the account's up. */
  public get availabilityZones(): string[] {
    return this.zones ?? super.availabilityZones;
  }

  private addOutputs(plan: InstancePlan): void {
    const { superset, shard, tenantSecret, adminLogin, loaderSecret, provisioner } = this.tenancy;
    const outputs: { [id: string]: [value: string, description: string] } = {
      Url: [superset.url, 'Where users go; point its host name to the load balancer'],
      LoadBalancer: [superset.loadBalancer.loadBalancerDnsName, 'What the host name points to'],
      DatabaseEndpoint: [`${shard.server.hostname}:${shard.server.port}`, "Server of the tenant's data, for its ETL"],
      TenantSecretName: [tenantSecret.secretName, 'Login of the tenant in PostgreSQL'],
      AdminLoginSecretName: [adminLogin.secretName, 'First login of the tenant in Superset'],
      ...(loaderSecret && { LoaderSecretName: [loaderSecret.secretName, "Login of the tenant's ETL"] }),
      ReconcileFunction: [provisioner.handler.functionName, 'Makes the databases, and heals them every hour'],
      SupersetVersion: [plan.supersetVersion, 'Version of Superset'],
    };
    for (const [id, [value, description]] of Object.entries(outputs)) {
      new CfnOutput(this, id, { value, description });
    }
  }
}

function planOf(scope: Construct, environment: Environment, tenantId: string): InstancePlan {
  const plans = instancePlans(environment);
  const plan = plans.find(({ tenant }) => tenant.id === tenantId);
  if (plan) return plan;
  const ids = plans.map(({ tenant }) => tenant.id).join(', ');
  throw new ConfigurationError(scope, 'TENANT_UNKNOWN', `tenantId is '${tenantId}'; the environment has ${ids}.`);
}
