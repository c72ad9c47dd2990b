import { Client } from 'pg';
import { maxConnections } from '../lib/database/instance-class';
import { tenantDatabaseName } from '../lib/provisioning/desired-databases';
import { tenantRoleName } from '../lib/provisioning/desired-state';
import { reconcileDatabases } from '../lib/provisioning/handler/per-tenant/reconcile-databases';
import { shardBudget } from '../lib/tenancy/shard-budget';
import { Login, connect } from '../local/login';
import { LocalPgBouncer, startPgBouncer } from '../local/pgbouncer';
import { Servers, startServers, tenantSecret } from '../test/provisioning/per-tenant-servers';
import { fixed, median, seconds, table } from './results';

const RUNS = 5;
const QUERIES = 200;
const COUNTS = [1, 10, 100, 300];
const INSTANCE_CLASS = 't4g.medium';
const TENANTS = 50;
const CLIENTS = 5;
const LOAD_SECONDS = 10;

/** A database for each tenant: what one costs, what the proxy costs, and what many clients make of the server. */
export async function databases(): Promise<string> {
  const log = console.log;
  console.log = () => undefined; // the provisioner tells each change
  try {
    const made = await perTenant();
    const servers = await startServers(17, 1, maxConnections(INSTANCE_CLASS));
    await reconcileDatabases(servers.desired(tenantsOf(TENANTS)));
    const proxy = await startProxy(servers);
    try {
      return [made, await perQuery(servers, proxy), await connections(servers, proxy)].join('\n\n');
    } finally {
      await proxy.stop();
      await servers.stop();
    }
  } finally {
    console.log = log;
  }
}

function tenantsOf(count: number) {
  return Array.from({ length: count }, (_, index) => ({ id: `t${String(index).padStart(4, '0')}`, connections: '10' }));
}

async function perTenant(): Promise<string> {
  const rows: (string | number)[][] = [];
  for (const count of COUNTS) {
    const servers = await startServers(17, 1);
    const desired = servers.desired(tenantsOf(count));
    const first = await seconds(() => reconcileDatabases(desired));
    const second = await seconds(() => reconcileDatabases(desired));
    await servers.stop();
    rows.push([count, fixed(first), fixed((1_000 * first) / count, 0), fixed(second), fixed(second / first)]);
  }
  return [
    'The provisioner, PostgreSQL 17 over TLS, each count on a new server, without an ETL: databases, roles, rights and the proof.',
    '',
    table(['tenants', 'first run, s', 'each, ms', 'second run, s', 'ratio'], rows),
  ].join('\n');
}

async function startProxy(servers: Servers): Promise<LocalPgBouncer> {
  const proxy = await startPgBouncer({
    postgres: servers.serverOf('a'),
    directory: `${servers.directory}/proxy`,
    poolSize: 10,
    borrowTimeoutSeconds: 30,
  });
  proxy.setUsers(tenantsOf(TENANTS).map(({ id }) => userOf(servers, id)));
  await new Promise((resolve) => setTimeout(resolve, 500));
  return proxy;
}

function userOf(servers: Servers, id: string) {
  const { user, password } = servers.secretOf(tenantSecret(id));
  return { username: user, password };
}

/** The login of a tenant at a server or its proxy. */
function loginAt(
  { host, port, caFile }: Pick<LocalPgBouncer, 'host' | 'port' | 'caFile'>,
  servers: Servers,
  id: string,
): Login {
  return { ...userOf(servers, id), host, port: String(port), database: tenantDatabaseName(id), caFile };
}

