import { RemovalPolicy } from 'aws-cdk-lib';
import * as acm from 'aws-cdk-lib/aws-certificatemanager';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as elbv2 from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import * as kms from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import { ownKeyProps } from '../encryption/own-key';
import { TenancyNetwork } from '../network/tenancy-network';
import { SupersetLoadBalancer } from './superset-load-balancer';
import { WEB_PORT } from './web-port';
import { refuse } from '../validation/refuse';
import { allowedNetworkProblems } from '../network/network-rules';
import { certificateProblems } from './certificate-rules';

/** Props of {@link SharedLoadBalancer}. */
export interface SharedLoadBalancerProps {
  /** Network. One that faces the internet needs public subnets in it. */
  readonly network: TenancyNetwork;

  /** Certificate of the host names, for instance `*.superset.example.com`, in the same region. */
  readonly certificate: acm.ICertificate;

  /**
   * Whether it takes connections from the internet, behind a web ACL.
   *
   * @default false - only from the VPC, and from `allowedNetworks`
   */
  readonly internetFacing?: boolean;

  /**
   * Networks, in CIDR notation, that it takes connections from beside the VPC. One that faces the internet takes them from everywhere,
   * and each Superset's rule looks at the network.
   *
   * @default - none
   */
  readonly allowedNetworks?: string[];

  /**
   * Key of the logs of the web ACL. Its policy must let CloudWatch Logs use it; that is added unless the key is imported.
   *
   * @default - a key of its own, rotated yearly
   */
  readonly encryptionKey?: kms.IKey;

  /**
   * What happens to the access logs with the stack. All but DESTROY turns deletion protection on, as soon as it is
   * there.
   *
   * @default RemovalPolicy.RETAIN
   */
  readonly removalPolicy?: RemovalPolicy;
}

/**
 * One load balancer before several Supersets, each of which has its host name. Another host name is answered with 404.
 *
 * It takes 100 target groups, which AWS cannot raise, and 100 rules (Elastic Load Balancing User Guide, "Quotas for your
 * Application Load Balancers").
 */
export class SharedLoadBalancer extends Construct {
  /** The load balancer. */
  public readonly loadBalancer: elbv2.IApplicationLoadBalancer;

  /** Its listener for HTTPS, to which each Superset adds a rule. */
  public readonly listener: elbv2.IApplicationListener;

  /** Name of the load balancer, the dimension `LoadBalancer` of its metrics. */
  public readonly loadBalancerFullName: string;

  /** Id of its security group. */
  public readonly securityGroupId: string;

  /**
   * @param scope the parent.
   * @param id the id in it.
   * @param props the load balancer.
   * @throws ConfigurationError if a network or the certificate is not valid, the region of the stack is not known, or the VPC has no public subnets to face the internet from.
   */
  constructor(scope: Construct, id: string, props: SharedLoadBalancerProps) {
    super(scope, id);
    refuse(this, [
      ...allowedNetworkProblems(props.allowedNetworks, ['allowedNetworks']),
      ...certificateProblems(this, props.certificate, ['certificate']),
    ]);
    const removalPolicy = props.removalPolicy ?? RemovalPolicy.RETAIN;
    const entrance = new SupersetLoadBalancer(this, 'Entrance', {
      network: props.network,
      certificate: props.certificate,
      internetFacing: props.internetFacing ?? false,
      allowedNetworks:
        props.allowedNetworks && !props.internetFacing
          ? [props.network.vpc.vpcCidrBlock, ...props.allowedNetworks]
          : undefined,
      encryptionKey:
        props.encryptionKey ?? new kms.Key(this, 'Key', ownKeyProps(`Load balancer ${this.node.path}`, removalPolicy)),
      removalPolicy,
    });
    // To all Supersets by one rule, which none of them has to add: a security group has 60 (Amazon VPC User Guide, "Amazon VPC quotas").
    entrance.loadBalancer.connections.allowTo(
      ec2.Peer.ipv4(props.network.vpc.vpcCidrBlock),
      ec2.Port.tcp(WEB_PORT),
      'Web servers of Supersets',
    );
    entrance.listener.addAction('UnknownHost', {
      action: elbv2.ListenerAction.fixedResponse(404, { contentType: 'text/plain', messageBody: 'Unknown host.' }),
    });
    this.loadBalancer = entrance.loadBalancer;
    this.listener = entrance.listener;
    this.loadBalancerFullName = entrance.loadBalancerFullName;
    this.securityGroupId = entrance.securityGroupId;
  }
}
