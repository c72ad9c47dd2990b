import { DBInstance, DescribeDBInstancesCommand, RDSClient } from '@aws-sdk/client-rds';
import { Environment, InstancePreset, TenancyModel } from '../../lib/environment/environment';
import { Tenant } from '../../lib/tenant/tenant';
import { EnvironmentUnderTest, environmentWith, tenant } from './environment-under-test';

// The life of an environment in each model, with a fault at every turn. The emulator has a resource fail once, so that the same command
// is what repeats a deployment. No Superset runs. Each test goes on where the one before it ended.

jest.setTimeout(300_000);

interface Life {
  readonly model: TenancyModel;
  readonly shardCount: number;
  readonly environment: (tenants: Tenant[], connectionsPerProcess?: number) => Environment;
  /** Where a first deployment fails. */
  readonly first: RegExp[];
  /** Where a deployment fails that adds a tenant, and changes what all have. */
  readonly update: RegExp[];
}

const [north, south, east] = ['t_north', 't_south', 't_east'].map((id, index) => tenant(id, index + 1));

/** The parts of an environment that all models have. */
function common(tenants: Tenant[], connectionsPerProcess = 5) {
  const { superset, data, ...environment } = environmentWith(tenants);
  return { ...environment, data, superset: { ...superset, connectionsPerProcess } };
}

const MODELS: Life[] = [
  {
    model: TenancyModel.SHARED_RLS,
    shardCount: 1,
    environment: common,
    first: [
      /Secret\/MetadataWebLogin/,
      /DBInstance\/Metadata/,
      /Custom::SupersetTenantDatabases\/TenancyShared/,
      /Secret\/tsouthSecret/, // in a nested stack
      /Custom::SupersetMigration/,
      /ECS::Service\/.*Worker/,
      /Listener\//,
      /Alarm\/.*web/,
    ],
    update: [/Secret\/teast/, /Custom::SupersetTenantDatabases\/Database/, /ECS::Service\/.*Beat/],
  },
  {
    model: TenancyModel.DATABASE_PER_TENANT,
    shardCount: 2,
    environment: (tenants, connectionsPerProcess) => ({
      ...common(
        tenants.map((each, index) => ({ ...each, shard: index === 0 ? 'a' : 'b' })),
        connectionsPerProcess,
      ),
      model: TenancyModel.DATABASE_PER_TENANT,
      database: { instanceClass: 't4g.medium' },
      shards: [{ name: 'a' }, { name: 'b' }],
    }),
    first: [/DBInstance\/Shardb/, /DBProxy\//, /DBProxyTargetGroup\/.*b/, /Custom::SupersetProxyReadiness/],
    update: [/Secret\/teast/, /ECS::Service\/.*Web/],
  },
  {
    model: TenancyModel.INSTANCE_PER_TENANT,
    shardCount: 1,
    environment: (tenants, connectionsPerProcess) => ({
      ...common(tenants, connectionsPerProcess),
      model: TenancyModel.INSTANCE_PER_TENANT,
      instances: { preset: InstancePreset.ECONOMY },
    }),
    // The CLI goes on with the stacks of other tenants when one fails: each of them can be made to fail once.
    first: [/cell1\/AWS::RDS::DBInstance/, /cell1\/.*Listener\//, /t-north\/Custom::SupersetOwnDatabases/],
    update: [/t-north\/.*Service\/.*Worker/],
  },
];

describe.each(MODELS)('$model', ({ shardCount, environment, first, update }) => {
  let aws: EnvironmentUnderTest;

  beforeAll(async () => {
    aws = await EnvironmentUnderTest.start({ shardCount });
  });

  afterAll(() => aws?.stop());

  /** Deploys with one resource that is to fail, and no other may. */
  async function expectToFailAt(fault: RegExp, desired: Environment): Promise<void> {
    aws.cloud.emulator.failOnce(fault);
    const failures = await aws.failuresOf(desired);

    expect(failures).not.toEqual([]);
    expect(failures.filter((failed) => !/The test has \w+ fail|cancelled/.test(failed))).toEqual([]);
    expect(aws.cloud.emulator.pendingFaults()).toEqual([]);
  }

  async function expectToLogIn(...tenants: Tenant[]): Promise<void> {
    for (const { id } of tenants) {
      expect(await aws.tenant(id, 'SELECT session_user::text AS who')).toEqual([{ who: `tenant_${id}` }]);
    }
  }

  async function servers(): Promise<DBInstance[]> {
    const { DBInstances } = await new RDSClient(aws.cloud.emulator.sdk).send(new DescribeDBInstancesCommand({}));
    return DBInstances ?? [];
  }

  async function expectProtection(): Promise<void> {
    const unprotected = (await servers()).filter(({ DeletionProtection }) => !DeletionProtection);
    expect(unprotected.map(({ DBInstanceIdentifier }) => DBInstanceIdentifier)).toEqual([]);
    await expect(aws.cdkDestroy()).rejects.toThrow(/TerminationProtection/);
  }

  test.each(first)('a first deployment fails at %s, and nothing else', async (fault) => {
    await expectToFailAt(fault, environment([north, south]));
  });

  test('the same command then ends with tenants that log in, and with all protected', async () => {
    await aws.deploy(environment([north, south]));

    await expectToLogIn(north, south);
    expect(await servers()).not.toEqual([]);
    await expectProtection();
  });

  test.each(update)('an update fails at %s, and the tenants work as before', async (fault) => {
    await expectToFailAt(fault, environment([north, south, east], 4));

    await expectToLogIn(north, south);
    await expectProtection();
  });

  test('the same command then ends with a third tenant, and all is still protected', async () => {
    await aws.deploy(environment([north, south, east], 4));

    await expectToLogIn(north, south, east);
    await expectProtection();
  });

  test('what was made to go with its stack leaves nothing behind, and can be made again under the same names', async () => {
    const passing = { ...environment([north, south, east], 4), destroyDataWithStack: true };
    await aws.deploy(passing);
    await aws.cdkDestroy();
    expect(await servers()).toEqual([]);
    expect(await aws.account.statuses()).toEqual({});

    await aws.deploy(environment([north, south]));
    await expectToLogIn(north, south);
    await expectProtection();
  });

  test('cdk destroy, once termination protection is off, leaves the data and their servers protected, whose names stay taken', async () => {
    const before = (await servers()).length;
    await aws.destroy();
    expect(await aws.account.statuses()).toEqual({});

    const kept = await servers();
    expect(kept).toHaveLength(before);
    expect(kept.every(({ DeletionProtection }) => DeletionProtection)).toBe(true);
    expect((await aws.failuresOf(environment([north, south]))).join()).toMatch(/already exists/);
    expect(await servers()).toEqual(kept);
  });
});
