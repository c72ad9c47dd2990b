import * as acm from 'aws-cdk-lib/aws-certificatemanager';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as elbv2 from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import { Construct } from 'constructs';
import { TenancyNetwork } from '../network/tenancy-network';
import { claimAt } from '../naming/name-claims';
import { SharedLoadBalancer } from './shared-load-balancer';

/** Props of {@link SharedEntrance}. */
export interface SharedEntranceProps {
  readonly sharedLoadBalancer: SharedLoadBalancer;
  readonly network: TenancyNetwork;
  readonly domainName: string;
  /** Of that name, if the load balancer has none for it. */
  readonly certificate?: acm.ICertificate;
  /** Of the rule, 1 to 50,000: no other rule of the load balancer may have it. */
  readonly priority: number;
  readonly allowedNetworks?: string[];
}

/**
 * The way in by a load balancer that other Supersets have, too: what belongs to this one stands in its own stack, so that the
 * stack of the load balancer depends on none.
 */
export class SharedEntrance extends Construct {
  public readonly loadBalancer: elbv2.IApplicationLoadBalancer;
  public readonly loadBalancerFullName: string;
  private readonly listener: elbv2.IApplicationListener;

  private readonly conditions: elbv2.ListenerCondition[];
  private readonly priority: number;

  constructor(scope: Construct, id: string, props: SharedEntranceProps) {
    super(scope, id);
    const { sharedLoadBalancer: shared, network, certificate } = props;
    const { priority, domainName } = props;
    claimAt(this, shared, `listenerPriority ${priority}`, 'Give each Superset there a number of its own, 1 to 50000.');
    claimAt(this, shared, `the host name ${domainName}`, 'Give each Superset there a host name of its own.');
    this.loadBalancerFullName = shared.loadBalancerFullName;
    const securityGroup = ec2.SecurityGroup.fromSecurityGroupId(this, 'SecurityGroup', shared.securityGroupId);
    this.loadBalancer = elbv2.ApplicationLoadBalancer.fromApplicationLoadBalancerAttributes(this, 'LoadBalancer', {
      loadBalancerArn: shared.loadBalancer.loadBalancerArn,
      loadBalancerDnsName: shared.loadBalancer.loadBalancerDnsName,
      loadBalancerCanonicalHostedZoneId: shared.loadBalancer.loadBalancerCanonicalHostedZoneId,
      securityGroupId: shared.securityGroupId,
      vpc: network.vpc,
    });
    this.listener = elbv2.ApplicationListener.fromApplicationListenerAttributes(this, 'Listener', {
      listenerArn: shared.listener.listenerArn,
      securityGroup,
    });
    this.priority = priority;
    this.conditions = [
      elbv2.ListenerCondition.hostHeaders([domainName]),
      ...(props.allowedNetworks ? [elbv2.ListenerCondition.sourceIps(props.allowedNetworks)] : []),
    ];
    if (certificate) {
      new elbv2.ApplicationListenerCertificate(this, 'Certificate', {
        listener: this.listener,
        certificates: [certificate],
      });
    }
  }

  /** Hands requests for the host name on to a target group. */
  public addRule(targetGroup: elbv2.IApplicationTargetGroup): void {
    const { listener, priority, conditions } = this;
    new elbv2.ApplicationListenerRule(this, 'Rule', { listener, priority, conditions, targetGroups: [targetGroup] });
  }
}
