import { Rule } from '../rule';

/**
 * "Only superusers and users with the appropriate SET privilege can change this setting" (PostgreSQL documentation, "Resource
 * Consumption" on `temp_file_limit`, and at each parameter below). A proxy sends its initialization query as the role that logs in, which
 * is no superuser on RDS: each connection would fail.
 */
export const PROXY_INIT_QUERY: Rule = {
  name: 'ProxyInitQuery',
  summary:
    'The initialization query of an RDS proxy sets no parameter that only a superuser may set, such as temp_file_limit.',
  types: /^AWS::RDS::DBProxyTargetGroup$/,
  check({ properties: { ConnectionPoolConfigurationInfo } }) {
    const query: unknown = ConnectionPoolConfigurationInfo?.InitQuery;
    if (typeof query !== 'string') return [];
    return SUPERUSER_ONLY.filter((name) => new RegExp(`\\b${name}\\b`, 'i').test(query)).map(
      (name) => `the initialization query sets ${name}, which only a superuser may. Set it in the parameter group.`,
    );
  },
};

/** PostgreSQL documentation, "Server Configuration": parameters with the context `superuser`. */
const SUPERUSER_ONLY = [
  'allow_system_table_mods',
  'deadlock_timeout',
  'lc_messages',
  'log_duration',
  'log_error_verbosity',
  'log_executor_stats',
  'log_lock_waits',
  'log_min_duration_statement',
  'log_min_error_statement',
  'log_min_messages',
  'log_parser_stats',
  'log_planner_stats',
  'log_statement',
  'log_statement_stats',
  'log_temp_files',
  'max_stack_depth',
  'session_preload_libraries',
  'session_replication_role',
  'temp_file_limit',
  'track_activities',
  'track_counts',
  'track_functions',
  'track_io_timing',
  'zero_damaged_pages',
];
