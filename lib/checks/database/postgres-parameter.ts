import { Rule } from '../rule';
import { removedIn, addedIn, PARAMETERS } from './postgres-parameters';

/**
 * "Some but not all parameters" of PostgreSQL may be set (RDS User Guide, "Working with parameters on your RDS for PostgreSQL DB
 * instance"); a name that the family does not have, or that RDS keeps to itself, makes the deployment fail.
 */
export const POSTGRES_PARAMETER: Rule = {
  name: 'PostgresParameter',
  summary: 'A parameter group sets only parameters that RDS lets it set, and that its PostgreSQL version has.',
  types: /^AWS::RDS::DB(Cluster)?ParameterGroup$/,
  check({ properties: { Family, Parameters } }) {
    const major = Number(/^postgres(\d+)$/.exec(Family)?.[1]);
    if (!major) return [];
    return Object.keys(Parameters ?? {}).flatMap((name) => {
      if (!PARAMETERS.has(name)) {
        return [
          `${name} is not in the table of parameters that RDS lets a group set. Take it out, or acknowledge it if ${Family} has it.`,
        ];
      }
      if (major >= removedIn(name))
        return [`${name} is gone from PostgreSQL ${removedIn(name)} on, and the family is ${Family}. Take it out.`];
      return major < addedIn(name)
        ? [`${name} is new in PostgreSQL ${addedIn(name)}, and the family is ${Family}. Take it out.`]
        : [];
    });
  },
};
