import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { Answer, SupersetSession } from './superset-session';

const ASYNC_SECONDS = 60;

/** A column or metric in SQL, as Explore makes one. */
export interface Expression {
  readonly expressionType: 'SQL';
  readonly sqlExpression: string;
  readonly label: string;
}

/** What a chart asks of its dataset, in the words of Superset's API. */
export interface ChartQuery {
  readonly metrics?: Expression[];
  readonly columns?: Expression[];
  readonly filters?: { readonly col: string; readonly op: string; readonly val: string }[];
  readonly extras?: { readonly where?: string; readonly having?: string };
  readonly orderby?: [Expression, boolean][];
}

/** Where a chart's data are asked for, and how. */
export interface ChartOptions {
  /** The chart, and the dashboard that shows it. @default - asked for in Explore */
  readonly shown?: { readonly chart: number; readonly dashboard: number };
  /** @default 'json' */
  readonly format?: 'json' | 'csv';
  /** @default false - the database is asked */
  readonly cached?: boolean;
}

/** A query of SQL Lab that Celery was given. */
export interface CeleryQuery {
  readonly id: number;
  readonly clientId: string;
}

/** How a query stands. */
export interface QueryState {
  readonly status: string;
  readonly results_key: string | null;
}

/** SQL as Explore takes it, under a label. */
export function expression(sqlExpression: string, label: string): Expression {
  return { expressionType: 'SQL', sqlExpression, label };
}

/** What a chart sends, and what is saved of it. */
export function queryContext(dataset: number, query: ChartQuery, { shown, format, cached }: ChartOptions = {}) {
  return {
    datasource: { id: dataset, type: 'table' },
    queries: [{ columns: [], metrics: [], row_limit: 1000, ...query }],
    form_data: shown ? { dashboardId: shown.dashboard, slice_id: shown.chart } : {},
    result_format: format ?? 'json',
    result_type: 'full',
    force: !cached,
  };
}

/** The data of a chart, saved or not. */
export function chartData(
  session: SupersetSession,
  dataset: number,
  query: ChartQuery,
  options?: ChartOptions,
): Promise<Answer> {
  return session.post('/api/v1/chart/data', queryContext(dataset, query, options));
}

/** SQL Lab, waiting for the result. */
export function sqlLab(
  session: SupersetSession,
  database: number,
  sql: string,
  options: { readonly catalog?: string; readonly runAsync?: boolean } = {},
): Promise<Answer> {
  const clientId = randomBytes(5).toString('hex');
  const body = { database_id: database, sql, client_id: clientId, schema: 'public', queryLimit: 1000 };
  return session.post('/api/v1/sqllab/execute/', { ...body, runAsync: false, ...options });
}

/** SQL Lab through Celery; does not wait. */
export async function startQuery(session: SupersetSession, database: number, sql: string): Promise<CeleryQuery> {
  const answer = await sqlLab(session, database, sql, { runAsync: true });
  const { query } = answer.json<{ query: { queryId: number; id: string } }>();
  return { id: query.queryId, clientId: query.id };
}

/** How a query of one's own stands. */
export async function stateOf(session: SupersetSession, { id }: CeleryQuery): Promise<QueryState> {
  return (await session.get(`/api/v1/query/${id}`)).json<{ result: QueryState }>().result;
}

/** Resolves when a query of one's own stands like that; answers the key of its results. */
export async function untilStatus(session: SupersetSession, query: CeleryQuery, wanted: string): Promise<string> {
  const deadline = Date.now() + ASYNC_SECONDS * 1_000;
  for (;;) {
    const { status, results_key: key } = await stateOf(session, query);
    if (status === wanted) {
      return key ?? '';
    }
    if (Date.now() > deadline || status === 'failed') {
      throw new Error(`a query through Celery is "${status}", not "${wanted}"; waited up to ${ASYNC_SECONDS} s`);
    }
    await pause(100);
  }
}

/** Stops a query of one's own that runs: Superset says so some time before it knows how to stop it. */
export async function stopQuery(session: SupersetSession, { clientId }: CeleryQuery): Promise<void> {
  const deadline = Date.now() + ASYNC_SECONDS * 1_000;
  for (;;) {
    const answer = await session.post('/api/v1/query/stop', { client_id: clientId });
    if (!isNotStoppableYet(answer) || Date.now() > deadline) {
      answer.json();
      return;
    }
    await pause(100);
  }
}

function isNotStoppableYet({ status, text }: Answer): boolean {
  return status === 422 && text.includes('Could not cancel query');
}

/** What a query has left for whoever knows the key of its results. */
export function resultsOf(session: SupersetSession, key: string): Promise<Answer> {
  return session.get(`/api/v1/sqllab/results/?q=(key:'${key}')`);
}

/** SQL Lab through Celery, with its results. */
export async function sqlLabByCelery(session: SupersetSession, database: number, sql: string): Promise<Answer> {
  const query = await startQuery(session, database, sql);
  return resultsOf(session, await untilStatus(session, query, 'success'));
}

/** The rows of an answer as in a file of CSV without its header; the answer itself if it has none. */
export function rowsOf(answer: Answer): string {
  if (answer.status !== 200) {
    return String(answer);
  }
  if (answer.is('csv')) {
    return answer.text.trimEnd().split(/\r?\n/).slice(1).join('\n');
  }
  type Rows = { readonly data: Record<string, unknown>[] };
  const content = answer.json<Partial<Rows> & { readonly result?: Rows[] }>();
  const rows = content.data ?? content.result?.[0].data;
  return rows?.map((row) => Object.values(row).join()).join('\n') ?? String(answer);
}
