/** Parameters of PostgreSQL's own, as its documentation calls them ("Server Configuration"), that a parameter group may set. */
const POSTGRESQL = `
  application_name array_nulls authentication_timeout autovacuum autovacuum_analyze_scale_factor autovacuum_analyze_threshold
  autovacuum_freeze_max_age autovacuum_max_workers autovacuum_multixact_freeze_max_age autovacuum_naptime
  autovacuum_vacuum_cost_delay autovacuum_vacuum_cost_limit autovacuum_vacuum_insert_scale_factor
  autovacuum_vacuum_insert_threshold autovacuum_vacuum_scale_factor autovacuum_vacuum_threshold autovacuum_work_mem
  backend_flush_after backslash_quote bgwriter_delay bgwriter_flush_after bgwriter_lru_maxpages bgwriter_lru_multiplier
  bytea_output check_function_bodies checkpoint_completion_target checkpoint_flush_after checkpoint_timeout checkpoint_warning
  client_connection_check_interval client_encoding client_min_messages commit_delay commit_siblings compute_query_id
  constraint_exclusion cpu_index_tuple_cost cpu_operator_cost cpu_tuple_cost cursor_tuple_fraction datestyle deadlock_timeout
  debug_parallel_query debug_pretty_print debug_print_parse debug_print_plan debug_print_rewritten default_statistics_target
  default_tablespace default_toast_compression default_transaction_deferrable default_transaction_isolation
  default_transaction_read_only effective_cache_size effective_io_concurrency enable_bitmapscan enable_gathermerge
  enable_hashagg enable_hashjoin enable_incremental_sort enable_indexonlyscan enable_indexscan enable_material enable_memoize
  enable_mergejoin enable_nestloop enable_parallel_append enable_parallel_hash enable_partition_pruning
  enable_partitionwise_aggregate enable_partitionwise_join enable_presorted_aggregate enable_seqscan enable_sort
  enable_tidscan escape_string_warning extra_float_digits force_parallel_mode from_collapse_limit geqo geqo_effort
  geqo_generations geqo_pool_size geqo_seed geqo_selection_bias geqo_threshold gin_fuzzy_search_limit gin_pending_list_limit
  hash_mem_multiplier hot_standby_feedback huge_pages idle_in_transaction_session_timeout idle_session_timeout intervalstyle
  io_combine_limit jit jit_above_cost jit_inline_above_cost jit_optimize_above_cost join_collapse_limit lc_messages
  lc_monetary lc_numeric lc_time lock_timeout log_autovacuum_min_duration log_checkpoints log_connections log_disconnections
  log_duration log_error_verbosity log_executor_stats log_hostname log_line_prefix log_lock_waits log_min_duration_sample
  log_min_duration_statement log_min_error_statement log_min_messages log_parameter_max_length
  log_parameter_max_length_on_error log_parser_stats log_planner_stats log_recovery_conflict_waits log_replication_commands
  log_rotation_age log_rotation_size log_statement log_statement_sample_rate log_statement_stats log_temp_files log_timezone
  log_transaction_sample_rate logical_decoding_work_mem maintenance_io_concurrency maintenance_work_mem max_connections
  max_files_per_process max_locks_per_transaction max_logical_replication_workers max_parallel_maintenance_workers
  max_parallel_workers max_parallel_workers_per_gather max_pred_locks_per_page max_pred_locks_per_relation
  max_pred_locks_per_transaction max_prepared_transactions max_replication_slots max_slot_wal_keep_size max_stack_depth
  max_standby_archive_delay max_standby_streaming_delay max_sync_workers_per_subscription max_wal_senders max_wal_size
  max_worker_processes min_parallel_index_scan_size min_parallel_table_scan_size min_wal_size old_snapshot_threshold
  parallel_leader_participation parallel_setup_cost parallel_tuple_cost password_encryption plan_cache_mode
  quote_all_identifiers random_page_cost search_path seq_page_cost session_replication_role shared_buffers
  shared_preload_libraries ssl_ciphers ssl_min_protocol_version standard_conforming_strings statement_timeout
  stats_fetch_consistency synchronize_seqscans synchronous_commit tcp_keepalives_count tcp_keepalives_idle
  tcp_keepalives_interval tcp_user_timeout temp_buffers temp_file_limit temp_tablespaces timezone track_activities
  track_activity_query_size track_commit_timestamp track_counts track_functions track_io_timing track_wal_io_timing
  transaction_timeout transform_null_equals update_process_title vacuum_buffer_usage_limit vacuum_cost_delay vacuum_cost_limit
  vacuum_cost_page_dirty vacuum_cost_page_hit vacuum_cost_page_miss vacuum_defer_cleanup_age vacuum_failsafe_age
  vacuum_freeze_min_age vacuum_freeze_table_age vacuum_multixact_failsafe_age vacuum_multixact_freeze_min_age
  vacuum_multixact_freeze_table_age wal_buffers wal_compression wal_keep_size wal_receiver_status_interval
  wal_receiver_timeout wal_sender_timeout wal_writer_delay wal_writer_flush_after work_mem xmlbinary xmloption
`;

