import { Aws, RemovalPolicy, Stack, Token, Validations } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as logs from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { letLogsUse, ownKeyProps } from '../encryption/own-key';
import { kept } from '../protection/protection';
import { limitCdkFunction } from '../provisioning/cdk-function';
import { ConfigurationError } from '../validation/configuration-error';
import { skipCfnLint } from '../validation/skipped-checks';
import { refuse } from '../validation/refuse';
import { Problem, valueText } from '../validation/problem';
import { propertyProblems } from '../validation/schema';
import { cidrProblems, zoneProblems } from './network-rules';

/** Props of {@link TenancyNetwork}. */
export interface TenancyNetworkProps {
  /**
   * An existing VPC.
   *
   * Nothing is added to it: its flow logs, endpoints and routes are its owner's. Without a NAT gateway it needs
   * endpoints for Secrets Manager, CloudWatch Logs, ECR (`ecr.api`, `ecr.dkr`) and S3.
   *
   * @default - a new VPC
   */
  readonly vpc?: ec2.IVpc;

  /**
   * Address range of the new VPC, /16 to /22.
   *
   * @default '10.40.0.0/16'
   */
  readonly cidr?: string;

  /**
   * Availability zones of the new VPC by name, 2 or 3. The stack must know them: an `env` without an overridden
   * `availabilityZones` looks them up.
   *
   * @default - the first two of the stack
   */
  readonly availabilityZones?: string[];

  /**
   * Whether services may reach the internet.
   *
   * In a new VPC, `true` makes one NAT gateway per availability zone (us-east-1: 33 USD a month each and
   * 0.045 USD per GB). `false` makes four interface endpoints in their place (7.30 USD a month each per zone and
   * 0.01 USD per GB; 58 USD for two zones), and nothing else gets out. Prices: aws.amazon.com/vpc/pricing and
   * aws.amazon.com/privatelink/pricing.
   *
   * @default - false; in a given VPC, whether it has private subnets with egress
   */
  readonly internetEgress?: boolean;

  /**
   * Whether a new VPC has public subnets, which a load balancer that faces the internet needs.
   *
   * @default - the value of `internetEgress`
   */
  readonly publicSubnets?: boolean;

  /**
   * Key of the flow logs. Its policy must let CloudWatch Logs use it; that is added unless the key is imported.
   *
   * @default - a key of its own, rotated yearly
   */
  readonly encryptionKey?: kms.IKey;

  /**
   * What happens to a new VPC and its database subnets with the stack. A database that is retained stands in them,
   * so that their deletion would fail. Anything but DESTROY retains them.
   *
   * @default RemovalPolicy.RETAIN
   */
  readonly removalPolicy?: RemovalPolicy;
}

/** Where services and databases run: a new VPC, or a given one that is checked for what they need. */
export class TenancyNetwork extends Construct {
  /** The VPC. */
  public readonly vpc: ec2.IVpc;

  /**
   * Subnets of services and functions: with egress if the network has internet egress, isolated if not. Those with egress are
   * RDS Proxy's too.
   */
  public readonly serviceSubnets: ec2.SubnetSelection;

  /** Subnets of databases and caches: isolated; in a given VPC that has none, its private ones. */
  public readonly databaseSubnets: ec2.SubnetSelection;

  /** Whether services reach the internet. */
  public readonly internetEgress: boolean;

  /**
   * @param scope the parent.
   * @param id the id in it.
   * @param props the network.
   * @throws ConfigurationError if a given VPC lacks subnets, or the address range or zones of a new one do not fit.
   */
  constructor(scope: Construct, id: string, props?: TenancyNetworkProps) {
    super(scope, id);
    const given = props ?? {};
    if (given.vpc) {
      this.refuseOptionsOfNewVpc(given);
      this.refuseUnknownSubnets(given.vpc);
      this.vpc = given.vpc;
      this.internetEgress = given.internetEgress ?? given.vpc.privateSubnets.length > 0;
      this.serviceSubnets = this.givenServiceSubnets(given.vpc);
      this.databaseSubnets = this.givenDatabaseSubnets(given.vpc);
      return;
    }
    this.internetEgress = given.internetEgress ?? false;
    const vpc = this.newVpc(given);
    this.vpc = vpc;
    this.serviceSubnets = { subnetGroupName: 'service' };
    this.databaseSubnets = { subnetGroupName: 'database' };
    const key =
      given.encryptionKey ??
      new kms.Key(this, 'Key', ownKeyProps('Flow logs of the tenancy network', RemovalPolicy.DESTROY));
    const log = this.addFlowLog(vpc, key);
    this.addEndpoints(vpc, given.cidr ?? DEFAULT_CIDR);
    if (given.removalPolicy !== RemovalPolicy.DESTROY) {
      this.keepWhatDatabasesStandIn(vpc);
    }
    this.acknowledgeFindings(vpc);
    limitCdkFunction(
      this,
      'Custom::VpcRestrictDefaultSGCustomResourceProvider',
      log,
      'aws-cdk-lib makes it; CloudFormation calls it once a deployment, and reports its failure.',
    );
  }

