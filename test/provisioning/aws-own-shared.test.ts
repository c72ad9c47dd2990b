import { reconcile, reconcileStored } from '../../lib/provisioning/handler/reconcile';
import { registerProxyTarget } from '../../local/rds-roles';
import { AWS_STATE } from './aws-state';
import { startTenantServer } from './tenant-server';

describe("AWS's own roles and databases, in a database that tenants share", () => {
  test('are left as they are found', async () => {
    const log = jest.spyOn(console, 'log').mockImplementation(() => undefined);
    const server = await startTenantServer(17);
    const db = await server.newDatabase();
    try {
      const tenant = { id: 'tk4q9w', value: 'a2b8e7a8-5a83-4d0e-9c1d-0d2b1f6c7e01' };
      await registerProxyTarget(server.postgres);
      const before = await db.superuser(AWS_STATE);
      await reconcile(db.desired([tenant], []), db.environment);
      await db.superuser('GRANT tenant_tk4q9w TO rdstopmgr');
      await db.master('CREATE ROLE rdsreporting');
      await db.master('GRANT tenant_tk4q9w TO rdsreporting');
      await db.superuser('CREATE DATABASE rdsnew');
      await expect(reconcileStored(db.environment)).rejects.toThrow(
        /tenant tk4q9w, verification: it may connect to database rdsnew, which rdsadmin owns/,
      );
      await server.postgres.refuseLogins('rdsnew');
      await reconcileStored(db.environment);
      await db.superuser('DROP DATABASE rdsnew');
      const isMember = `SELECT pg_has_role('rdsreporting', 'tenant_tk4q9w', 'MEMBER') AS reads`;
      expect(await db.superuser(isMember)).toEqual([{ reads: false }]);
      await db.superuser('DROP ROLE rdsreporting');
      await db.superuser('REVOKE tenant_tk4q9w FROM rdstopmgr');
      expect(await db.superuser(AWS_STATE)).toEqual(before);
    } finally {
      await server.stop();
      log.mockRestore();
    }
  }, 90_000);
});
