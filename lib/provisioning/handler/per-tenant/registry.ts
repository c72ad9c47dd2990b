import { Change, Session } from '../session';
import { sql } from '../sql';
import { ServerBatch } from './place';

const STEP = 'registry';

/** What a server knows of a tenant that has, or had, a database on it. */
export interface Registered {
  readonly id: string;
  readonly batch: string;
  /** What becomes of its database when it is removed, as it was deployed last. */
  readonly policy: 'retain' | 'destroy';
  /** Whether it is asked for; otherwise its logins have ended and its database was kept. */
  readonly active: boolean;
  /** Whether its database was finished once, so that a missing one was lost. */
  readonly made: boolean;
  /** The same of its Superset's metadata. */
  readonly metadataMade: boolean;
  /** What was true when it was proved last, if that is less than a day ago. */
  readonly proof: string | null;
}

/** The tables of a server that say who has a database here, and what was asked for last. */
export async function ensureRegistry(master: Session): Promise<Change[]> {
  if (await hasRegistry(master)) {
    return [];
  }
  return master.apply({
    step: STEP,
    what: 'registry created',
    statements: [
      sql`CREATE SCHEMA IF NOT EXISTS tenancy`,
      sql`CREATE TABLE tenancy.tenant_database (
            id text PRIMARY KEY,
            batch text NOT NULL,
            removal_policy text NOT NULL CHECK (removal_policy IN ('retain', 'destroy')),
            active boolean NOT NULL,
            made boolean NOT NULL DEFAULT false,
            metadata_made boolean NOT NULL DEFAULT false,
            proof text,
            proved_at timestamptz)`,
      sql`CREATE TABLE tenancy.desired_databases (batch text PRIMARY KEY, state jsonb NOT NULL)`,
    ],
  });
}

export async function hasRegistry(master: Session): Promise<boolean> {
  const [{ known }] = await master.rows<{ known: boolean }>(
    `SELECT to_regclass('tenancy.desired_databases') IS NOT NULL AS known`,
  );
  return known;
}

/** Everybody whom the server knows. */
export async function readRegistry(master: Session): Promise<Registered[]> {
  return master.rows<Registered>(
    `SELECT id, batch, removal_policy AS policy, active, made, metadata_made AS "metadataMade",
            CASE WHEN proved_at > now() - interval '1 day' THEN proof END AS proof
       FROM tenancy.tenant_database ORDER BY id`,
  );
}

/** What each batch asked of this server last. */
export async function readStored(master: Session): Promise<ServerBatch[]> {
  const rows = await master.rows<{ state: ServerBatch }>(`SELECT state FROM tenancy.desired_databases ORDER BY batch`);
  return rows.map(({ state }) => state);
}

/** Remembers what was deployed, for the schedule; a batch that has nobody here is forgotten. */
export async function remember(master: Session, batch: ServerBatch): Promise<void> {
  if (batch.tenants.length === 0) {
    await master.rows(`DELETE FROM tenancy.desired_databases WHERE batch = $1`, [batch.batch]);
    return;
  }
  await master.rows(
    `INSERT INTO tenancy.desired_databases AS d (batch, state) VALUES ($1, $2)
     ON CONFLICT (batch) DO UPDATE SET state = excluded.state WHERE d.state IS DISTINCT FROM excluded.state`,
    [batch.batch, JSON.stringify(batch)],
  );
  await master.rows(
    `UPDATE tenancy.tenant_database t SET removal_policy = p.policy
       FROM unnest($1::text[], $2::text[]) AS p (id, policy) WHERE t.id = p.id AND t.removal_policy <> p.policy`,
    [batch.tenants.map(({ id }) => id), batch.tenants.map(({ removalPolicy }) => removalPolicy)],
  );
}
