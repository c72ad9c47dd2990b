import { DatabaseError, escapeIdentifier as identifier, escapeLiteral as literal } from 'pg';
import { partitionName } from '../lib/provisioning/handler/partitions';
import { PARTITIONS_SCHEMA } from '../lib/provisioning/handler/tenancy-schema';
import { TableStrategy } from '../lib/database/tenant-table';
import { tenantRoleName, tenantSchemaName } from '../lib/provisioning/desired-state';
import { Login, connect } from './login';
import { ExampleData, ExampleTenant } from './example-environment';

/** A way to another tenant's rows. */
export interface Attempt {
  readonly what: string;
  readonly sql: string;
  /** What of the login is another's. @default - nothing */
  readonly as?: Partial<Login>;
  /**
   * How it must end: PostgreSQL refuses it (an error of any other kind proves nothing), or it counts no row of another
   * tenant.
   */
  readonly mustBe: 'refused' | 'empty';
}

/**
 * What PostgreSQL says when a right is missing, a query would be affected by row-level security, there is no such login, or a
 * query names another database.
 */
const REFUSALS = ['42501', '28000', '28P01', '0A000'];

/** What a tenant may try against another, for the tables of an environment. */
export function attemptsAgainst(victim: ExampleTenant, data: ExampleData): Attempt[] {
  const schema = identifier(data.schema ?? 'analytics');
  const column = identifier(data.tenantColumn.name);
  const value = `${literal(victim.value)}::${data.tenantColumn.type}`;
  const role = identifier(tenantRoleName(victim.id));
  const shared = data.tables.filter(({ strategy }) => strategy !== TableStrategy.SCHEMA);
  const [first] = shared;
  const table = `${schema}.${identifier(first.name)}`;
  const foreign = `SELECT count(*) FROM ${table} WHERE ${column} = ${value}`;
  return [
    ...shared.flatMap(({ name }): Attempt[] => [
      {
        what: `read its rows of ${name}`,
        sql: `SELECT count(*) FROM ${schema}.${identifier(name)} WHERE ${column} = ${value}`,
        mustBe: 'empty',
      },
      {
        what: `write a row of ${name} for it`,
        sql: `INSERT INTO ${schema}.${identifier(name)} (${column}) VALUES (${value})`,
        mustBe: 'refused',
      },
    ]),
    ...data.tables.flatMap(({ name, strategy }): Attempt[] => {
      switch (strategy) {
        case TableStrategy.PARTITIONED:
          return [
            {
              what: `read its partition of ${name} by name`,
              sql: `SELECT count(*) FROM ${PARTITIONS_SCHEMA}.${identifier(partitionName(name, victim.id))}`,
              mustBe: 'refused',
            },
          ];
        case TableStrategy.SCHEMA:
          return [
            {
              what: `read ${name} in its schema`,
              sql: `SELECT count(*) FROM ${identifier(tenantSchemaName(victim.id))}.${identifier(name)}`,
              mustBe: 'refused',
            },
          ];
        case TableStrategy.COLUMN:
          return [];
      }
    }),
    {
      what: "set_config('app.current_tenant') to it",
      sql: `SELECT set_config('app.current_tenant', ${literal(victim.value)}, false); ${foreign}`,
      mustBe: 'empty',
    },
    {
      what: 'hide a read in query_to_xml',
      sql: `SELECT (xpath('//n/text()', query_to_xml(${literal(`SELECT count(*) AS n FROM ${table} WHERE ${column} = ${value}`)}, true, false, '')))[1]::text AS count`,
      mustBe: 'empty',
    },
    { what: 'SET ROLE to it', sql: `SET ROLE ${role}; ${foreign}`, mustBe: 'refused' },
    {
      what: "set_config('role') to it",
      sql: `SELECT set_config('role', ${literal(tenantRoleName(victim.id))}, false)`,
      mustBe: 'refused',
    },
    { what: 'SET SESSION AUTHORIZATION to it', sql: `SET SESSION AUTHORIZATION ${role}`, mustBe: 'refused' },
    { what: 'switch row-level security off', sql: `SET row_security = off; ${foreign}`, mustBe: 'refused' },
    { what: 'drop the policy', sql: `DROP POLICY tenancy_isolation ON ${table}`, mustBe: 'refused' },
    { what: 'disable row-level security', sql: `ALTER TABLE ${table} DISABLE ROW LEVEL SECURITY`, mustBe: 'refused' },
    { what: 'give itself BYPASSRLS', sql: 'ALTER ROLE CURRENT_USER BYPASSRLS', mustBe: 'refused' },
    { what: 'join its role', sql: `GRANT ${role} TO CURRENT_USER`, mustBe: 'refused' },
    { what: 'read who is which tenant', sql: 'SELECT count(*) FROM tenancy.tenant', mustBe: 'refused' },
    {
      what: 'become it in that mapping',
      sql: `UPDATE tenancy.tenant SET value = ${value} WHERE role = session_user`,
      mustBe: 'refused',
    },
    {
      what: 'replace the function that tells who it is',
      sql: `CREATE OR REPLACE FUNCTION tenancy.current_tenant() RETURNS ${data.tenantColumn.type} LANGUAGE sql AS ${literal(`SELECT ${value}`)}`,
      mustBe: 'refused',
    },
    {
      what: 'make a view beside the tables',
      sql: `CREATE VIEW ${schema}.mine AS SELECT * FROM ${table}`,
      mustBe: 'refused',
    },
    { what: 'make a temporary table', sql: `CREATE TEMPORARY TABLE mine AS SELECT * FROM ${table}`, mustBe: 'refused' },
    { what: 'run a program on the server', sql: `COPY (SELECT 1) TO PROGRAM 'true'`, mustBe: 'refused' },
    { what: "read the server's files", sql: `SELECT pg_read_file('PG_VERSION')`, mustBe: 'refused' },
    { what: 'open another database', sql: 'SELECT 1', as: { database: 'postgres' }, mustBe: 'refused' },
  ];
}

/** Makes an attempt as a tenant; answers what went wrong with our defence, if anything. */
export async function failureOf(attempt: Attempt, login: Login): Promise<string | undefined> {
  try {
    const client = await connect({ ...login, ...attempt.as });
    try {
      // The first thing an attacker does: the role's default is to read only, and a session may change it.
      await client.query('SET default_transaction_read_only = off');
      const results: unknown = await client.query(attempt.sql);
      const { rows } = (Array.isArray(results) ? results.at(-1) : results) as { rows: { count?: string }[] };
      const count = rows[0]?.count;
      return attempt.mustBe === 'empty' && count === '0' ? undefined : `was let through (${count ?? 'no'} rows)`;
    } finally {
      await client.end();
    }
  } catch (error) {
    const { code, message } = error as DatabaseError;
    return attempt.mustBe === 'refused' && REFUSALS.includes(code ?? '')
      ? undefined
      : `ended with "${message}" (${code})`;
  }
}
