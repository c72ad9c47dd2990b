import { READ_ONLY_ROOT } from './access/read-only-root';
import { SECRETS_WILDCARD } from './access/secrets-wildcard';
import { LOG_RETENTION } from './data/log-retention';
import { RESIDENCY } from './data/residency';
import { BACKUPS } from './database/backups';
import { METADATA_ACCESS } from './database/metadata-access';
import { POSTGRES_PARAMETER } from './database/postgres-parameter';
import { PRIVATE_DATA } from './database/private-data';
import { PROXY_INIT_QUERY } from './database/proxy-init-query';
import { SESSION_PINNING } from './database/session-pinning';
import { ASYNC_RETRIES } from './deployment/async-retries';
import { DELETION_PROTECTION } from './deployment/deletion-protection';
import { ENGINE_VERSION } from './deployment/engine-version';
import { LAMBDA_RUNTIME } from './deployment/lambda-runtime';
import { LOGS_KEY } from './deployment/logs-key';
import { RETAINED_NAME } from './deployment/retained-name';
import { RETAINED_NEEDS } from './deployment/retained-needs';
import { SERVICE_PRINCIPAL } from './deployment/service-principal';
import { SPOT_CAPACITY } from './deployment/spot-capacity';
import { TOPIC_KEY } from './deployment/topic-key';
import { ALARM_METRIC } from './monitoring/alarm-metric';
import { Rule } from './rule';
import { CACHE_TLS } from './transit/cache-tls';
import { HTTPS_LISTENER } from './transit/https-listener';
import { POSTGRES_TLS } from './transit/postgres-tls';
import { PROXY_TLS } from './transit/proxy-tls';
import { TARGET_PROTOCOL } from './transit/target-protocol';
import { TLS_ONLY_POLICY } from './transit/tls-only-policy';

/** The rules of the pack, in the order of the documentation. */
export const RULES: readonly Rule[] = [
  SPOT_CAPACITY,
  DELETION_PROTECTION,
  RETAINED_NAME,
  RETAINED_NEEDS,
  ASYNC_RETRIES,
  ENGINE_VERSION,
  LAMBDA_RUNTIME,
  SERVICE_PRINCIPAL,
  LOGS_KEY,
  TOPIC_KEY,
  ALARM_METRIC,
  POSTGRES_PARAMETER,
  PROXY_INIT_QUERY,
  SESSION_PINNING,
  METADATA_ACCESS,
  PRIVATE_DATA,
  BACKUPS,
  POSTGRES_TLS,
  PROXY_TLS,
  CACHE_TLS,
  HTTPS_LISTENER,
  TARGET_PROTOCOL,
  TLS_ONLY_POLICY,
  LOG_RETENTION,
  RESIDENCY,
  READ_ONLY_ROOT,
  SECRETS_WILDCARD,
];
