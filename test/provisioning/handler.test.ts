import { onEvent } from '../../lib/provisioning/handler';
import { DesiredState } from '../../lib/provisioning/desired-state';
import { TenantDatabase, startTenantServer } from './tenant-server';

const TABLES: DesiredState['tables'] = [{ name: 'orders', strategy: 'column' }];
const TENANT = { id: 'tk4q9w', value: '0b9cde55-6a0e-4a0e-9d9b-000000000001' };

describe('what CloudFormation and the schedule ask of the function', () => {
  let server: Awaited<ReturnType<typeof startTenantServer>>;
  let db: TenantDatabase;
  const silent = [jest.spyOn(console, 'log'), jest.spyOn(console, 'error')];

  beforeAll(async () => {
    silent.forEach((spy) => spy.mockImplementation(() => undefined));
    server = await startTenantServer(17);
    db = await server.newDatabase();
    Object.assign(process.env, db.environment);
  }, 60_000);
  afterAll(async () => {
    await server?.stop();
    silent.forEach((spy) => spy.mockRestore());
  });

  const send = (RequestType: 'Create' | 'Update' | 'Delete', State: Partial<DesiredState>) =>
    onEvent({ RequestType, ResourceProperties: { State: State as DesiredState } });

  test('the physical id is the same from creation to deletion, so that nothing is ever replaced', async () => {
    const state = db.desired([TENANT], TABLES);
    const created = await send('Create', state);
    expect(created).toEqual({
      PhysicalResourceId: 'superset-tenancy/tenants0',
      Data: { Changes: expect.stringMatching(/^\d+$/), PendingTables: 'analytics.orders', UnreadableRelations: '' },
    });
    expect(await send('Update', state)).toMatchObject({
      PhysicalResourceId: 'superset-tenancy/tenants0',
      Data: { Changes: '0' },
    });
    expect(await db.tenant(TENANT.id, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    expect(await send('Delete', state)).toEqual({ PhysicalResourceId: 'superset-tenancy/tenants0' });
    await expect(db.tenant(TENANT.id, 'SELECT 1')).rejects.toThrow();
    expect(await send('Delete', state)).toEqual({ PhysicalResourceId: 'superset-tenancy/tenants0' });
  });

  test('a batch without tenants comes without the empty list that CloudFormation leaves out', async () => {
    const { tenants, ...cell } = db.desired([], TABLES, { batch: 'cell' });
    expect(tenants).toEqual([]);
    expect(await send('Create', cell)).toMatchObject({ PhysicalResourceId: 'superset-tenancy/cell' });
  });

  test('a call without a template reconciles what was deployed last', async () => {
    await send('Create', db.desired([TENANT], TABLES));
    await db.master(`ALTER ROLE tenant_${TENANT.id} NOLOGIN`);
    expect(await onEvent({ reconcile: 'stored' })).toMatchObject({ Changes: '1' });
    expect(await db.tenant(TENANT.id, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  test('the answer of a hundred failing tenants fits into what CloudFormation takes', async () => {
    const tenants = Array.from({ length: 100 }, (_, i) => ({
      id: `tmany${i}`,
      value: TENANT.value,
      secret: 'no/such/secret',
    }));
    const error = await send('Create', db.desired(tenants, TABLES)).then(
      () => undefined,
      (thrown: Error) => thrown,
    );
    expect(error?.message).toMatch(/^100 failed: tenant tmany\d+, secret: no secret no\/such\/secret/);
    expect(Buffer.byteLength(error?.message ?? '')).toBeLessThan(3000);
  });

  test('deleting a batch of a server that no longer exists is done', async () => {
    const host = process.env.DATABASE_HOST;
    process.env.DATABASE_HOST = 'gone.invalid';
    try {
      expect(await send('Delete', db.desired([TENANT], TABLES))).toEqual({
        PhysicalResourceId: 'superset-tenancy/tenants0',
      });
    } finally {
      process.env.DATABASE_HOST = host;
    }
  });

  test('a certificate that is not from an authority of RDS is refused', async () => {
    const file = process.env.DATABASE_CA_FILE;
    delete process.env.DATABASE_CA_FILE;
    try {
      await expect(send('Update', db.desired([TENANT], TABLES))).rejects.toThrow(/certificate/);
    } finally {
      process.env.DATABASE_CA_FILE = file;
    }
  });
});
