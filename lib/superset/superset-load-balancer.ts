import { Duration, Names, RemovalPolicy, Stack, Token, Validations } from 'aws-cdk-lib';
import * as acm from 'aws-cdk-lib/aws-certificatemanager';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as elbv2 from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as s3 from 'aws-cdk-lib/aws-s3';
import * as wafv2 from 'aws-cdk-lib/aws-wafv2';
import { Construct } from 'constructs';
import { letLogsUse } from '../encryption/own-key';
import { OTHER_STACK, claimName } from '../naming/name-claims';
import { TenancyNetwork } from '../network/tenancy-network';
import { DeletionProtection, PROTECTED_AFTERWARDS, loadBalancerProtection } from '../protection/deletion-protection';
import { limitCdkFunction } from '../provisioning/cdk-function';
import { ConfigurationError } from '../validation/configuration-error';
import { skipCheckov } from '../validation/skipped-checks';
import { TIMEOUTS } from './timeouts';

/** Props of {@link SupersetLoadBalancer}. */
export interface SupersetLoadBalancerProps {
  readonly network: TenancyNetwork;
  readonly certificate: acm.ICertificate;
  readonly internetFacing: boolean;
  /** Networks, in CIDR notation, that it takes connections from. @default - the VPC, or everywhere if it faces the internet */
  readonly allowedNetworks?: string[];
  readonly encryptionKey: kms.IKey;
  readonly removalPolicy: RemovalPolicy;
}

/** The way in: HTTPS only, internal unless told otherwise, and behind a web ACL if it faces the internet. */
export class SupersetLoadBalancer extends Construct {
  public readonly loadBalancer: elbv2.IApplicationLoadBalancer;
  public readonly listener: elbv2.IApplicationListener;
  public readonly securityGroupId: string;
  public readonly loadBalancerFullName: string;

  constructor(scope: Construct, id: string, props: SupersetLoadBalancerProps) {
    super(scope, id);
    const { network, internetFacing } = props;
    const removed = props.removalPolicy === RemovalPolicy.DESTROY;
    this.requireRegion();
    const securityGroup = this.securityGroup(network, internetFacing, props.allowedNetworks);
    this.securityGroupId = securityGroup.securityGroupId;
    const loadBalancer = new elbv2.ApplicationLoadBalancer(this, 'LoadBalancer', {
      vpc: network.vpc,
      vpcSubnets: this.subnets(network, internetFacing),
      internetFacing,
      securityGroup,
      dropInvalidHeaderFields: true,
      idleTimeout: Duration.seconds(TIMEOUTS.loadBalancerIdle),
    });
    this.loadBalancer = loadBalancer;
    this.loadBalancerFullName = loadBalancer.loadBalancerFullName;
    const accessLogs = this.accessLogs(removed, props.encryptionKey);
    loadBalancer.logAccessLogs(accessLogs, 'load-balancer');
    this.listener = loadBalancer.addListener('Https', {
      port: 443,
      certificates: [props.certificate],
      sslPolicy: elbv2.SslPolicy.RECOMMENDED_TLS,
      open: false,
    });
    if (removed) {
      // It goes before the bucket of its logs is emptied, since it would go on writing.
      const emptying = accessLogs.node.findChild('AutoDeleteObjectsCustomResource');
      loadBalancer.node.defaultChild!.node.addDependency(emptying);
    }
    if (!removed) {
      loadBalancer.removeAttribute('deletion_protection.enabled');
      new DeletionProtection(this, 'DeletionProtection', loadBalancerProtection(loadBalancer));
    }
    Validations.of(loadBalancer).acknowledge({
      id: 'NIST.800.53.R5-ELBDeletionProtectionEnabled',
      reason: removed ? 'Deletion was asked for, with removalPolicy: DESTROY.' : PROTECTED_AFTERWARDS,
    });
    if (internetFacing) {
      this.addWebAcl(props.encryptionKey);
    } else {
      const reason = 'It takes connections from the VPC only; a web ACL is made when it faces the internet.';
      Validations.of(this).acknowledge({ id: 'NIST.800.53.R5-ALBWAFEnabled', reason });
    }
  }

