import { randomBytes } from 'node:crypto';
import { escapeIdentifier as identifier, escapeLiteral as literal } from 'pg';
import { TableStrategy, TenantTable } from '../lib/database/tenant-table';
import { metadataDatabaseName, tenantDatabaseName } from '../lib/provisioning/desired-databases';
import { partitionName } from '../lib/provisioning/handler/partitions';
import { PARTITIONS_SCHEMA } from '../lib/provisioning/handler/tenancy-schema';
import { tenantRoleName } from '../lib/provisioning/desired-state';
import { atItsSuperset } from './instance-attempts';
import { Superset } from './superset';
import { TableContent, TenantContent } from './superset-content';
import {
  ChartQuery,
  chartData,
  expression,
  resultsOf,
  rowsOf,
  sqlLab,
  sqlLabByCelery,
  startQuery,
  stateOf,
  stopQuery,
  untilStatus,
} from './superset-queries';
import { Answer, SupersetSession } from './superset-session';
import { TablesOf, hasDatabases, hasInstances, hasTenantColumn, isRowOf, tableOf } from './tenant-tables';
import { ExampleTenant } from './example-environment';

/** The people of a tenant at Superset, and what there is to steal from them. */
export interface TenantAtSuperset {
  readonly tenant: ExampleTenant;
  readonly superset: Superset;
  readonly analyst: SupersetSession;
  readonly viewer: SupersetSession;
  /** Of the dashboard, embedded in some page. */
  readonly guest: SupersetSession;
  readonly content: TenantContent;
}

type Person = 'analyst' | 'viewer' | 'guest';

/** A way to what is another tenant's in Superset. */
export interface SupersetAttempt {
  readonly what: string;
  ask(): Promise<Answer>;
  /** How it must end: status and text must match, or these must be the rows. An error of another kind proves nothing. */
  readonly mustBe: RegExp | { readonly rows: string };
  /** The same request at home, which must succeed: what is found nowhere proves nothing. @default - seen elsewhere in the proof */
  atHome?(): Promise<Answer>;
}

const NOT_FOR_THE_ROLE = /^403 .*is available to: /;
/** What another tenant has is, to Superset, not there: each route says so in its own words. */
const NOT_FOUND = /^404 \{"message":"Not found"\}\s*$/;
const NO_DATABASE = /^404 \{"error": "Database not found\."\}$/;
const NO_DASHBOARD = /^404 \{"error": "Dashboard not found\."\}$/;
const NO_DATASOURCE = /^404 \{"error": "Datasource does not exist"\}$/;
const NO_SUCH_CLIENT_ID = /^404 \{"message":"Query with client_id \w+ not found"\}\s*$/;
const NO_DATABASE_IN_SQL_LAB = /^404 .*This database does not exist, or is not your account's\./;
const INVALID_DATASOURCE = /^422 \{"message":\{"datasource_id":\["Datasource does not exist"\]\}\}\s*$/;
const INVALID_DATABASE = /^422 \{"message":\{"database":\["Database does not exist"\]\}\}\s*$/;
/** A route of Superset's that is served to nobody. */
const WITHHELD = /^404 .*The requested URL was not found on the server/;
/** Explore opens with nothing in it. */
const NOTHING_TO_EXPLORE = /^200 .*"name":"\[Missing Dataset\]".*"slice":null/;
const NO_QUERY = /^404 .*query associated with these results could not be found/;
const NOT_A_QUERY = /^403 .*only queries run here/;
const SET_CONFIG = /^40[03] .*set_config is not allowed here/;
const NOT_THE_CHARTS = /^403 .*Guest user cannot modify chart payload/;
const QUERY_IN_TEXT = /^403 .*query_to_xml is not allowed here/;
const SUBQUERY = /^40[03] .*cannot contain sub-queries/;
const NOT_YOUR_SCHEMA = /^403 .*is not allowed here: it belongs to the platform or to another account/;
const ANOTHER_DATABASE = /^400 .*cross-database references are not implemented/;
const OF_THE_SERVER = /^403 .*pg_stat_activity is not allowed here/;
const LEADS_ELSEWHERE = /^40[03] .*dblink is not allowed here/;

