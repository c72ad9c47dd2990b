import { SupersetAttempt, TenantAtSuperset } from './superset-attempts';
import { chartData, resultsOf, sqlLab } from './superset-queries';
import { SupersetSession } from './superset-session';

/** To a Superset that knows neither the cookie nor the token, whoever shows it is a stranger. */
const STRANGER = /^401 /;

/** What somebody may try at another tenant's Superset with what the own one has given: a session, or a guest's token. */
export function atItsSuperset(
  session: SupersetSession,
  me: TenantAtSuperset,
  victim: TenantAtSuperset,
): SupersetAttempt[] {
  const { content } = victim;
  const [home, there] = [me, victim].map(({ superset }) => session.at(superset));
  const [foreign] = content.tables;
  const shown = { chart: foreign.chart, dashboard: content.dashboard };
  return [
    {
      what: 'show its Superset what the own one knows',
      ask: async () => {
        (await home.get(`/api/v1/dashboard/${me.content.dashboard}`)).json();
        return there.get(`/api/v1/dashboard/${me.content.dashboard}`);
      },
      mustBe: STRANGER,
    },
    { what: 'be somebody at its Superset', ask: () => there.get('/api/v1/me/'), mustBe: STRANGER },
    ...['', '/charts', '/datasets'].map((part) => ({
      what: `open its dashboard${part.replace('/', "'s ")} there`,
      ask: () => there.get(`/api/v1/dashboard/${content.dashboard}${part}`),
      mustBe: STRANGER,
    })),
    {
      what: "ask for its dashboard's data there",
      ask: () => chartData(there, foreign.dataset, foreign.query, { shown }),
      mustBe: STRANGER,
    },
    {
      what: 'ask its dataset there',
      ask: () => chartData(there, foreign.dataset, foreign.query),
      mustBe: STRANGER,
    },
    {
      what: 'open its database there',
      ask: () => there.get(`/api/v1/database/${content.database}`),
      mustBe: STRANGER,
    },
    {
      what: 'use SQL Lab there',
      ask: () => sqlLab(there, content.database, foreign.sql),
      mustBe: STRANGER,
    },
    {
      what: 'fetch its results by their key there',
      ask: () => resultsOf(there, content.resultsKey),
      mustBe: STRANGER,
    },
  ];
}
