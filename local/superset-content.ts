import { randomBytes } from 'node:crypto';
import { escapeIdentifier as identifier } from 'pg';
import { TenantTable } from '../lib/database/tenant-table';
import { Login, connect } from './login';
import { CeleryQuery, ChartQuery, expression, queryContext, startQuery, untilStatus } from './superset-queries';
import { SupersetSession } from './superset-session';
import { TablesOf, hasTenantColumn, isRowOf, tableOf } from './tenant-tables';
import { ExampleTenant } from './example-environment';

/** What an analyst has made for the proof: a dashboard with a chart for each table, and a query of SQL Lab. */
export interface TenantContent {
  readonly database: number;
  readonly dashboard: number;
  readonly tables: TableContent[];
  /** A query whose results are kept. */
  readonly query: CeleryQuery;
  readonly resultsKey: string;
  /** A word in the name of each of these and in those results, and nowhere else. */
  readonly canary: string;
}

/** A table of the environment, as a dataset with a chart. */
export interface TableContent {
  readonly name: string;
  readonly dataset: number;
  readonly chart: number;
  /** How many rows there are, and whose. */
  readonly query: ChartQuery;
  /** The same in SQL. */
  readonly sql: string;
  /** What it must answer, as the loader's login sees it. */
  readonly ownRows: string;
}

/** Makes all of that by Superset's API, with the dashboard given to the tenant's viewers. */
export async function makeContent(
  analyst: SupersetSession,
  tenant: ExampleTenant,
  environment: TablesOf,
  loader: Login,
): Promise<TenantContent> {
  const canary = `canary${randomBytes(8).toString('hex')}`;
  const database = await ownDatabase(analyst);
  const roles = [await viewerRole(analyst)];
  const dashboard = await create(analyst, 'dashboard', { dashboard_title: canary, published: true, roles });
  const tables: TableContent[] = [];
  for (const table of environment.data.tables) {
    const name = `${table.name} ${canary}`;
    const query = whoseRows(table, environment);
    const rows = `SELECT * FROM ${tableOf(tenant, table, environment)}`;
    // By its SQL, so that it is beside any dataset of this table that is there.
    const dataset = await create(analyst, 'dataset', { database, schema: 'public', table_name: name, sql: rows });
    const chart = await create(analyst, 'chart', {
      slice_name: name,
      viz_type: 'table',
      datasource_id: dataset,
      datasource_type: 'table',
      params: JSON.stringify({ datasource: `${dataset}__table`, query_mode: 'aggregate', ...query }),
      query_context: JSON.stringify(queryContext(dataset, query)),
      dashboards: [dashboard],
    });
    const sql = whoseRowsSql(tenant, table, environment);
    const ownRows = await rowsByLoader(tenant, table, environment, loader);
    tables.push({ name: table.name, dataset, chart, query, sql, ownRows });
  }
  const query = await startQuery(analyst, database, `SELECT '${canary}' AS canary`);
  const resultsKey = await untilStatus(analyst, query, 'success');
  return { database, dashboard, tables, query, resultsKey, canary };
}

/** Removes the dashboard, its charts and their datasets. */
export async function removeContent(analyst: SupersetSession, { dashboard, tables }: TenantContent): Promise<void> {
  for (const thing of [
    `dashboard/${dashboard}`,
    ...tables.flatMap(({ chart, dataset }) => [`chart/${chart}`, `dataset/${dataset}`]),
  ]) {
    (await analyst.delete(`/api/v1/${thing}`)).json();
  }
}

function whoseRows(table: TenantTable, { data: { tenantColumn } }: TablesOf): ChartQuery {
  const value = `${identifier(tenantColumn.name)}::text`;
  const whose = [expression(`min(${value})`, 'lowest'), expression(`max(${value})`, 'highest')];
  return { metrics: [expression('count(*)', 'number'), ...(hasTenantColumn(table) ? whose : [])] };
}

function whoseRowsSql(tenant: ExampleTenant, table: TenantTable, environment: TablesOf): string {
  const { metrics = [] } = whoseRows(table, environment);
  const columns = metrics.map(({ sqlExpression, label }) => `${sqlExpression} AS ${identifier(label)}`);
  return `SELECT ${columns.join(', ')} FROM ${tableOf(tenant, table, environment)}`;
}

async function rowsByLoader(
  tenant: ExampleTenant,
  table: TenantTable,
  environment: TablesOf,
  login: Login,
): Promise<string> {
  const where = hasTenantColumn(table) ? ` WHERE ${isRowOf(tenant, environment)}` : '';
  const client = await connect(login);
  try {
    const { rows } = await client.query<{ number: string }>(whoseRowsSql(tenant, table, environment) + where);
    if (rows[0].number === '0') {
      throw new Error(`tenant ${tenant.id} has no row of ${table.name}, so that nothing can be proved with it`);
    }
    return Object.values(rows[0]).join();
  } finally {
    await client.end();
  }
}

async function ownDatabase(analyst: SupersetSession): Promise<number> {
  const answer = await analyst.get('/api/v1/database/');
  const { ids } = answer.json<{ ids: number[] }>();
  if (ids.length !== 1) {
    throw new Error(`an analyst sees ${ids.length} databases in Superset, instead of the tenant's one`);
  }
  return ids[0];
}

async function viewerRole(analyst: SupersetSession): Promise<number> {
  const answer = await analyst.get('/api/v1/dashboard/related/roles');
  const { result } = answer.json<{ result: { text: string; value: number }[] }>();
  const role = result.find(({ text }) => text.endsWith(':viewer'));
  if (!role) {
    throw new Error(`an analyst finds no role of viewers to give a dashboard to; Superset answered ${answer}`);
  }
  return role.value;
}

async function create(analyst: SupersetSession, kind: string, body: object): Promise<number> {
  return (await analyst.post(`/api/v1/${kind}/`, body)).json<{ id: number }>().id;
}
