import { Json } from '../checked-resource';
import { Rule } from '../rule';

/**
 * "To use an HTTPS listener, you must deploy at least one SSL server certificate on your load balancer"; a security policy says which
 * versions of TLS it speaks (Elastic Load Balancing User Guide, "SSL certificates" and "Security policies"). An HTTP listener may only
 * redirect.
 */
export const HTTPS_LISTENER: Rule = {
  name: 'HttpsListener',
  summary: 'A listener speaks HTTPS with TLS 1.2 or later; one that speaks HTTP does nothing but redirect to HTTPS.',
  types: /^AWS::ElasticLoadBalancingV2::Listener(Rule)?$/,
  check({ type, properties, stack }, { templates }) {
    const rule = type.endsWith('Rule');
    const listener = rule ? templates.target(properties.ListenerArn, stack)?.properties : properties;
    if (!listener) return [];
    if (['HTTPS', 'TLS'].includes(listener.Protocol)) return rule ? [] : policyFault(listener);
    const actions: Json[] = (rule ? properties.Actions : properties.DefaultActions) ?? [];
    return actions.every(({ Type, RedirectConfig }) => Type === 'redirect' && RedirectConfig?.Protocol === 'HTTPS')
      ? []
      : [`answers ${listener.Protocol ?? 'a protocol that is not known'} without TLS. Use HTTPS, or redirect to it.`];
  },
};

function policyFault({ SslPolicy }: Json): string[] {
  return /TLS13-1-[23]|TLS-1-2|FS-1-2/.test(SslPolicy ?? '')
    ? []
    : [`sslPolicy is ${SslPolicy ?? 'not set'}, which allows TLS 1.0. Use ELBSecurityPolicy-TLS13-1-2-2021-06.`];
}
