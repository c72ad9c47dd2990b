/** How the rows of one table are kept apart. */
export enum TableStrategy {
  /** One table with a tenant column: an index that leads with it, and row-level security. */
  COLUMN = 'column',
  /** One table partitioned `BY LIST` of the tenant column: a partition for each tenant, and row-level security. */
  PARTITIONED = 'partitioned',
  /** A table of its own for each tenant, in a schema of its own. */
  SCHEMA = 'schema',
}

/** Type of the tenant column in PostgreSQL. */
export enum TenantColumnType {
  /** `uuid` */
  UUID = 'uuid',
  /** `text` */
  TEXT = 'text',
  /** `bigint` */
  BIGINT = 'bigint',
}

/** The column that says which tenant a row belongs to. It has one name and one type in all tables. */
export interface TenantColumn {
  /**
   * Name of the column.
   *
   * @pattern ^[a-z_][a-z0-9_]{0,62}$
   * @patternErrorMessage 1 to 63 characters: a to z, 0 to 9 and _, not starting with a digit
   */
  readonly name: string;

  /** Type of the column; the policy compares in this type, so that no cast hides the index. */
  readonly type: TenantColumnType;
}

/** A table that tenants may read, each its own rows. */
export interface TenantTable {
  /**
   * Name of the table, without its schema.
   *
   * @pattern ^[a-z_][a-z0-9_]{0,62}$
   * @patternErrorMessage 1 to 63 characters: a to z, 0 to 9 and _, not starting with a digit
   */
  readonly name: string;

  /** How its rows are kept apart. */
  readonly strategy: TableStrategy;
}