  private newVpc(props: TenancyNetworkProps): ec2.Vpc {
    const cidr = props.cidr ?? DEFAULT_CIDR;
    this.refuseInvalid(cidr, props.availabilityZones);
    const mask = Number(cidr.split('/')[1]);
    const publicSubnets = props.publicSubnets ?? this.internetEgress;
    return new ec2.Vpc(this, 'Vpc', {
      ipAddresses: ec2.IpAddresses.cidr(cidr),
      ...(props.availabilityZones ? { availabilityZones: props.availabilityZones } : { maxAzs: 2 }),
      natGateways: this.internetEgress ? undefined : 0,
      restrictDefaultSecurityGroup: true,
      // Public subnets come last, so that adding them moves no address range.
      subnetConfiguration: [
        {
          name: 'service',
          subnetType: this.internetEgress ? ec2.SubnetType.PRIVATE_WITH_EGRESS : ec2.SubnetType.PRIVATE_ISOLATED,
          cidrMask: mask + 3,
        },
        { name: 'database', subnetType: ec2.SubnetType.PRIVATE_ISOLATED, cidrMask: mask + 4 },
        ...(publicSubnets
          ? [
              {
                name: 'public',
                subnetType: ec2.SubnetType.PUBLIC,
                cidrMask: mask + 4,
                mapPublicIpOnLaunch: false,
              },
            ]
          : []),
      ],
    });
  }

  private refuseInvalid(cidr: string, zones: string[] | undefined): void {
    const { region } = Stack.of(this);
    refuse(this, [
      ...propertyProblems('EnvironmentNetwork', 'cidr', cidr, ['cidr']),
      ...(Token.isUnresolved(cidr) ? [unknownCidr(cidr)] : cidrProblems(cidr, ['cidr'])),
      ...propertyProblems('EnvironmentNetwork', 'availabilityZones', zones, ['availabilityZones']),
      ...zoneProblems(zones, ['availabilityZones'], Token.isUnresolved(region) ? undefined : region),
    ]);
  }

