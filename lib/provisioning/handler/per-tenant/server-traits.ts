import { OpenAwsDatabase, readOpenAwsDatabases } from '../aws-own';
import { Session } from '../session';
import { EXTENSIONS_SCHEMA, ServerBatch } from './place';

/** What all tenants of a batch on a server have in common. */
export interface ServerTraits {
  readonly batch: string;
  readonly schema: string;
  readonly extensions: string[];
  /** Name of the master user. */
  readonly master: string;
  /** From PostgreSQL 16 on, a membership says itself whether it inherits. */
  readonly withGrantOptions: boolean;
  /** Whether the master user may limit a role's temporary files, which PostgreSQL leaves to superusers. */
  readonly limitsTempFiles: boolean;
  /** AWS's databases that are open to PUBLIC: a proof is from before or after RDS opened one. */
  readonly openAwsDatabases: OpenAwsDatabase[];
  /** As PostgreSQL prints it. */
  readonly searchPath: string;
}

export async function readTraits(master: Session, { batch, schema, extensions }: ServerBatch): Promise<ServerTraits> {
  const [row] = await master.rows<{ master: string; limits: boolean; path: string }>(
    `SELECT current_user::text AS master, has_parameter_privilege(current_user, 'temp_file_limit', 'SET') AS limits,
            quote_ident($1) || ', ' || quote_ident($2) AS path`,
    [schema, EXTENSIONS_SCHEMA],
  );
  return {
    batch,
    schema,
    extensions,
    master: row.master,
    withGrantOptions: (await master.majorVersion()) >= 16,
    limitsTempFiles: row.limits,
    openAwsDatabases: await readOpenAwsDatabases(master),
    searchPath: row.path,
  };
}