  private requireRegion(): void {
    if (Token.isUnresolved(Stack.of(this).region)) {
      throw new ConfigurationError(
        this,
        'REGION_UNKNOWN',
        `the region of stack '${Stack.of(this).node.path}' is not known, and who may write access logs depends on it. Give the stack an env, for instance { env: { region: 'eu-central-1' } }.`,
      );
    }
  }

  /** Of each zone the first: a load balancer takes no more (Elastic Load Balancing User Guide, "Subnets for your load balancer"). */
  private subnets(network: TenancyNetwork, internetFacing: boolean): ec2.SubnetSelection {
    const given = internetFacing
      ? network.vpc.publicSubnets
      : network.vpc.selectSubnets(network.serviceSubnets).subnets;
    const zones = given.map(({ availabilityZone }) => availabilityZone);
    const subnets = given.filter((_, index) => zones.indexOf(zones[index]) === index);
    if (subnets.length >= 2) return { subnets };
    throw new ConfigurationError(
      this,
      internetFacing ? 'PUBLIC_SUBNETS_MISSING' : 'SERVICE_ZONES_MISSING',
      internetFacing
        ? `internetFacing is true, and the VPC has ${given.length} public subnets in ${subnets.length} zones; a load balancer needs two, in two zones. Set publicSubnets of the network, or leave internetFacing out.`
        : `the service subnets of the VPC are in ${subnets.length} availability zone (${[...new Set(zones)].join(', ')}); a load balancer needs subnets in two. Add one in a second zone.`,
    );
  }

  private securityGroup(
    network: TenancyNetwork,
    internetFacing: boolean,
    allowedNetworks?: string[],
  ): ec2.SecurityGroup {
    const securityGroup = new ec2.SecurityGroup(this, 'SecurityGroup', {
      vpc: network.vpc,
      description: 'Load balancer of Superset',
      allowAllOutbound: false,
    });
    for (const cidr of allowedNetworks ?? []) {
      securityGroup.addIngressRule(ec2.Peer.ipv4(cidr), ec2.Port.HTTPS, 'HTTPS from an allowed network');
    }
    if (internetFacing && !allowedNetworks) {
      securityGroup.addIngressRule(ec2.Peer.anyIpv4(), ec2.Port.HTTPS, 'HTTPS from the internet');
      const reason = 'internetFacing was asked for; a web ACL stands in front.';
      Validations.of(securityGroup).acknowledge({ id: 'AwsSolutions-EC23', reason });
    } else if (!allowedNetworks) {
      securityGroup.addIngressRule(ec2.Peer.ipv4(network.vpc.vpcCidrBlock), ec2.Port.HTTPS, 'HTTPS from the VPC');
      const reason = 'HTTPS from the address range of the VPC, which the rule cannot see before the deployment.';
      Validations.of(securityGroup).acknowledge(
        { id: 'AwsSolutions-EC23', reason },
        { id: 'NIST.800.53.R5-EC2RestrictedCommonPorts', reason },
        { id: 'NIST.800.53.R5-EC2RestrictedSSH', reason },
      );
    }
    return securityGroup;
  }