/** Those of RDS, and of the extensions that it preloads (RDS User Guide, "Using PostgreSQL extensions with Amazon RDS for PostgreSQL"). */
const RDS_AND_EXTENSIONS = `
  rds.accepted_password_auth_method rds.adaptive_autovacuum rds.allowed_extensions rds.custom_dns_resolution
  rds.force_admin_logging_level rds.force_autovacuum_logging_level rds.force_ssl rds.log_retention_period
  rds.logical_replication rds.rds_superuser_reserved_connections rds.restrict_password_commands pgaudit.log
  pgaudit.log_catalog pgaudit.log_client pgaudit.log_level pgaudit.log_parameter pgaudit.log_relation pgaudit.log_rows
  pgaudit.log_statement pgaudit.log_statement_once pgaudit.role pg_stat_statements.max pg_stat_statements.save
  pg_stat_statements.track pg_stat_statements.track_planning pg_stat_statements.track_utility auto_explain.log_analyze
  auto_explain.log_buffers auto_explain.log_format auto_explain.log_min_duration auto_explain.log_nested_statements
  auto_explain.log_timing auto_explain.log_triggers auto_explain.log_verbose auto_explain.sample_rate cron.database_name
  cron.log_run cron.log_statement cron.max_running_jobs cron.use_background_workers pg_hint_plan.debug_print
  pg_hint_plan.enable_hint pg_hint_plan.enable_hint_table pg_prewarm.autoprewarm pg_prewarm.autoprewarm_interval
`;

/**
 * From "RDS for PostgreSQL DB instance parameter list" (RDS User Guide), which says itself that it is not complete, with what later
 * versions have added. Left out is what RDS keeps to itself, for instance `fsync`, `archive_command` and `listen_addresses`.
 */
export const PARAMETERS: ReadonlySet<string> = new Set(`${POSTGRESQL} ${RDS_AND_EXTENSIONS}`.trim().split(/\s+/));

/** PostgreSQL release notes, "Migration". */
const REMOVED: Record<string, number> = {
  force_parallel_mode: 16,
  old_snapshot_threshold: 17,
  vacuum_defer_cleanup_age: 16,
};

/** PostgreSQL release notes, "Server Configuration". */
const ADDED: Record<string, number> = {
  debug_parallel_query: 16,
  enable_presorted_aggregate: 16,
  io_combine_limit: 17,
  log_recovery_conflict_waits: 14,
  stats_fetch_consistency: 15,
  transaction_timeout: 17,
  vacuum_buffer_usage_limit: 16,
};

/** Major version without a parameter that earlier ones have; infinite if all have it. */
export function removedIn(name: string): number {
  return REMOVED[name] ?? Infinity;
}

/** First major version with a parameter; 0 if all that RDS offers have it. */
export function addedIn(name: string): number {
  return ADDED[name] ?? 0;
}
