import { dayText } from '../iso-day';
import { Rule } from '../rule';
import { PINNED_MINORS, endOfCreation } from './postgres-releases';

/** Days before its end from which a version is reported. */
const NOTICE_DAYS = 90;

/**
 * "RDS supports each minor version for at least 12 months after its initial RDS release date" (Amazon RDS FAQs, "Database Engine
 * Versions"); some weeks before that support ends, no server can be created with it. A major version stands for the preferred minor.
 */
export const ENGINE_VERSION: Rule = {
  name: 'EngineVersion',
  summary: `RDS still creates servers with the PostgreSQL version that is named, and will for ${NOTICE_DAYS} days; naming the major version only passes.`,
  types: /^AWS::RDS::DB(Instance|Cluster)$/,
  check({ properties: { Engine, EngineVersion } }, { today }) {
    if (Engine !== 'postgres' || typeof EngineVersion !== 'string' || !EngineVersion.includes('.')) return [];
    const end = endOfCreation(EngineVersion);
    return end && today.getTime() + NOTICE_DAYS * DAY_MS >= end.getTime()
      ? [
          `RDS may refuse to create a server with PostgreSQL ${EngineVersion} from ${dayText(end)} on. ` +
            `Name the major version (${EngineVersion.split('.')[0]}), or a minor from ${PINNED_MINORS} on.`,
        ]
      : [];
  },
};

const DAY_MS = 24 * 60 * 60 * 1000;