  private accessLogs(removed: boolean, encryptionKey: kms.IKey): s3.Bucket {
    const bucket = new s3.Bucket(this, 'AccessLogs', {
      // Load balancers write with keys of S3 only (ELB User Guide, "Access logs").
      encryption: s3.BucketEncryption.S3_MANAGED,
      blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
      objectOwnership: s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
      enforceSSL: true,
      versioned: true,
      lifecycleRules: [{ expiration: Duration.days(365), noncurrentVersionExpiration: Duration.days(30) }],
      // The load balancer writes a test object at once, and a bucket that holds anything cannot be deleted: a rollback leaves it, too.
      removalPolicy: removed ? RemovalPolicy.DESTROY : RemovalPolicy.RETAIN,
      autoDeleteObjects: removed,
    });
    if (removed) this.limitEmptying(encryptionKey);
    const itself = 'It holds access logs itself, and only the load balancer writes to it.';
    const replica = 'Access logs of one region, for a year; nothing is restored from them.';
    const key = 'Load balancers write access logs with keys of S3 only.';
    Validations.of(bucket).acknowledge(
      { id: 'AwsSolutions-S1', reason: itself },
      { id: 'NIST.800.53.R5-S3BucketLoggingEnabled', reason: itself },
      { id: 'NIST.800.53.R5-S3BucketReplicationEnabled', reason: replica },
      { id: 'NIST.800.53.R5-S3DefaultEncryptionKMS', reason: key },
    );
    const resource = bucket.node.defaultChild as s3.CfnBucket;
    skipCheckov(resource, itself, 'CKV_AWS_18');
    skipCheckov(resource, replica, 'CKV_AWS_144');
    skipCheckov(resource, key, 'CKV_AWS_145');
    return bucket;
  }

  /** The function with which aws-cdk-lib empties the bucket. */
  private limitEmptying(encryptionKey: kms.IKey): void {
    letLogsUse(encryptionKey, this);
    limitCdkFunction(
      this,
      'Custom::S3AutoDeleteObjectsCustomResourceProvider',
      new logs.LogGroup(this, 'EmptyingLog', {
        encryptionKey,
        retention: logs.RetentionDays.THREE_MONTHS,
        removalPolicy: RemovalPolicy.DESTROY,
      }),
      'aws-cdk-lib makes it; CloudFormation calls it when the stack goes, and reports its failure.',
    );
  }

  private addWebAcl(key: kms.IKey): void {
    const metric = (metricName: string) => ({
      cloudWatchMetricsEnabled: true,
      sampledRequestsEnabled: true,
      metricName,
    });
    // Not the SQL injection rules: SQL Lab sends SQL.
    const managed = ['AWSManagedRulesAmazonIpReputationList', 'AWSManagedRulesKnownBadInputsRuleSet'];
    const webAcl = new wafv2.CfnWebACL(this, 'WebAcl', {
      scope: 'REGIONAL',
      defaultAction: { allow: {} },
      visibilityConfig: metric('superset'),
      rules: [
        {
          name: 'rate',
          priority: 0,
          action: { block: {} },
          statement: { rateBasedStatement: { aggregateKeyType: 'IP', limit: REQUESTS_PER_ADDRESS } },
          visibilityConfig: metric('superset-rate'),
        },
        ...managed.map((name, index) => ({
          name,
          priority: index + 1,
          overrideAction: { none: {} },
          statement: { managedRuleGroupStatement: { vendorName: 'AWS', name } },
          visibilityConfig: metric(`superset-${name}`),
        })),
      ],
    });
    new wafv2.CfnWebACLAssociation(this, 'WebAclAssociation', {
      webAclArn: webAcl.attrArn,
      resourceArn: this.loadBalancer.loadBalancerArn,
    });
    letLogsUse(key, this);
    // WAF takes names with this prefix only (WAF Developer Guide, "CloudWatch Logs").
    const logGroupName = `aws-waf-logs-${Names.uniqueResourceName(this, { maxLength: 60, separator: '-' })}`;
    claimName(this, 'log group', logGroupName, OTHER_STACK);
    const logGroup = new logs.LogGroup(this, 'WebAclLogs', {
      logGroupName,
      encryptionKey: key,
      retention: logs.RetentionDays.ONE_YEAR,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    new wafv2.CfnLoggingConfiguration(this, 'WebAclLogging', {
      resourceArn: webAcl.attrArn,
      logDestinationConfigs: [logGroup.logGroupArn],
      redactedFields: [{ singleHeader: { Name: 'authorization' } }, { singleHeader: { Name: 'cookie' } }],
    });
  }
}

/** Requests of one address in five minutes; a dashboard with 30 charts takes about 60. */
const REQUESTS_PER_ADDRESS = 5000;