/** Counts for as long as it may, in little memory. */
const LONG = 'SELECT count(*) AS n FROM (SELECT generate_series(1, 1000000000000)) AS numbers';

/** Makes an attempt; answers what went wrong with our defence, if anything. */
export async function failureOf(
  { ask, mustBe, atHome }: SupersetAttempt,
  victim: TenantAtSuperset,
): Promise<string | undefined> {
  try {
    const home = await atHome?.();
    if (home && (home.status >= 300 || (mustBe instanceof RegExp && mustBe.test(lineOf(home))))) {
      return `is refused at home, too: "${home}"`;
    }
    const answer = await ask();
    if (answer.text.includes(victim.content.canary)) {
      return `was shown something of it: ${answer}`;
    }
    const isDefended = mustBe instanceof RegExp ? mustBe.test(lineOf(answer)) : rowsOf(answer) === mustBe.rows;
    return isDefended ? undefined : `ended with "${answer}"`;
  } catch (error) {
    return `ended with "${(error as Error).message}"`;
  }
}

function lineOf({ status, text }: Answer): string {
  return `${status} ${text.replaceAll(/\s+/g, ' ')}`;
}

/** What an analyst may try: SQL of any kind, and all that Superset's pages ask for, of somebody else's. */
export function attemptsOfAnalyst(
  me: TenantAtSuperset,
  victim: TenantAtSuperset,
  environment: TablesOf,
): SupersetAttempt[] {
  return [
    ...inSqlLab(me, victim, environment),
    ...inExplore(me, victim, environment),
    ...(hasInstances(environment)
      ? atItsSuperset(me.analyst, me, victim)
      : [
          ...byNumber(me, victim),
          ...byResults(me.analyst, victim, NO_QUERY),
          ...byQuery(me.analyst, victim, NOT_FOUND, NO_SUCH_CLIENT_ID),
          ...byCache(me, victim),
        ]),
    ...inListings(me.analyst, me.content, ['chart', 'dashboard', 'dataset', 'query']),
  ];
}

/** What a viewer may try: all that a dashboard asks for, and what only analysts are given. */
export function attemptsOfViewer(
  me: TenantAtSuperset,
  victim: TenantAtSuperset,
  environment: TablesOf,
): SupersetAttempt[] {
  const { viewer, content } = me;
  const [own] = content.tables;
  const shown = { chart: own.chart, dashboard: content.dashboard };
  return [
    ...(hasInstances(environment)
      ? atItsSuperset(viewer, me, victim)
      : [
          ...byDashboard('viewer', me, victim),
          ...byNameOfDashboard('viewer', me, victim),
          ...byResults(viewer, victim, NOT_FOR_THE_ROLE),
          ...byQuery(viewer, victim, NOT_FOR_THE_ROLE),
          {
            what: 'use SQL Lab on its database',
            ask: () => sqlLab(viewer, victim.content.database, own.sql),
            mustBe: NOT_FOR_THE_ROLE,
          },
        ]),
    {
      what: "set_config to it in a dashboard's metric",
      ask: () => chartData(viewer, own.dataset, setConfig(victim.tenant).metric, { shown }),
      mustBe: SET_CONFIG,
    },
    {
      what: 'ask a dataset without a dashboard',
      ask: () => chartData(viewer, own.dataset, own.query),
      mustBe: /^403 .*requires the datasource/,
    },
    { what: 'use SQL Lab', ask: () => sqlLab(viewer, content.database, own.sql), mustBe: NOT_FOR_THE_ROLE },
    ...inListings(viewer, content, ['dashboard']),
    { what: 'find its charts in a list', ask: () => viewer.get('/api/v1/chart/'), mustBe: /^200 / },
  ];
}

