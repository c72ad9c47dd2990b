import { saferVersion } from '../../database/postgres-version';
import { ProvisioningError } from './provisioning-error';
import { Session } from './session';

/**
 * What is wrong with the server's version, if statistics of it show rows that row-level security hides. The template names only what a
 * server is made with: RDS may have kept an older one, or a server may be another's.
 *
 * All is made and healed before this fails a run: the hourly one must go on with its work on such a server.
 */
export async function outdatedVersion(master: Session): Promise<ProvisioningError[]> {
  const [{ version }] = await master.rows<{ version: string }>(
    `SELECT split_part(current_setting('server_version'), ' ', 1) AS version`,
  );
  const safer = saferVersion(version);
  return safer
    ? [
        new ProvisioningError(
          'version',
          `the server runs PostgreSQL ${version}, whose statistics show rows that row-level security hides (CVE-2025-8713). Upgrade it ` +
            `to ${safer} or later: set its engine version, or apply its pending maintenance`,
        ),
      ]
    : [];
}
