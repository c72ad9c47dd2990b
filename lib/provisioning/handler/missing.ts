import { Sql, identifier, sql } from './sql';

/** What a tenant lacks: statements that belong in its transaction. */
export interface Missing {
  readonly what: string;
  readonly statements: Sql[];
}

/** Who owns a table. */
export interface Owned {
  readonly owner: string;
  readonly ownerIsMaster: boolean;
}

/** The same, done as the owner of a table; the owner of a table owns what is made of it, so that it can alter them together. */
export function actingAs(table: Owned, missing: Missing): Missing {
  const role = identifier(table.owner);
  return table.ownerIsMaster
    ? missing
    : { ...missing, statements: [sql`SET LOCAL ROLE ${role}`, ...missing.statements, sql`RESET ROLE`] };
}