/** What a guest of an embedded dashboard may try. */
export function attemptsOfGuest(
  me: TenantAtSuperset,
  victim: TenantAtSuperset,
  environment: TablesOf,
): SupersetAttempt[] {
  const { guest, content } = me;
  const [own] = content.tables;
  const shown = { chart: own.chart, dashboard: content.dashboard };
  return [
    ...(hasInstances(environment)
      ? atItsSuperset(guest, me, victim)
      : [
          ...byDashboard('guest', me, victim),
          ...byNameOfDashboard('guest', me, victim),
          ...byResults(guest, victim, NOT_FOR_THE_ROLE),
        ]),
    {
      what: "set_config to it in a dashboard's metric",
      ask: () => chartData(guest, own.dataset, setConfig(victim.tenant).metric, { shown }),
      mustBe: NOT_THE_CHARTS,
    },
  ];
}

function inSqlLab(
  { tenant: own, analyst, content }: TenantAtSuperset,
  { tenant }: TenantAtSuperset,
  environment: TablesOf,
): SupersetAttempt[] {
  const role = identifier(tenantRoleName(tenant.id));
  const foreign = foreignRows(tenant, environment.data.tables.filter(hasTenantColumn)[0], environment);
  const attempt = (what: string, sql: string, mustBe: SupersetAttempt['mustBe']): SupersetAttempt => ({
    what,
    ask: () => sqlLab(analyst, content.database, sql),
    mustBe,
  });
  const ofModel = hasDatabases(environment) ? onItsDatabase(tenant, environment) : onSharedTables(tenant, environment);
  const catalogs = [
    'postgres',
    'template1',
    ...(hasDatabases(environment) ? [tenantDatabaseName(tenant.id)] : []),
    ...(hasInstances(environment) ? [own.id, tenant.id].map(metadataDatabaseName) : []),
  ];
  return [
    ...ofModel.map(([what, sql, mustBe]) => attempt(what, sql, mustBe)),
    attempt(
      'set the session variable to it',
      `SET app.current_tenant = ${literal(tenant.value)}; ${foreign}`,
      NOT_A_QUERY,
    ),
    attempt('SET ROLE to it', `SET ROLE ${role}; ${foreign}`, NOT_A_QUERY),
    attempt('SET SESSION AUTHORIZATION to it', `SET SESSION AUTHORIZATION ${role}; ${foreign}`, NOT_A_QUERY),
    attempt('switch row-level security off', `SET row_security = off; ${foreign}`, NOT_A_QUERY),
    attempt(
      "set_config('role') to it",
      `SELECT set_config('role', ${literal(tenantRoleName(tenant.id))}, false), (${foreign}) AS n`,
      SET_CONFIG,
    ),
    attempt('hide a read in query_to_xml', `SELECT query_to_xml(${literal(foreign)}, true, false, '')`, QUERY_IN_TEXT),
    attempt('have its rows counted by EXPLAIN', `EXPLAIN ANALYZE ${foreign}`, NOT_A_QUERY),
    ...catalogs.map((catalog) => ({
      what: `leave the database by the catalog ${catalog}`,
      ask: () => sqlLab(analyst, content.database, content.tables[0].sql, { catalog }),
      mustBe: { rows: content.tables[0].ownRows },
    })),
    ...(hasDatabases(environment) ? byUri(analyst, tenant) : []),
  ];
}

/** What SQL can be tried in one model only. */
type OfModel = [what: string, sql: string, mustBe: SupersetAttempt['mustBe']][];

