import { join } from 'node:path';
import { Client } from 'pg';
import { DatabaseServer } from '../../lib/provisioning/desired-databases';
import { admitProxies } from '../../lib/provisioning/handler/per-tenant/admit-proxies';
import { onDatabasesEvent } from '../../lib/provisioning/handler/per-tenant/on-databases-event';
import {
  reconcileDatabases,
  reconcileStoredDatabases,
} from '../../lib/provisioning/handler/per-tenant/reconcile-databases';
import { connect } from '../../local/login';
import { startPgBouncer } from '../../local/pgbouncer';
import { registerTarget } from '../../local/proxy-health';
import { registerProxyTarget } from '../../local/rds-roles';
import { AWS_STATE } from './aws-state';
import { Servers, sqlState, startServers } from './per-tenant-servers';

describe.each([15, 16, 17] as const)("AWS's own roles and databases, on PostgreSQL %i", (version) => {
  let servers: Servers;
  let log: jest.SpyInstance;

  beforeAll(async () => {
    log = jest.spyOn(console, 'log').mockImplementation(() => undefined);
    servers = await startServers(version, 1);
  }, 60_000);

  afterEach(() => servers.clear(), 60_000);

  afterAll(async () => {
    await servers?.stop();
    log.mockRestore();
  });

  const stored = () => reconcileStoredDatabases(servers.servers() as DatabaseServer[]);

  test('are left as they are found, and RDS Proxy may check its target', async () => {
    const account = await registerProxyTarget(servers.serverOf('a'));
    const login = { user: account.username, password: account.password };
    const session = await servers.connect('a', login, 'postgres');
    await servers.superuser(
      'GRANT CONNECT ON DATABASE postgres TO PUBLIC; REVOKE CONNECT ON DATABASE postgres FROM rdsproxyadmin',
    );
    try {
      const before = await servers.superuser(AWS_STATE);
      await reconcileDatabases(servers.desired([{ id: 'acme' }, { id: 'bolt', loader: true, metadata: true }]));
      await servers.superuser('GRANT tenant_acme TO rdstopmgr');
      await stored();
      await servers.superuser('REVOKE tenant_acme FROM rdstopmgr');

      expect(await servers.superuser(AWS_STATE)).toEqual(before);
      await session.query('SELECT 1');
      await (await servers.connect('a', login, 'postgres')).end();
      expect(await sqlState(servers.tenant('acme', 'SELECT 1', 'a', 'postgres'))).toBe('42501');
    } finally {
      await session.end();
    }
  }, 60_000);

  test("do not include a customer's role whose name begins as theirs do: it loses a tenant's rights like any other", async () => {
    await servers.master('CREATE ROLE rdsreporting');
    try {
      await reconcileDatabases(servers.desired([{ id: 'acme' }]));
      await servers.master('GRANT tenant_acme TO rdsreporting; GRANT CONNECT ON DATABASE tenant_acme TO rdsreporting');
      await stored();

      const rights = `SELECT pg_has_role('rdsreporting', 'tenant_acme', 'MEMBER') OR
                             has_database_privilege('rdsreporting', 'tenant_acme', 'CONNECT') AS some`;
      expect(await servers.superuser(rights)).toEqual([{ some: false }]);
    } finally {
      await servers.superuser('DROP OWNED BY rdsreporting; DROP ROLE rdsreporting');
    }
  }, 60_000);

  test('lock RDS Proxy out until the next run only, if somebody takes its right', async () => {
    const account = await registerProxyTarget(servers.serverOf('a'));
    const login = { user: account.username, password: account.password };
    await reconcileDatabases(servers.desired([{ id: 'acme' }]));
    await servers.master('REVOKE CONNECT ON DATABASE postgres FROM rdsproxyadmin');
    expect(await sqlState(servers.connect('a', login, 'postgres'))).toBe('42501');
    await stored();
    await (await servers.connect('a', login, 'postgres')).end();
  }, 60_000);

  test('let RDS Proxy in that was registered after the database was closed', async () => {
    await servers.superuser('DROP OWNED BY rdsproxyadmin; DROP ROLE rdsproxyadmin').catch(() => undefined);
    await reconcileDatabases(servers.desired([{ id: 'acme' }]));
    const proxy = await startPgBouncer({
      postgres: servers.serverOf('a'),
      directory: join(servers.directory, 'proxy'),
      poolSize: 2,
      borrowTimeoutSeconds: 1,
    });
    proxy.setUsers([servers.serverOf('a').master]);
    const connectVia = () => {
      const { host, port, caFile } = proxy;
      return connect({ ...servers.serverOf('a').master, host, port: String(port), database: 'tenancy', caFile });
    };
    const ask = (client: Client) => client.query('SELECT 1').finally(() => client.end());
    const admitted = onDatabasesEvent({
      RequestType: 'Create',
      ResourceProperties: { ProxiedServers: servers.servers() },
    });
    const health = await registerTarget(servers.serverOf('a'), proxy);
    try {
      expect(await admitted).toEqual({ PhysicalResourceId: 'superset-tenancy/proxied-servers' });
      await until(() => health.problem() === undefined);
      expect(await admitProxies(servers.servers())).toEqual([]);
      await ask(await connectVia());
      await servers.master('REVOKE CONNECT ON DATABASE postgres FROM rdsproxyadmin');
      await until(() => health.problem() === 'permission denied for database "postgres"');
      await expect(connectVia().then(ask)).rejects.toThrow();
      await servers.master('GRANT CONNECT ON DATABASE postgres TO rdsproxyadmin');
      await until(() => health.problem() === undefined);
      await connectVia().then(ask);
    } finally {
      await health.stop();
      await proxy.stop();
    }
  }, 60_000);

  test('may be open to everybody where nobody gets in, and are refused where a tenant does', async () => {
    await servers.superuser('CREATE DATABASE rdsnew');
    await servers.superuser('REVOKE CONNECT ON DATABASE rdsnew FROM PUBLIC');
    try {
      const desired = servers.desired([{ id: 'acme' }]);
      await reconcileDatabases(desired);
      await stored();
      await servers.superuser('GRANT CONNECT ON DATABASE rdsnew TO PUBLIC');
      const refusal =
        /tenant acme, verification: it may connect to database rdsnew, which rdsadmin owns: as its owner, run REVOKE/;
      await expect(reconcileDatabases(desired)).rejects.toThrow(refusal);
      await expect(stored()).rejects.toThrow(refusal);
      await servers.serverOf('a').refuseLogins('rdsnew');
      await reconcileDatabases(desired);
      await stored();
    } finally {
      await servers.superuser('DROP DATABASE rdsnew');
    }
  }, 60_000);
});

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 50));
}
