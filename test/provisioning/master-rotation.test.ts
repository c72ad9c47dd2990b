import { setTimeout as pause } from 'node:timers/promises';
import { DatabaseServer } from '../../lib/provisioning/desired-databases';
import {
  reconcileDatabases,
  reconcileStoredDatabases,
} from '../../lib/provisioning/handler/per-tenant/reconcile-databases';
import { Servers, startServers } from './per-tenant-servers';

/** A lock that each run waits for: {@link ../../lib/provisioning/handler/master.ts}. */
const LOCK = 7_316_402_158;

describe('RDS changes the password of the master user', () => {
  let servers: Servers;
  let log: jest.SpyInstance;
  let rotations = 0;

  beforeAll(async () => {
    log = jest.spyOn(console, 'log').mockImplementation(() => undefined);
    servers = await startServers(17, 1);
  }, 60_000);

  afterEach(() => servers.clear(), 60_000);

  afterAll(async () => {
    await servers?.stop();
    log.mockRestore();
  });

  const newPassword = () => `rotated ${++rotations} %41 # ? ' : & + \\ b`;

  async function rotate(secretFollowsAfter = 0): Promise<void> {
    const password = newPassword();
    const literal = password.replace(/'/g, "''");
    await servers.superuser(`ALTER ROLE ${servers.masterOf('a').user} PASSWORD '${literal}'`);
    await pause(secretFollowsAfter);
    Object.assign(servers.secrets.get('master-a') as object, { password });
  }

  test.each([0, 1_000])(
    'while a run waits, with the secret %i ms behind: the run goes on',
    async (behind) => {
      const { password } = servers.secrets.get('master-a') as { password: string };
      const other = await servers.connect('a', { ...servers.masterOf('a'), password }, 'tenancy');
      await other.query(`SELECT pg_advisory_lock(${LOCK})`);

      const run = reconcileDatabases(servers.desired([{ id: 'acme' }]));
      const [{ waiting }] = await until(async () => {
        const rows = await servers.superuser<{ waiting: number }>(
          `SELECT count(*)::int AS waiting FROM pg_stat_activity WHERE application_name = 'superset-tenancy-provisioner'`,
        );
        return rows[0].waiting > 0 ? rows : undefined;
      });
      expect(waiting).toBe(1);
      const rotated = rotate(behind);
      await other.end();
      await Promise.all([run, rotated]);

      expect(await servers.tenant('acme', 'SELECT session_user::text AS who')).toEqual([{ who: 'tenant_acme' }]);
    },
    60_000,
  );

  test('between two runs: the next one logs in with what the secret has', async () => {
    await reconcileDatabases(servers.desired([{ id: 'acme' }]));
    await rotate();

    await reconcileStoredDatabases(servers.servers() as DatabaseServer[]);
  }, 60_000);

  test('and a secret that never follows fails the run', async () => {
    await servers.superuser(`ALTER ROLE ${servers.masterOf('a').user} PASSWORD 'unknown to the secret'`);

    await expect(reconcileDatabases(servers.desired([{ id: 'acme' }]))).rejects.toThrow(
      /password authentication failed/,
    );
    await rotate();
  }, 60_000);
});

async function until<Found>(look: () => Promise<Found | undefined>): Promise<Found> {
  for (;;) {
    const found = await look();
    if (found) return found;
    await pause(50);
  }
}
