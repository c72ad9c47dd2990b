import { Rule } from '../rule';

/**
 * "Setting the backup retention period to 0 disables automated backups" (RDS User Guide, "Backup retention period"); a DB instance that is
 * made without one gets 1 day by the API.
 */
export const BACKUPS: Rule = {
  name: 'Backups',
  summary: 'A DB instance names how long its automated backups are kept, at least a day.',
  types: /^AWS::RDS::DB(Instance|Cluster)$/,
  check({ properties }) {
    const { BackupRetentionPeriod, SourceDBInstanceIdentifier, DBClusterIdentifier, ReplicationSourceIdentifier } =
      properties;
    if (SourceDBInstanceIdentifier ?? DBClusterIdentifier ?? ReplicationSourceIdentifier) return [];
    return Number(BackupRetentionPeriod) >= 1
      ? []
      : [`backupRetention is ${BackupRetentionPeriod ?? 'not set'}. Set 1 to 35 days.`];
  },
};
