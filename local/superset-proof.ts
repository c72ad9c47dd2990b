import { DemoUser } from './demo-users';
import { LocalCloud } from './local-cloud';
import { Login } from './login';
import { PlatformAdministrator } from './platform-administrator';
import { Superset } from './superset';
import {
  SupersetAttempt,
  TenantAtSuperset,
  attemptsOfAnalyst,
  attemptsOfGuest,
  attemptsOfViewer,
  failureOf,
} from './superset-attempts';
import { TableContent, makeContent, removeContent } from './superset-content';
import { ChartOptions, chartData, rowsOf, sqlLab, sqlLabByCelery } from './superset-queries';
import { Answer, SupersetSession } from './superset-session';
import { TablesOf } from './tenant-tables';
import { ExampleEnvironment, ExampleTenant } from './example-environment';

/** Ways to one's own rows, in the order of the report. */
export const WAYS = ['chart', 'dashboard', 'CSV', 'SQL Lab', 'Celery'] as const;

export type Way = (typeof WAYS)[number];

/** What somebody of a tenant was seen to read through Superset, and what was tried. */
export interface PersonProof {
  readonly tenant: ExampleTenant;
  readonly person: DemoUser['role'] | 'guest';
  /** Own rows of all tables together, by the ways that are open to such a person. */
  readonly read: Partial<Record<Way, number>>;
  readonly attempts: string[];
  /** What is wrong. */
  readonly failures: string[];
}

type Ask = (table: TableContent) => Promise<Answer>;

/** Who proves what, as whom. */
interface Person {
  readonly person: PersonProof['person'];
  readonly ways: Partial<Record<Way, Ask>>;
  readonly attempts: SupersetAttempt[];
}

/** Proves for the people of each tenant that they read the tenant's own rows through Superset, and nothing of another's. */
export async function proveThroughSuperset(
  cloud: Pick<LocalCloud, 'supersetOf'>,
  environment: ExampleEnvironment,
  users: DemoUser[],
  platforms: ReadonlyMap<Superset, PlatformAdministrator>,
  loaders: ReadonlyMap<string, Login>,
): Promise<PersonProof[]> {
  const { tenants } = environment;
  const administrators = new Map<Superset, SupersetSession>();
  const present: TenantAtSuperset[] = [];
  try {
    for (const [superset, platform] of platforms) {
      administrators.set(superset, await SupersetSession.signIn(superset, platform));
    }
    for (const tenant of tenants) {
      try {
        const superset = cloud.supersetOf(tenant.id);
        const administrator = administrators.get(superset) as SupersetSession;
        present.push(await enter(superset, tenant, environment, users, administrator, loaders.get(tenant.id) as Login));
      } catch (error) {
        throw new Error(`tenant ${tenant.id} cannot be proved through Superset: ${(error as Error).message}`);
      }
    }
    // At once, so that they share the server's processes, pools and caches.
    const proofs = present.map((me, i) => proveTenant(me, present[(i + 1) % present.length], environment));
    return (await Promise.all(proofs)).flat();
  } finally {
    administrators.forEach((administrator) => administrator.close());
    await Promise.all(present.map(leave));
  }
}

async function enter(
  superset: Superset,
  tenant: ExampleTenant,
  environment: TablesOf,
  users: DemoUser[],
  administrator: SupersetSession,
  loader: Login,
): Promise<TenantAtSuperset> {
  const signIn = (wanted: DemoUser['role']) => {
    const user = users.find(({ tenant: id, role }) => id === tenant.id && role === wanted);
    if (!user) {
      throw new Error(`tenant ${tenant.id} has no ${wanted}`);
    }
    return SupersetSession.signIn(superset, user);
  };
  const analyst = await signIn('analyst');
  const viewer = await signIn('viewer');
  const content = await makeContent(analyst, tenant, environment, loader);
  const guest = SupersetSession.guest(superset, await guestToken(administrator, content.dashboard));
  return { tenant, superset, analyst, viewer, guest, content };
}