function onSharedTables(tenant: ExampleTenant, environment: TablesOf): OfModel {
  const { tables } = environment.data;
  return [
    ...tables
      .filter(hasTenantColumn)
      .map((table): OfModel[0] => [
        `read its rows of ${table.name}`,
        foreignRows(tenant, table, environment),
        { rows: '0' },
      ]),
    ...tables.flatMap((table): OfModel => {
      switch (table.strategy) {
        case TableStrategy.PARTITIONED: {
          const partition = `${PARTITIONS_SCHEMA}.${identifier(partitionName(table.name, tenant.id))}`;
          return [[`read its partition of ${table.name}`, `SELECT count(*) AS n FROM ${partition}`, NOT_YOUR_SCHEMA]];
        }
        case TableStrategy.SCHEMA: {
          const sql = `SELECT count(*) AS n FROM ${tableOf(tenant, table, environment)}`;
          return [[`read ${table.name} in its schema`, sql, NOT_YOUR_SCHEMA]];
        }
        case TableStrategy.COLUMN:
          return [];
      }
    }),
    ['read who is which tenant', 'SELECT count(*) AS n FROM tenancy.tenant', NOT_YOUR_SCHEMA],
  ];
}

function onItsDatabase(tenant: ExampleTenant, environment: TablesOf): OfModel {
  const database = tenantDatabaseName(tenant.id);
  return [
    ...environment.data.tables.map((table): OfModel[0] => [
      `read ${table.name} in its database`,
      foreignRows(tenant, table, environment),
      ANOTHER_DATABASE,
    ]),
    [
      'call dblink to its database',
      `SELECT * FROM dblink('dbname=${database}', 'SELECT 1') AS t (n int)`,
      LEADS_ELSEWHERE,
    ],
    [
      'see what it asks',
      `SELECT count(*) AS n FROM pg_stat_activity WHERE datname = ${literal(database)}`,
      OF_THE_SERVER,
    ],
  ];
}

/** A Database that leads to its own, as an administrator of Superset would make one. */
function byUri(analyst: SupersetSession, { id }: ExampleTenant): SupersetAttempt[] {
  const uri = `postgresql+psycopg2://${tenantRoleName(id)}:guessed@localhost:5432/${tenantDatabaseName(id)}`;
  const body = { database_name: 'mine', sqlalchemy_uri: uri };
  return [
    {
      what: 'make a Database with its URI',
      ask: () => analyst.post('/api/v1/database/', body),
      mustBe: WITHHELD,
    },
    {
      what: 'test a connection with its URI',
      ask: () => analyst.post('/api/v1/database/test_connection/', body),
      mustBe: WITHHELD,
    },
    {
      what: 'move the own Database to its URI',
      ask: () => analyst.put('/api/v1/database/1', body),
      mustBe: WITHHELD,
    },
  ];
}

function inExplore(
  { analyst, content }: TenantAtSuperset,
  { tenant }: TenantAtSuperset,
  environment: TablesOf,
): SupersetAttempt[] {
  const { data } = environment;
  const [table] = data.tables.filter(hasTenantColumn);
  const { dataset } = content.tables.find(({ name }) => name === table.name) ?? content.tables[0];
  const foreign = foreignRows(tenant, table, environment);
  const attempt = (what: string, query: ChartQuery, mustBe: SupersetAttempt['mustBe']): SupersetAttempt => ({
    what,
    ask: () => chartData(analyst, dataset, query),
    mustBe,
  });
  const filters = [{ col: data.tenantColumn.name, op: '==', val: tenant.value }];
  return [
    attempt('filter a chart by it', { metrics: [expression('count(*)', 'n')], filters }, { rows: '0' }),
    ...Object.entries(setConfig(tenant)).map(([place, query]) =>
      attempt(`set_config to it in a ${place}`, query, SET_CONFIG),
    ),
    ...Object.entries(places(`(${foreign})`)).map(([place, query]) =>
      attempt(`read its rows in a ${place}`, query, SUBQUERY),
    ),
  ];
}

/** Counts another's rows of a table. */
function foreignRows(tenant: ExampleTenant, table: TenantTable, environment: TablesOf): string {
  const name = tableOf(tenant, table, environment);
  return hasDatabases(environment)
    ? `SELECT count(*) AS n FROM ${identifier(tenantDatabaseName(tenant.id))}.${name}`
    : `SELECT count(*) AS n FROM ${name} WHERE ${isRowOf(tenant, environment)}`;
}

