import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Client, escapeIdentifier, escapeLiteral } from 'pg';
import type { LocalPostgres, PostgresUser } from './postgres';

/** Database that belongs to the master user. */
const DATABASE = 'analytics';

/** The roles that RDS gives its `rds_superuser`, by the version that brought them. */
const RDS_MEMBERSHIPS = [
  { role: 'pg_monitor', since: 10 },
  { role: 'pg_signal_backend', since: 10 },
  { role: 'pg_checkpoint', since: 15 },
  { role: 'pg_use_reserved_connections', since: 16 },
  { role: 'pg_create_subscription', since: 16 },
  { role: 'pg_maintain', since: 17 },
];

/** What a new RDS instance looks like from inside (RDS User Guide, "Understanding the rds_superuser role"). */
export async function handOverAsRds(postgres: LocalPostgres, version: number): Promise<void> {
  const { master } = postgres;
  const memberships = RDS_MEMBERSHIPS.filter(({ since }) => version >= since).map(({ role }) => role);
  const owner = escapeIdentifier(master.username);
  await asRdsadmin(postgres, [
    'CREATE ROLE rds_superuser NOLOGIN',
    'CREATE ROLE rds_replication NOLOGIN',
    'CREATE ROLE rds_password NOLOGIN',
    'CREATE ROLE rds_iam NOLOGIN',
    'CREATE ROLE rds_ad NOLOGIN',
    'CREATE ROLE rdstopmgr LOGIN',
    'GRANT pg_monitor, pg_checkpoint TO rdstopmgr',
    'CREATE ROLE rdsrepladmin NOLOGIN NOINHERIT REPLICATION',
    `GRANT ${[...memberships, 'rds_replication', 'rds_password'].join(', ')} TO rds_superuser WITH ADMIN OPTION`,
    `CREATE ROLE ${owner} LOGIN NOSUPERUSER CREATEDB CREATEROLE PASSWORD ${escapeLiteral(master.password)} VALID UNTIL 'infinity'`,
    `GRANT rds_superuser TO ${owner} WITH ADMIN OPTION`,
    ...(version >= 16 ? [`GRANT rds_iam TO ${owner} WITH ADMIN TRUE, INHERIT FALSE, SET FALSE`] : []),
    `ALTER DATABASE postgres OWNER TO ${owner}`,
    `ALTER DATABASE template1 OWNER TO ${owner}`,
    'CREATE DATABASE rdsadmin',
    'REVOKE ALL ON DATABASE rdsadmin FROM PUBLIC',
    'GRANT TEMPORARY ON DATABASE rdsadmin TO rdstopmgr',
    `CREATE DATABASE ${DATABASE} OWNER ${owner}`,
  ]);
}

/** As whom RDS Proxy looks whether its target serves; RDS makes the role when the target is registered. */
export async function registerProxyTarget(postgres: LocalPostgres): Promise<PostgresUser> {
  const user = { username: 'rdsproxyadmin', password: randomBytes(18).toString('base64url') };
  await asRdsadmin(postgres, [
    `DO $$ BEGIN CREATE ROLE rdsproxyadmin LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$`,
    `ALTER ROLE rdsproxyadmin PASSWORD ${escapeLiteral(user.password)}`,
  ]);
  return user;
}

async function asRdsadmin(
  { host, port, caFile, superuser }: LocalPostgres,
  statements: readonly string[],
): Promise<void> {
  const client = new Client({
    host,
    port,
    database: 'postgres',
    user: superuser.username,
    password: superuser.password,
    ssl: { ca: readFileSync(caFile, 'utf8') },
  });
  await client.connect();
  try {
    for (const statement of statements) {
      await client.query(statement);
    }
  } finally {
    await client.end();
  }
}
