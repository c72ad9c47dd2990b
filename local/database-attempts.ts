import { escapeIdentifier as identifier, escapeLiteral as literal } from 'pg';
import {
  REGISTRY_DATABASE,
  metadataDatabaseName,
  metadataRoleName,
  ownerRoleName,
} from '../lib/provisioning/desired-databases';
import { tenantRoleName } from '../lib/provisioning/desired-state';
import { Attempt } from './attempts';
import { Login } from './login';
import { TablesOf, hasInstances, tableOf } from './tenant-tables';
import { ExampleTenant } from './example-environment';

/** What a tenant may try against another that has a database of its own, whose login it knows all of but the password. */
export function attemptsOnDatabase(
  victim: ExampleTenant,
  its: Login,
  tenant: ExampleTenant,
  own: Login,
  environment: TablesOf,
): Attempt[] {
  const place = { host: its.host, port: its.port, database: its.database };
  const isNear = its.host === own.host && its.port === own.port;
  return [
    { what: 'log in to its database', sql: 'SELECT 1', as: place, mustBe: 'refused' },
    {
      what: 'log in as it with the own password',
      sql: 'SELECT 1',
      as: { ...place, username: its.username },
      mustBe: 'refused',
    },
    ...['postgres', 'template1', REGISTRY_DATABASE].map((database): Attempt => ({
      what: `open the database ${database}`,
      sql: 'SELECT 1',
      as: { database },
      mustBe: 'refused',
    })),
    ...environment.data.tables.flatMap((table): Attempt[] => {
      const name = tableOf(victim, table, environment);
      return [
        {
          what: `read ${table.name} in its database`,
          sql: `SELECT count(*) FROM ${identifier(its.database)}.${name}`,
          mustBe: 'refused',
        },
        { what: `write to the own ${table.name}`, sql: `DELETE FROM ${name}`, mustBe: 'refused' },
      ];
    }),
    ...(isNear ? onSameServer(victim, its) : []),
    ...(hasInstances(environment) ? onMetadata(victim, place, tenant) : []),
    { what: 'give itself CREATEDB', sql: 'ALTER ROLE CURRENT_USER CREATEDB', mustBe: 'refused' },
    { what: 'install dblink', sql: 'CREATE EXTENSION dblink', mustBe: 'refused' },
    { what: 'install postgres_fdw', sql: 'CREATE EXTENSION postgres_fdw', mustBe: 'refused' },
    { what: 'make a table', sql: 'CREATE TABLE mine (n int)', mustBe: 'refused' },
    { what: 'make a temporary table', sql: 'CREATE TEMPORARY TABLE mine (n int)', mustBe: 'refused' },
    { what: 'run a program on the server', sql: `COPY (SELECT 1) TO PROGRAM 'true'`, mustBe: 'refused' },
    { what: "read the server's files", sql: `SELECT pg_read_file('PG_VERSION')`, mustBe: 'refused' },
  ];
}

/** Beside the data of a tenant with a Superset of its own are that Superset's metadata: who may what, and what they wrote. */
function onMetadata(victim: ExampleTenant, place: Partial<Login>, tenant: ExampleTenant): Attempt[] {
  return [
    { what: "open its Superset's metadata", as: { ...place, database: metadataDatabaseName(victim.id) } },
    { what: "open the own Superset's metadata", as: { database: metadataDatabaseName(tenant.id) } },
    {
      what: 'open them as the own Superset, with the own password',
      as: { database: metadataDatabaseName(tenant.id), username: metadataRoleName(tenant.id) },
    },
  ].map((attempt) => ({ ...attempt, sql: 'SELECT 1', mustBe: 'refused' }));
}

/** On another server there is nothing of it that could be named. */
function onSameServer({ id }: ExampleTenant, its: Login): Attempt[] {
  const role = identifier(tenantRoleName(id));
  const database = identifier(its.database);
  return [
    { what: 'SET ROLE to it', sql: `SET ROLE ${role}`, mustBe: 'refused' },
    { what: 'SET ROLE to its owner', sql: `SET ROLE ${identifier(ownerRoleName(id))}`, mustBe: 'refused' },
    { what: 'SET SESSION AUTHORIZATION to it', sql: `SET SESSION AUTHORIZATION ${role}`, mustBe: 'refused' },
    { what: 'join its role', sql: `GRANT ${role} TO CURRENT_USER`, mustBe: 'refused' },
    {
      what: 'let itself into its database',
      sql: `GRANT CONNECT ON DATABASE ${database} TO CURRENT_USER`,
      mustBe: 'refused',
    },
    { what: 'copy its database', sql: `CREATE DATABASE mine TEMPLATE ${database}`, mustBe: 'refused' },
    {
      what: 'see what it asks',
      sql: `SELECT count(*) FROM pg_stat_activity WHERE datname = ${literal(its.database)} AND query !~ 'insufficient privilege'`,
      mustBe: 'empty',
    },
  ];
}
