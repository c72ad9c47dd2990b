import { Rule } from '../rule';

/**
 * "You can opt out of session pinning for ... setting session variables and configuration settings" (RDS API Reference,
 * `SessionPinningFilters`, `EXCLUDE_VARIABLE_SETS`). The proxy then hands a connection on with what the last client set, `search_path`
 * among it: the next tenant's statements would run with a tenant's settings.
 */
export const SESSION_PINNING: Rule = {
  name: 'SessionPinning',
  summary:
    'An RDS proxy has no session pinning filters (EXCLUDE_VARIABLE_SETS): settings of one tenant never reach the next.',
  types: /^AWS::RDS::DBProxyTargetGroup$/,
  check({ properties: { ConnectionPoolConfigurationInfo } }) {
    const filters = [ConnectionPoolConfigurationInfo?.SessionPinningFilters ?? []].flat();
    return filters.length > 0
      ? [
          `sessionPinningFilters is ${filters.join(', ')}: a session would go on to the next client with its settings. Take it out.`,
        ]
      : [];
  },
};