  private addFlowLog(vpc: ec2.Vpc, key: kms.IKey): logs.LogGroup {
    letLogsUse(key, this);
    const logGroup = new logs.LogGroup(this, 'FlowLogs', {
      encryptionKey: key,
      retention: logs.RetentionDays.THREE_MONTHS,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const flowLog = vpc.addFlowLog('FlowLog', { destination: ec2.FlowLogDestination.toCloudWatchLogs(logGroup) });
    Validations.of(flowLog).acknowledge({
      id: 'NIST.800.53.R5-IAMNoInlinePolicy',
      reason: 'The policy names one log group and serves one role; shared it would serve nobody else.',
    });
    return logGroup;
  }

  private addEndpoints(vpc: ec2.Vpc, cidr: string): void {
    const s3 = vpc.addGatewayEndpoint('S3', {
      service: ec2.GatewayVpcEndpointAwsService.S3,
      subnets: [this.serviceSubnets],
    });
    if (this.internetEgress) {
      return;
    }
    // Without these two statements the gateway would carry data to anybody's bucket.
    s3.addToPolicy(imageLayers());
    s3.addToPolicy(bucketsOfThisAccount());
    const securityGroup = new ec2.SecurityGroup(this, 'EndpointSecurityGroup', {
      vpc,
      description: 'Interface endpoints: HTTPS from the VPC',
      allowAllOutbound: false,
    });
    securityGroup.addIngressRule(ec2.Peer.ipv4(cidr), ec2.Port.HTTPS, 'HTTPS from the VPC');
    for (const [id, service] of Object.entries(INTERFACE_ENDPOINTS)) {
      const endpoint = vpc.addInterfaceEndpoint(id, {
        service,
        subnets: this.serviceSubnets,
        securityGroups: [securityGroup],
        open: false,
      });
      endpoint.addToPolicy(callersOfThisAccount());
    }
  }

  private keepWhatDatabasesStandIn(vpc: ec2.Vpc): void {
    (vpc.node.defaultChild as ec2.CfnVPC).applyRemovalPolicy(kept(RemovalPolicy.RETAIN));
    for (const subnet of vpc.selectSubnets(this.databaseSubnets).subnets) {
      (subnet.node.findChild('Subnet') as ec2.CfnSubnet).applyRemovalPolicy(kept(RemovalPolicy.RETAIN));
    }
  }

  private acknowledgeFindings(vpc: ec2.Vpc): void {
    Validations.of(vpc).acknowledge({
      id: 'CloudFormation-Validate::W3010',
      reason: 'Zones are named, so that no look-up moves a subnet to another zone, which would replace it.',
    });
    for (const subnet of [...vpc.publicSubnets, ...vpc.privateSubnets, ...vpc.isolatedSubnets]) {
      skipCfnLint(subnet.node.findChild('Subnet') as ec2.CfnSubnet, 'W3010');
    }
    for (const subnet of vpc.publicSubnets) {
      Validations.of(subnet).acknowledge({
        id: 'NIST.800.53.R5-VPCNoUnrestrictedRouteToIGW',
        reason: 'Only NAT gateways and the load balancer stand in public subnets, and they need this route.',
      });
    }
  }

  private refuseOptionsOfNewVpc(props: TenancyNetworkProps): void {
    const ofNewVpc = (['cidr', 'availabilityZones', 'publicSubnets', 'encryptionKey', 'removalPolicy'] as const).filter(
      (name) => props[name] !== undefined,
    );
    if (ofNewVpc.length > 0) {
      throw new ConfigurationError(
        this,
        'NETWORK_OPTIONS_CONFLICT',
        `vpc is given together with ${ofNewVpc.join(', ')}, which only shape a new VPC. Leave out the one or the other.`,
      );
    }
  }

  /** `Token.isUnresolved` tells a list that is not known from a text only when it is asked about a list. */
  private refuseUnknownSubnets(vpc: ec2.IVpc): void {
    const subnets = [...vpc.publicSubnets, ...vpc.privateSubnets, ...vpc.isolatedSubnets];
    const unknown = ['availabilityZone', 'subnetId'] as const;
    if (!subnets.some((subnet) => unknown.some((key) => Token.isUnresolved([subnet[key]])))) return;
    throw new ConfigurationError(
      this,
      'NETWORK_SUBNETS_UNKNOWN',
      'the subnets of the given VPC, or their zones, are a list whose length only the deployment knows, and subnets are chosen by zone at synthesis. ' +
        "Look the VPC up (Vpc.fromLookup), or give each id and zone as an entry of its own: isolatedSubnetIds: [Fn.select(0, list), Fn.select(1, list)], availabilityZones: ['eu-central-1a', 'eu-central-1b'].",
    );
  }

  private givenServiceSubnets(vpc: ec2.IVpc): ec2.SubnetSelection {
    const wanted = this.internetEgress ? vpc.privateSubnets : vpc.isolatedSubnets;
    if (wanted.length > 0) {
      return { subnets: wanted };
    }
    throw new ConfigurationError(
      this,
      'NETWORK_SUBNETS_MISSING',
      `internetEgress is ${this.internetEgress}, and the given VPC has ${vpc.privateSubnets.length} private subnets with egress, ` +
        `${vpc.isolatedSubnets.length} isolated and ${vpc.publicSubnets.length} public ones. Services need private subnets if it is true, ` +
        'isolated ones if it is false, and never run in public ones.',
    );
  }

  private givenDatabaseSubnets(vpc: ec2.IVpc): ec2.SubnetSelection {
    const subnets = vpc.isolatedSubnets.length > 0 ? vpc.isolatedSubnets : vpc.privateSubnets;
    const zones = [...new Set(subnets.map((subnet) => subnet.availabilityZone))];
    if (zones.length >= 2 || zones.some((zone) => Token.isUnresolved(zone))) {
      return { subnets };
    }
    throw new ConfigurationError(
      this,
      'NETWORK_ZONES_MISSING',
      `the database subnets of the given VPC are in ${zones.length} availability zone (${zones.join(', ')}); RDS needs subnets in two. Add one in a second zone.`,
    );
  }
}

const DEFAULT_CIDR = '10.40.0.0/16';

function unknownCidr(cidr: string): Problem {
  const fault = `is ${valueText(cidr)}, which is known at deployment only, and subnets are computed from it`;
  return { path: ['cidr'], code: 'CIDR_UNKNOWN', fault, remedy: `give the range itself, for instance ${DEFAULT_CIDR}` };
}

/** What Fargate needs to start (image, log, secrets), and what the functions in the VPC call. */
const INTERFACE_ENDPOINTS: { [id: string]: ec2.InterfaceVpcEndpointAwsService } = {
  SecretsManager: ec2.InterfaceVpcEndpointAwsService.SECRETS_MANAGER,
  Logs: ec2.InterfaceVpcEndpointAwsService.CLOUDWATCH_LOGS,
  EcrApi: ec2.InterfaceVpcEndpointAwsService.ECR,
  EcrDocker: ec2.InterfaceVpcEndpointAwsService.ECR_DOCKER,
};

function callersOfThisAccount(): iam.PolicyStatement {
  return new iam.PolicyStatement({
    principals: [new iam.AnyPrincipal()],
    actions: ['*'],
    resources: ['*'],
    conditions: { StringEquals: { 'aws:PrincipalAccount': Aws.ACCOUNT_ID } },
  });
}

/** ECR keeps image layers in a bucket of its own (ECR User Guide, "Minimum Amazon S3 bucket permissions"). */
function imageLayers(): iam.PolicyStatement {
  return new iam.PolicyStatement({
    principals: [new iam.AnyPrincipal()],
    actions: ['s3:GetObject'],
    resources: [`arn:${Aws.PARTITION}:s3:::prod-${Aws.REGION}-starport-layer-bucket/*`],
  });
}

function bucketsOfThisAccount(): iam.PolicyStatement {
  return new iam.PolicyStatement({
    principals: [new iam.AnyPrincipal()],
    actions: ['s3:*'],
    resources: ['*'],
    conditions: { StringEquals: { 'aws:ResourceAccount': Aws.ACCOUNT_ID } },
  });
}