/** Where SQL can be typed in Explore: of each row, or of all together. */
function places(
  ofRow: string,
  ofAll = ofRow,
): Record<'metric' | 'column' | 'filter' | 'filter of groups' | 'sort order', ChartQuery> {
  const metrics = [expression('count(*)', 'n')];
  return {
    metric: { metrics: [...metrics, expression(ofAll, 'typed')] },
    column: { metrics, columns: [expression(ofRow, 'typed')] },
    filter: { metrics, extras: { where: `${ofRow} IS NOT NULL` } },
    'filter of groups': { metrics, extras: { having: `${ofAll} IS NOT NULL` } },
    'sort order': { metrics, orderby: [[expression(ofAll, 'typed'), true]] },
  };
}

/** PostgreSQL lets anybody set such a variable: only what is typed can be refused. */
function setConfig({ value }: ExampleTenant): ReturnType<typeof places> {
  const call = `set_config('app.current_tenant', ${literal(value)}, false)`;
  return places(call, `max(${call})`);
}

/** Everything of Superset's has a number, and the next one is easily guessed. */
function byNumber(me: TenantAtSuperset, victim: TenantAtSuperset): SupersetAttempt[] {
  const { analyst, content } = me;
  const { database, dashboard, tables } = victim.content;
  const [own] = content.tables;
  const [foreign] = tables;
  const get = (what: string, path: string, mustBe = NOT_FOUND): SupersetAttempt => ({
    what,
    ask: () => analyst.get(`/api/v1/${path}`),
    mustBe,
    atHome: () => victim.analyst.get(`/api/v1/${path}`),
  });
  const chartOf = (dataset: number) =>
    analyst.put(`/api/v1/chart/${own.chart}`, { datasource_id: dataset, datasource_type: 'table' });
  const datasetOn = (number: number) => analyst.put(`/api/v1/dataset/${own.dataset}`, { database_id: number });
  const samples = `/datasource/samples?datasource_type=table&datasource_id=${foreign.dataset}`;
  return [
    get('open its database', `database/${database}`),
    get("list its database's schemas", `database/${database}/schemas/`),
    get("list its database's tables", `database/${database}/tables/?q=(schema_name:public)`, NO_DATABASE),
    {
      what: 'use SQL Lab on its database',
      ask: () => sqlLab(analyst, database, foreign.sql),
      mustBe: NO_DATABASE_IN_SQL_LAB,
    },
    get('open its dataset', `dataset/${foreign.dataset}`),
    get(
      'open its dataset in Explore',
      `explore/?datasource_type=table&datasource_id=${foreign.dataset}`,
      NOTHING_TO_EXPLORE,
    ),
    {
      what: "see samples of its dataset's rows",
      ask: () => analyst.post(samples, {}),
      mustBe: NO_DATASOURCE,
      atHome: () => victim.analyst.post(samples, {}),
    },
    {
      what: 'ask its dataset',
      ask: () => chartData(analyst, foreign.dataset, foreign.query),
      mustBe: NOT_FOUND,
      atHome: () => chartData(victim.analyst, foreign.dataset, foreign.query),
    },
    {
      what: 'download its dataset as CSV',
      ask: () => chartData(analyst, foreign.dataset, foreign.query, { format: 'csv' }),
      mustBe: NOT_FOUND,
      atHome: () => chartData(victim.analyst, foreign.dataset, foreign.query, { format: 'csv' }),
    },
    {
      what: 'make a chart of its dataset',
      ask: () => chartOf(foreign.dataset),
      mustBe: INVALID_DATASOURCE,
      atHome: () => chartOf(own.dataset),
    },
    {
      what: 'move an own dataset to its database',
      ask: () => datasetOn(database),
      mustBe: INVALID_DATABASE,
      atHome: () => datasetOn(content.database),
    },
    get('open its chart', `chart/${foreign.chart}`),
    get("read its chart's data", `chart/${foreign.chart}/data/`),
    get('open its chart in Explore', `explore/?slice_id=${foreign.chart}`, NOTHING_TO_EXPLORE),
    {
      what: 'copy its dashboard',
      ask: () => copyOf(analyst, dashboard),
      mustBe: NOT_FOUND,
      atHome: async () => {
        const copied = await copyOf(victim.analyst, dashboard);
        const { id } = copied.json<{ result: { id: number } }>().result;
        (await victim.analyst.delete(`/api/v1/dashboard/${id}`)).json();
        return copied;
      },
    },
    ...byDashboard('analyst', me, victim),
    ...byNameOfDashboard('analyst', me, victim),
  ];
}

