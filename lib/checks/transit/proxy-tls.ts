import { isTrue } from '../checked-resource';
import { Rule } from '../rule';

/** "By setting Require Transport Layer Security, you enforce that client connections use TLS" (RDS User Guide, "Using TLS/SSL with RDS Proxy"). */
export const PROXY_TLS: Rule = {
  name: 'ProxyTls',
  summary: 'An RDS proxy refuses connections without TLS.',
  types: /^AWS::RDS::DBProxy$/,
  check({ properties: { RequireTLS } }) {
    return isTrue(RequireTLS) ? [] : [`requireTls is ${RequireTLS ?? 'not set'}. Set it to true.`];
  },
};
