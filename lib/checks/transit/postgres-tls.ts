import { isTrue } from '../checked-resource';
import { Rule } from '../rule';

/**
 * "You can require that connections to your RDS for PostgreSQL DB instance use SSL by using the rds.force_ssl parameter", which is on by
 * default from PostgreSQL 15 on (RDS User Guide, "Using SSL with a PostgreSQL DB instance").
 */
export const POSTGRES_TLS: Rule = {
  name: 'PostgresTls',
  summary: 'A PostgreSQL server refuses connections without TLS (rds.force_ssl).',
  types: /^AWS::RDS::DBInstance$/,
  check({ properties: { Engine, EngineVersion, DBParameterGroupName }, stack }, { templates }) {
    if (Engine !== 'postgres') return [];
    const group = templates.target(DBParameterGroupName, stack);
    if (DBParameterGroupName !== undefined && !group && typeof DBParameterGroupName !== 'string') return [];
    const forced = group?.properties.Parameters?.['rds.force_ssl'];
    const byDefault = Number(/\d+/.exec(group?.properties.Family ?? EngineVersion ?? '')?.[0]) >= 15;
    return (forced === undefined ? byDefault : isTrue(forced))
      ? []
      : [`rds.force_ssl is ${forced ?? 'not set'}. Set it to 1 in its parameter group.`];
  },
};