function copyOf(analyst: SupersetSession, dashboard: number): Promise<Answer> {
  const copy = { dashboard_title: 'copy', json_metadata: '{}' };
  return analyst.post(`/api/v1/dashboard/${dashboard}/copy/`, copy);
}

/** Its charts' data, by way of a dashboard. */
function byDashboard(person: Person, me: TenantAtSuperset, victim: TenantAtSuperset): SupersetAttempt[] {
  const [foreign] = victim.content.tables;
  const ask = (who: TenantAtSuperset, chart: TableContent, on: TenantAtSuperset) => {
    const shown = { chart: chart.chart, dashboard: on.content.dashboard };
    return chartData(who[person], foreign.dataset, foreign.query, { shown });
  };
  const common = { mustBe: NOT_FOUND, atHome: () => ask(victim, foreign, victim) };
  return [
    { what: "ask for its dashboard's data", ask: () => ask(me, foreign, victim), ...common },
    { what: 'ask for its chart as if on an own dashboard', ask: () => ask(me, foreign, me), ...common },
    { what: "ask for its data as an own chart's", ask: () => ask(me, me.content.tables[0], me), ...common },
  ];
}

function byNameOfDashboard(person: Person, me: TenantAtSuperset, victim: TenantAtSuperset): SupersetAttempt[] {
  return ['', '/charts', '/datasets'].map((part) => {
    const open = (who: TenantAtSuperset) => who[person].get(`/api/v1/dashboard/${victim.content.dashboard}${part}`);
    return {
      what: `open its dashboard${part.replace('/', "'s ")}`,
      ask: () => open(me),
      mustBe: part === '/datasets' ? NO_DASHBOARD : NOT_FOUND,
      atHome: () => open(victim),
    };
  });
}

/** The results of what it has run in SQL Lab, by their key and by the name that its browser gave the query. */
function byResults(
  session: SupersetSession,
  { analyst, content }: TenantAtSuperset,
  mustBe: RegExp,
): SupersetAttempt[] {
  const { query, resultsKey } = content;
  const path = `/api/v1/sqllab/export/${query.clientId}/`;
  return [
    {
      what: 'fetch its results by their key',
      ask: () => resultsOf(session, resultsKey),
      mustBe,
      atHome: () => resultsOf(analyst, resultsKey),
    },
    {
      what: 'download its results by their client id',
      ask: () => session.get(path),
      mustBe,
      atHome: () => analyst.get(path),
    },
  ];
}

/** A query that it runs in SQL Lab. */
function byQuery(
  session: SupersetSession,
  victim: TenantAtSuperset,
  mustBe: RegExp,
  mustBeStopped = mustBe,
): SupersetAttempt[] {
  const { query } = victim.content;
  return [
    {
      what: 'read its query',
      ask: () => session.get(`/api/v1/query/${query.id}`),
      mustBe,
      atHome: () => victim.analyst.get(`/api/v1/query/${query.id}`),
    },
    { what: 'stop its query by the client id', ask: () => stop(session, victim), mustBe: mustBeStopped },
  ];
}

