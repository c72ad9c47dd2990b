import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { escapeLiteral as literal } from 'pg';
import { TenancyModel } from '../lib/environment/environment';
import { REPOSITORY } from './directories';
import { Login, connect } from './login';
import { schemasOf } from './tenant-tables';
import { ExampleEnvironment } from './example-environment';

const EXAMPLES = join(REPOSITORY, 'examples');
const ROWS = join(EXAMPLES, 'shared-rls', 'data', 'rows.sql');

/** Makes the tables as a loader, as an ETL does. */
export async function makeTables({ model }: Pick<ExampleEnvironment, 'model'>, loader: Login): Promise<void> {
  // A tenant's database looks the same, whether its Superset is its own or not.
  const example = model === TenancyModel.SHARED_RLS ? model : TenancyModel.DATABASE_PER_TENANT;
  const client = await connect(loader);
  try {
    await client.query(readFileSync(join(EXAMPLES, example, 'data', 'tables.sql'), 'utf8'));
  } finally {
    await client.end();
  }
}

/** Fills the tables of the tenants, each as its loader. */
export async function loadRows(environment: ExampleEnvironment, loaders: ReadonlyMap<string, Login>): Promise<void> {
  const rows = readFileSync(ROWS, 'utf8');
  for (const tenant of environment.tenants) {
    const client = await connect(loaders.get(tenant.id) as Login);
    try {
      const path = schemasOf(tenant, environment).join(', ');
      await client.query(`SET search_path = ${path}; SET example.tenant = ${literal(tenant.value)}; ${rows}`);
    } finally {
      await client.end();
    }
  }
}