async function perQuery(servers: Servers, proxy: LocalPgBouncer): Promise<string> {
  const [{ id }] = tenantsOf(1);
  const ways = { direct: loginAt(servers.serverOf('a'), servers, id), proxy: loginAt(proxy, servers, id) };
  const rows: string[][] = [];
  const ratios = { kept: [] as number[], again: [] as number[] };
  for (let run = 1; run <= RUNS; run++) {
    const kept = { direct: await keptMs(ways.direct), proxy: await keptMs(ways.proxy) };
    const again = { direct: await newMs(ways.direct), proxy: await newMs(ways.proxy) };
    ratios.kept.push(kept.proxy / kept.direct);
    ratios.again.push(again.proxy / again.direct);
    rows.push([
      String(run),
      ...[kept.direct, kept.proxy, kept.proxy / kept.direct, again.direct, again.proxy, again.proxy / again.direct].map(
        (number) => fixed(number),
      ),
    ]);
  }
  return [
    `A query of one row as a tenant, by a connection that is kept (median of ${QUERIES}) and by a new one (median of ${QUERIES / 4}), over TLS:`,
    '',
    table(['run', 'kept, ms', 'by PgBouncer', 'ratio', 'new, ms', 'by PgBouncer', 'ratio'], rows),
    '',
    `Median: by the proxy a query takes ${fixed(median(ratios.kept))} of a direct one on a connection that is kept, ${fixed(median(ratios.again))} on a new one.`,
  ].join('\n');
}

const QUERY = 'SELECT count(*) FROM pg_class';

async function keptMs(login: Login): Promise<number> {
  const client = await connect(login);
  const times: number[] = [];
  for (let query = 0; query < QUERIES; query++) {
    times.push(1_000 * (await seconds(() => client.query(QUERY))));
  }
  await client.end();
  return median(times);
}

async function newMs(login: Login): Promise<number> {
  const times: number[] = [];
  for (let query = 0; query < QUERIES / 4; query++) {
    times.push(
      1_000 *
        (await seconds(async () => {
          const client = await connect(login);
          await client.query(QUERY);
          await client.end();
        })),
    );
  }
  return median(times);
}

/** All clients ask without a pause, and the server is asked meanwhile how many there are. */
async function connections(servers: Servers, proxy: LocalPgBouncer): Promise<string> {
  const tenants = tenantsOf(TENANTS);
  const budget = shardBudget({
    shard: 'a',
    instanceClass: INSTANCE_CLASS,
    maxConnections: maxConnections(INSTANCE_CLASS),
    proxyPercent: 80,
    tenants: tenants.map(({ id }) => ({ id, value: id, displayName: id, adminEmail: `${id}@example.com` })),
    tasks: { web: 6, workers: 4 },
    connectionsPerProcess: CLIENTS,
  });
  const clients: Client[] = [];
  for (const { id } of tenants) {
    for (let client = 0; client < CLIENTS; client++) clients.push(await connect(loginAt(proxy, servers, id)));
  }
  const until = Date.now() + LOAD_SECONDS * 1_000;
  const queries = { answered: 0, failed: 0 };
  const asking = clients.map(async (client) => {
    while (Date.now() < until) {
      await client.query('SELECT pg_sleep(0.02)').then(
        () => queries.answered++,
        () => queries.failed++,
      );
    }
  });
  let most = 0;
  let mostOfOne = 0;
  while (Date.now() < until) {
    const counted = await servers.superuser<{ role: string; number: number }>(
      `SELECT usename AS role, count(*)::int AS number FROM pg_stat_activity WHERE usename LIKE '${tenantRoleName('')}%' GROUP BY 1`,
    );
    most = Math.max(
      most,
      counted.reduce((sum, { number }) => sum + number, 0),
    );
    mostOfOne = Math.max(mostOfOne, ...counted.map(({ number }) => number));
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await Promise.all(asking);
  await Promise.all(clients.map((client) => client.end()));
  return [
    `${TENANTS} tenants with ${CLIENTS} clients each, which ask without a pause for ${LOAD_SECONDS} s, on a server with the connections of a db.${INSTANCE_CLASS}:`,
    '',
    table(
      [
        'clients',
        'answered',
        'failed',
        'connections of the server',
        'of one tenant',
        'its limit',
        'the proxy may have',
        'the server takes',
      ],
      [[clients.length, queries.answered, queries.failed, most, mostOfOne, 10, budget.proxied, budget.maxConnections]],
    ),
  ].join('\n');
}
