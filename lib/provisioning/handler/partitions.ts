import { createHash } from 'node:crypto';
import { DesiredState } from '../desired-state';
import { Missing, Owned, actingAs } from './missing';
import { Session } from './session';
import { identifier, literal, sql } from './sql';
import { PARTITIONS_SCHEMA } from './tenancy-schema';

/** A partitioned table that was declared and exists. */
interface PartitionedTable extends Owned {
  readonly name: string;
}

/** A partition of a declared table. */
interface Partition {
  readonly parent: string;
  readonly schema: string;
  readonly name: string;
  readonly owner: string;
  readonly locked: boolean;
  /** Values of the tenant column that it takes. */
  readonly values: string[];
}

/**
 * The partitions that tenants lack, by tenant.
 *
 * A partition is made beside its table and then attached, which waits for no reader (SHARE UPDATE EXCLUSIVE). Nobody reads
 * it by its own name: it lies in a schema that tenants cannot enter, with row-level security forced and no policy.
 */
export async function missingPartitions(master: Session, desired: DesiredState): Promise<Map<string, Missing[]>> {
  const declared = desired.tables.filter(({ strategy }) => strategy === 'partitioned').map(({ name }) => name);
  const tables = await master.rows<PartitionedTable>(
    `SELECT c.relname AS name, o.rolname AS owner, o.rolname = current_user AS "ownerIsMaster"
       FROM pg_class c JOIN pg_roles o ON o.oid = c.relowner
      WHERE c.relnamespace = to_regnamespace(quote_ident($1)) AND c.relname = ANY ($2) AND c.relkind = 'p'`,
    [desired.schema, declared],
  );
  const partitions = await readPartitions(master, desired);
  const byValue = new Map(
    partitions.flatMap((partition) =>
      partition.values.map((value) => [`${partition.parent}=${value}`, partition] as const),
    ),
  );
  return new Map(
    desired.tenants.map((tenant) => [
      tenant.id,
      tables.flatMap((table): Missing[] => {
        const value = desired.tenantColumn.type === 'uuid' ? tenant.value.toLowerCase() : tenant.value;
        const partition = byValue.get(`${table.name}=${value}`);
        if (!partition) {
          return [newPartition(desired.schema, table, tenant.id, tenant.value)];
        }
        const lock = lockPartition(identifier(partition.schema, partition.name));
        return partition.locked
          ? []
          : [actingAs(table, { what: `partition of ${table.name} locked`, statements: [lock] })];
      }),
    ]),
  );
}

/** The partitions that declared tables have, whoever made them. */
export async function readPartitions(master: Session, desired: DesiredState): Promise<Partition[]> {
  const partitions = await master.rows<Omit<Partition, 'values'> & { readonly bound: string }>(
    `SELECT p.relname AS parent, n.nspname AS schema, c.relname AS name, pg_get_userbyid(c.relowner) AS owner,
            c.relrowsecurity AND c.relforcerowsecurity AS locked, pg_get_expr(c.relpartbound, c.oid) AS bound
       FROM pg_class p JOIN pg_inherits i ON i.inhparent = p.oid JOIN pg_class c ON c.oid = i.inhrelid
       JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE p.relnamespace = to_regnamespace(quote_ident($1)) AND p.relname = ANY ($2) AND p.relkind = 'p'`,
    [desired.schema, desired.tables.filter(({ strategy }) => strategy === 'partitioned').map(({ name }) => name)],
  );
  return partitions.map(({ bound, ...partition }) => ({ ...partition, values: valuesOfBound(bound) }));
}

function newPartition(schema: string, table: PartitionedTable, tenantId: string, value: string): Missing {
  const parent = identifier(schema, table.name);
  const partition = identifier(PARTITIONS_SCHEMA, partitionName(table.name, tenantId));
  return actingAs(table, {
    what: `partition of ${table.name} made`,
    statements: [
      sql`CREATE TABLE IF NOT EXISTS ${partition}
            (LIKE ${parent} INCLUDING ALL EXCLUDING INDEXES EXCLUDING IDENTITY EXCLUDING STATISTICS)`,
      lockPartition(partition),
      sql`ALTER TABLE ${parent} ATTACH PARTITION ${partition} FOR VALUES IN (${literal(value)})`,
    ],
  });
}

function lockPartition(partition: ReturnType<typeof identifier>) {
  return sql`ALTER TABLE ${partition} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY`;
}

/** Name of a tenant's partition, within PostgreSQL's 63 bytes. */
export function partitionName(table: string, tenantId: string): string {
  const name = `${table}_${tenantId}`;
  if (name.length <= 63) {
    return name;
  }
  const hash = createHash('sha256').update(table).digest('hex').slice(0, 8);
  return `${table.slice(0, 63 - tenantId.length - 10)}_${hash}_${tenantId}`;
}

/** The values in `FOR VALUES IN ('a', 'b', NULL)`, as PostgreSQL prints a bound. */
function valuesOfBound(bound: string): string[] {
  return [...bound.matchAll(/'((?:[^']|'')*)'|(-?\d+)/g)].map(([, quoted, number]) =>
    quoted === undefined ? number : quoted.replaceAll("''", "'"),
  );
}
