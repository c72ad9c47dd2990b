import { execFile, execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { DesiredState, LOADER_ROLE, tenantRoleName, tenantSchemaName } from '../../lib/provisioning/desired-state';
import { reconcile } from '../../lib/provisioning/handler/reconcile';
import { TenantDatabase, startTenantServer } from '../provisioning/tenant-server';
import { ATTACKER, TABLES, VICTIM } from './attacked-database';

const SCHEMAS = [
  'analytics',
  'tenancy',
  'tenancy_partitions',
  ...[ATTACKER, VICTIM].map(({ id }) => tenantSchemaName(id)),
];
const MODES = ['anon', 'cross-tenant', 'write', 'escalation', 'reachability'];

/** Findings that we leave as they are, each with the reason. */
const ACKNOWLEDGED: { rule: string; on: RegExp; because: string }[] = [
  {
    rule: 'SEC001',
    on: /^analytics\.notes$/,
    because: 'the pattern of tables with strategy schema: no tenant may read it, and it holds no rows',
  },
  {
    rule: 'SEC001',
    on: /^tenant_\w+\.notes$/,
    because: 'all rows in the schema of a tenant are its own; nobody else enters it',
  },
  {
    rule: 'SEC002',
    on: /^tenancy\.(tenant|desired)$/,
    because: 'tenancy.current_tenant() reads the mapping as its owner, and nobody else has any right on it',
  },
  {
    rule: 'SEC003',
    on: /\.tenancy_isolation$/,
    because:
      'open to all roles on purpose, so that it holds for the owners of views too; it compares with the tenant of the login role, which is NULL for everybody else',
  },
  {
    rule: 'SEC007',
    on: /^analytics\.(orders|events)$/,
    because: 'the provisioner drops every permissive policy that is not its own',
  },
  {
    rule: 'SEC009',
    on: /^tenancy(_partitions)?\.\w+$/,
    because: 'no policy means no rows, which is what a tenant that gets there shall see',
  },
  {
    rule: 'SEC014',
    on: /^tenancy\.current_tenant$/,
    because:
      'it must read what tenants may not; its search_path is fixed, it takes no argument, and answers about the caller only',
  },
  {
    rule: 'PERF003',
    on: /^analytics\.events\.tenancy_isolation$/,
    because: 'within the partition of one tenant the index would select nothing; partitions are pruned',
  },
  ...['SEC005', 'SEC008', 'SEC028', 'SEC038'].map((rule) => ({
    rule,
    on: /\.tenancy_loader$/,
    because: 'the loader writes the rows of all tenants; the policy is for that role alone',
  })),
];

interface Finding {
  readonly rule_id: string;
  readonly location: string;
}

interface Verdicts {
  readonly tables: { table: string; verdict: string; policies: { policy: string; verdict: string }[] }[];
}

describe.each([15, 17] as const)('pgrls, an independent judge, on PostgreSQL %i', (version) => {
  let server: Awaited<ReturnType<typeof startTenantServer>>;
  let db: TenantDatabase;
  let log: jest.SpyInstance;
  let pgrls: string;

  beforeAll(async () => {
    log = jest.spyOn(console, 'log').mockImplementation(() => undefined);
    const script = join(__dirname, '../../scripts/python.mjs');
    pgrls = join(execFileSync(process.execPath, [script], { encoding: 'utf8' }).trim(), '..', 'pgrls');
    server = await startTenantServer(version);
    db = await server.newDatabase();
    const run = (desired: DesiredState) => reconcile(desired, db.environment);
    await run(db.desired([], TABLES, { batch: 'cell' }));
    await db.loader(`
      CREATE TABLE analytics.orders (id bigserial PRIMARY KEY, tenant_id uuid NOT NULL, body text);
      CREATE TABLE analytics.events (tenant_id uuid NOT NULL, body text) PARTITION BY LIST (tenant_id);
      CREATE TABLE analytics.notes (id bigint, body text)`);
    await run(db.desired([ATTACKER, VICTIM], TABLES));
  }, 600_000);
  afterAll(async () => {
    await db?.drop();
    await server?.stop();
    log.mockRestore();
  });

  /** Runs a command of pgrls as the master user; its exit code says whether it is content. */
  async function ask(...args: string[]): Promise<{ code: number; output: string }> {
    const { host, port, caFile, master } = server.postgres;
    const env = {
      PATH: process.env.PATH,
      DATABASE_URL: `postgresql://${host}:${port}/${db.name}?sslmode=verify-full`,
      PGSSLROOTCERT: caFile,
      PGUSER: master.username,
      PGPASSWORD: master.password,
    };
    const command = promisify(execFile)(pgrls, [...args, '--schemas', SCHEMAS.join(',')], { env });
    return command.then(
      ({ stdout }) => ({ code: 0, output: stdout }),
      ({ code, stdout, stderr }) => ({ code, output: stdout || stderr }),
    );
  }
  const verify = async (mode: string, ...options: string[]) =>
    ask('verify', '--mode', mode, '--auth-function', 'tenancy.current_tenant', '--format', 'json', ...options);

  test('finds nothing that we do not acknowledge with a reason, and all that we acknowledge', async () => {
    const { output } = await ask('lint', '--format', 'json');
    const { violations } = JSON.parse(output) as { violations: Finding[] };
    const matches = ({ rule_id, location }: Finding, { rule, on }: (typeof ACKNOWLEDGED)[number]) =>
      rule === rule_id && on.test(location);
    expect(violations.filter((finding) => !ACKNOWLEDGED.some((one) => matches(finding, one)))).toEqual([]);
    expect(ACKNOWLEDGED.filter((one) => !violations.some((finding) => matches(finding, one)))).toEqual([]);
  });

  test.each(MODES)('proves the isolation policy of every table in mode %s, and no leak', async (mode) => {
    const { code, output } = await verify(mode);
    expect(code).toBe(0);
    const { tables = [] } = JSON.parse(output) as Partial<Verdicts>;
    const verdicts = tables.flatMap(({ policies }) => policies).filter(({ policy }) => policy === 'tenancy_isolation');
    expect(verdicts.map(({ verdict }) => verdict)).toEqual(verdicts.map(() => 'isolated'));
    if (!['escalation', 'reachability'].includes(mode)) expect(verdicts).toHaveLength(2);
  });

  test('matrix: who may do what', async () => {
    const roles = [
      'PUBLIC',
      server.postgres.master.username,
      LOADER_ROLE,
      ...[ATTACKER, VICTIM].map(({ id }) => tenantRoleName(id)),
    ];
    const { output } = await ask('matrix', '--format', 'text', '--roles', roles.join(','));
    expect(output).toMatchSnapshot();
  });

  test('leaves no table unproved once the loader, which may read all, is out of the question', async () => {
    await db.loader('DROP POLICY tenancy_loader ON analytics.orders; DROP POLICY tenancy_loader ON analytics.events');
    for (const mode of MODES) {
      expect(await verify(mode, '--strict')).toMatchObject({ code: 0 });
    }
  });

  test('sees a policy that lets a tenant read what is not its own', async () => {
    await db.loader('CREATE POLICY hole ON analytics.orders USING (true)');
    const { code, output } = await verify('cross-tenant', '--strict');
    expect({ code, output }).toMatchObject({ code: 1, output: expect.stringContaining('hole') });
  });
});
