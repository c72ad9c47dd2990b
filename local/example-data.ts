import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { escapeIdentifier as identifier, escapeLiteral as literal } from 'pg';
import { Environment } from '../lib/environment/environment';
import { tenantSchemaName } from '../lib/provisioning/desired-state';
import { REPOSITORY } from './directories';
import { Login, connect } from './login';

const DATA = join(REPOSITORY, 'examples', 'shared-rls', 'data');

/** Makes the tables as the loader, as an ETL does. */
export async function makeTables(loader: Login): Promise<void> {
  const client = await connect(loader);
  try {
    await client.query(readFileSync(join(DATA, 'tables.sql'), 'utf8'));
  } finally {
    await client.end();
  }
}

/** Fills the tables of the tenants as the loader. */
export async function loadRows({ data, tenants }: Environment, loader: Login): Promise<void> {
  const rows = readFileSync(join(DATA, 'rows.sql'), 'utf8');
  const client = await connect(loader);
  try {
    for (const { id, value } of tenants) {
      const path = `${identifier(tenantSchemaName(id))}, ${identifier(data.schema ?? 'analytics')}`;
      await client.query(`SET search_path = ${path}; SET example.tenant = ${literal(value)}; ${rows}`);
    }
  } finally {
    await client.end();
  }
}
