import { Rule } from '../rule';

/**
 * "If your targets use HTTPS, the load balancer establishes TLS connections with the targets" (Elastic Load Balancing User Guide,
 * "Target groups for your Application Load Balancers"); with HTTP, what it has decrypted travels on in clear text.
 */
export const TARGET_PROTOCOL: Rule = {
  name: 'TargetProtocol',
  summary: 'A load balancer speaks HTTPS with its targets.',
  types: /^AWS::ElasticLoadBalancingV2::TargetGroup$/,
  check({ properties: { Protocol, TargetType } }) {
    if (TargetType === 'lambda' || ['HTTPS', 'TLS'].includes(Protocol)) return [];
    return [`protocol is ${Protocol ?? 'not set'}. Use HTTPS.`];
  },
};