/** Tries to stop a query that runs; throws if that succeeds. */
async function stop(session: SupersetSession, { analyst, content }: TenantAtSuperset): Promise<Answer> {
  const query = await startQuery(analyst, content.database, LONG);
  await untilStatus(analyst, query, 'running');
  try {
    const answer = await session.post('/api/v1/query/stop', { client_id: query.clientId });
    const { status } = await stateOf(analyst, query);
    if (status !== 'running') {
      throw new Error(`the query of the other is ${status}`);
    }
    return answer;
  } finally {
    await stopQuery(analyst, query);
  }
}

/** What it has just been answered, in the same words. */
function byCache(me: TenantAtSuperset, victim: TenantAtSuperset): SupersetAttempt[] {
  const own = me.content.tables[0];
  const foreign = victim.content.tables.find(({ name }) => name === own.name) ?? victim.content.tables[0];
  const shownTo = ({ content }: TenantAtSuperset, { chart }: TableContent) => ({ chart, dashboard: content.dashboard });
  // Asked for the first time, so that an own answer cannot hide a foreign one.
  const fresh = ({ metrics = [] }: ChartQuery): ChartQuery => {
    const suffix = randomBytes(4).toString('hex');
    return { metrics: metrics.map(({ sqlExpression, label }) => expression(sqlExpression, label + suffix)) };
  };
  return [
    {
      what: 'ask an own dataset what it has just asked',
      ask: async () => {
        const query = fresh(foreign.query);
        await askUntilCached(victim.analyst, foreign.dataset, query);
        return askUntilCached(me.analyst, own.dataset, query);
      },
      mustBe: { rows: own.ownRows },
    },
    {
      what: 'ask an own dashboard what it has just asked of its own',
      ask: async () => {
        const query = fresh(foreign.query);
        await askUntilCached(victim.viewer, foreign.dataset, query, shownTo(victim, foreign));
        return askUntilCached(me.viewer, own.dataset, query, shownTo(me, own));
      },
      mustBe: { rows: own.ownRows },
    },
    {
      what: 'ask its dataset what it has just asked',
      ask: async () => {
        const query = fresh(foreign.query);
        await askUntilCached(victim.analyst, foreign.dataset, query);
        return chartData(me.analyst, foreign.dataset, query, { cached: true });
      },
      mustBe: NOT_FOUND,
    },
    {
      what: 'run in SQL Lab what it has just run',
      ask: async () => {
        await sqlLab(victim.analyst, victim.content.database, own.sql);
        return sqlLab(me.analyst, me.content.database, own.sql);
      },
      mustBe: { rows: own.ownRows },
    },
    {
      what: 'run through Celery what it has just run',
      ask: async () => {
        await sqlLabByCelery(victim.analyst, victim.content.database, own.sql);
        return sqlLabByCelery(me.analyst, me.content.database, own.sql);
      },
      mustBe: { rows: own.ownRows },
    },
  ];
}

/** Answers what is in the cache, asking for it so that it gets there. */
async function askUntilCached(
  session: SupersetSession,
  dataset: number,
  query: ChartQuery,
  shown?: { readonly chart: number; readonly dashboard: number },
): Promise<Answer> {
  const first = await chartData(session, dataset, query, { shown, cached: true });
  const second = await chartData(session, dataset, query, { shown, cached: true });
  const [{ is_cached: isCached }] = second.json<{ result: { is_cached: boolean | null }[] }>().result;
  if (!isCached || rowsOf(first) !== rowsOf(second)) {
    throw new Error(`${first}, then ${isCached ? 'from the cache' : 'not from the cache'} ${second}`);
  }
  return second;
}

/** The lists of what there is, the newest first: what was made for the proof is in them if it is one's own. */
function inListings(session: SupersetSession, { canary }: TenantContent, kinds: string[]): SupersetAttempt[] {
  return kinds.map((kind) => {
    const column = kind === 'query' ? 'changed_on' : 'changed_on_delta_humanized';
    const path = `/api/v1/${kind}/?q=(order_column:${column},order_direction:desc,page_size:100)`;
    return {
      what: `find its things in the list of each ${kind}`,
      ask: () => session.get(path),
      mustBe: new RegExp(`^200 .*${canary}`),
    };
  });
}