async function leave({ analyst, viewer, guest, content }: TenantAtSuperset): Promise<void> {
  await removeContent(analyst, content);
  [analyst, viewer, guest].forEach((session) => session.close());
}

/** What a page gives the browser of its own user, so that it may show a dashboard. */
async function guestToken(administrator: SupersetSession, dashboard: number): Promise<string> {
  const embedded = await administrator.post(`/api/v1/dashboard/${dashboard}/embedded`, { allowed_domains: [] });
  const { uuid } = embedded.json<{ result: { uuid: string } }>().result;
  const token = { user: { username: 'somebody' }, resources: [{ type: 'dashboard', id: uuid }], rls: [] };
  return (await administrator.post('/api/v1/security/guest_token/', token)).json<{ token: string }>().token;
}

async function proveTenant(
  me: TenantAtSuperset,
  victim: TenantAtSuperset,
  environment: TablesOf,
): Promise<PersonProof[]> {
  const proofs: PersonProof[] = [];
  for (const { person, ways, attempts } of peopleOf(me, victim, environment)) {
    const { read, failures } = await readOwn(me.content.tables, ways);
    for (const attempt of attempts) {
      const failure = await failureOf(attempt, victim);
      if (failure) {
        failures.push(`the attempt on ${victim.tenant.id} to ${attempt.what} ${failure}`);
      }
    }
    proofs.push({ tenant: me.tenant, person, read, attempts: attempts.map(({ what }) => what), failures });
  }
  return proofs;
}

function peopleOf(me: TenantAtSuperset, victim: TenantAtSuperset, environment: TablesOf): Person[] {
  const { analyst, viewer, guest, content } = me;
  const isAlone = me === victim;
  const asked =
    (session: SupersetSession, options?: ChartOptions): Ask =>
    ({ dataset, query }) =>
      chartData(session, dataset, query, options);
  const shown =
    (session: SupersetSession, format?: 'csv'): Ask =>
    ({ dataset, chart, query }) =>
      chartData(session, dataset, query, { format, shown: { chart, dashboard: content.dashboard } });
  return [
    {
      person: 'analyst',
      ways: {
        chart: ({ chart }) => analyst.get(`/api/v1/chart/${chart}/data/?force=true`),
        dashboard: shown(analyst),
        CSV: asked(analyst, { format: 'csv' }),
        'SQL Lab': ({ sql }) => sqlLab(analyst, content.database, sql),
        Celery: ({ sql }) => sqlLabByCelery(analyst, content.database, sql),
      },
      attempts: isAlone ? [] : attemptsOfAnalyst(me, victim, environment),
    },
    {
      person: 'viewer',
      ways: { dashboard: shown(viewer), CSV: shown(viewer, 'csv') },
      attempts: isAlone ? [] : attemptsOfViewer(me, victim, environment),
    },
    {
      person: 'guest',
      ways: { dashboard: shown(guest), CSV: shown(guest, 'csv') },
      attempts: isAlone ? [] : attemptsOfGuest(me, victim, environment),
    },
  ];
}

/** Each way must answer with all rows of each table, and with no others. */
async function readOwn(
  tables: TableContent[],
  ways: Partial<Record<Way, Ask>>,
): Promise<Pick<PersonProof, 'read' | 'failures'>> {
  const read: Partial<Record<Way, number>> = {};
  const failures: string[] = [];
  for (const [way, ask] of Object.entries(ways) as [Way, Ask][]) {
    read[way] = 0;
    for (const table of tables) {
      const rows = await ask(table).then(rowsOf, (error: Error) => error.message);
      read[way] += Number.parseInt(rows) || 0;
      if (rows !== table.ownRows) {
        failures.push(`reads by ${way} "${rows}" of ${table.name}, but owns "${table.ownRows}"`);
      }
    }
  }
  return { read, failures };
}
