import { DesiredState, LOADER_ROLE, tenantRoleName, tenantSchemaName } from '../desired-state';
import { Missing, Owned, actingAs } from './missing';
import { Session } from './session';
import { Sql, identifier, sql } from './sql';

/** A declared table of strategy `schema` in a tenant's schema. */
interface OwnTable extends Owned {
  readonly schema: string;
  readonly name: string;
  readonly readable: boolean;
}

/**
 * What tenants lack for tables of strategy `schema`, by tenant: a schema that only the tenant and the loader enter, and in it
 * a table like the one of that name in the common schema, which serves as the pattern and stays unreadable.
 */
export async function missingTenantSchemas(master: Session, desired: DesiredState): Promise<Map<string, Missing[]>> {
  const declared = desired.tables.filter(({ strategy }) => strategy === 'schema').map(({ name }) => name);
  if (declared.length === 0) {
    return new Map();
  }
  const schemaNames = desired.tenants.map(({ id }) => tenantSchemaName(id));
  const schemas = new Set(
    (
      await master.rows<{ name: string }>(
        `SELECT n.nspname AS name FROM pg_namespace n
          WHERE n.nspname = ANY ($1)
            AND EXISTS (SELECT FROM aclexplode(n.nspacl) a
                         WHERE a.grantee = to_regrole(quote_ident(n.nspname)) AND a.privilege_type = 'USAGE')
            AND EXISTS (SELECT FROM aclexplode(n.nspacl) a
                         WHERE a.grantee = to_regrole($2) AND a.privilege_type = 'CREATE')`,
        [schemaNames, LOADER_ROLE],
      )
    ).map(({ name }) => name),
  );
  const patterns = await tablesIn(master, [desired.schema], declared);
  const own = await tablesIn(master, schemaNames, declared);
  const bySchema = new Map(schemaNames.map((schema) => [schema, [] as OwnTable[]]));
  own.forEach((table) => bySchema.get(table.schema)?.push(table));
  return new Map(
    desired.tenants.map(({ id }) => {
      const schema = tenantSchemaName(id);
      const tables = bySchema.get(schema) ?? [];
      return [
        id,
        [
          ...(schemas.has(schema) ? [] : [newSchema(id)]),
          ...patterns
            .filter(({ name }) => !tables.some((table) => table.name === name))
            .map((pattern) => newTable(id, pattern)),
          ...tables.filter(({ readable }) => !readable).map((table) => readableTable(id, table)),
        ],
      ];
    }),
  );
}

/** Declared tables of strategy `schema` that some tenant of this batch lacks. */
export async function pendingTenantTables(master: Session, desired: DesiredState): Promise<string[]> {
  const declared = desired.tables.filter(({ strategy }) => strategy === 'schema').map(({ name }) => name);
  const schemas = desired.tenants.map(({ id }) => tenantSchemaName(id));
  const own = await tablesIn(master, schemas, declared);
  return declared.flatMap((name) => {
    const having = own.filter((table) => table.name === name).length;
    return having < schemas.length ? [`${name} in ${schemas.length - having} tenant schema(s)`] : [];
  });
}

async function tablesIn(master: Session, schemas: string[], names: string[]): Promise<OwnTable[]> {
  return master.rows<OwnTable>(
    `SELECT n.nspname AS schema, c.relname AS name, o.rolname AS owner, o.rolname = current_user AS "ownerIsMaster",
            EXISTS (SELECT FROM aclexplode(c.relacl) a
                     WHERE a.grantee = to_regrole(quote_ident(n.nspname)) AND a.privilege_type = 'SELECT') AS readable
       FROM pg_namespace n JOIN pg_class c ON c.relnamespace = n.oid JOIN pg_roles o ON o.oid = c.relowner
      WHERE n.nspname = ANY ($1) AND c.relname = ANY ($2) AND c.relkind IN ('r', 'p')`,
    [schemas, names],
  );
}

function newSchema(id: string): Missing {
  const schema = identifier(tenantSchemaName(id));
  return {
    what: 'schema made',
    statements: [
      sql`CREATE SCHEMA IF NOT EXISTS ${schema}`,
      sql`GRANT USAGE ON SCHEMA ${schema} TO ${identifier(tenantRoleName(id))}`,
      sql`GRANT USAGE, CREATE ON SCHEMA ${schema} TO ${identifier(LOADER_ROLE)}`,
    ],
  };
}

function newTable(id: string, pattern: OwnTable): Missing {
  const table = identifier(tenantSchemaName(id), pattern.name);
  return actingAs(pattern, {
    what: `table ${pattern.name} made`,
    statements: [
      sql`CREATE TABLE ${table} (LIKE ${identifier(pattern.schema, pattern.name)} INCLUDING ALL)`,
      ...(pattern.owner === LOADER_ROLE
        ? []
        : [sql`GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON ${table} TO ${identifier(LOADER_ROLE)}`]),
      grantSelect(id, table),
    ],
  });
}

function readableTable(id: string, own: OwnTable): Missing {
  const table = identifier(own.schema, own.name);
  return actingAs(own, { what: `table ${own.name} readable`, statements: [grantSelect(id, table)] });
}

function grantSelect(id: string, table: Sql): Sql {
  return sql`GRANT SELECT ON ${table} TO ${identifier(tenantRoleName(id))}`;
}
