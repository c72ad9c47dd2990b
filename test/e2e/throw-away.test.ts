import { TenantRemovalPolicy } from '../../lib/tenant/tenant';
import { tenantSecretName } from '../../local/deployment';
import { EnvironmentUnderTest, environmentWith, tenant } from './environment-under-test';

jest.setTimeout(180_000);

test('an environment that destroys its data with the stack leaves no database and no secret', async () => {
  const aws = await EnvironmentUnderTest.start();
  try {
    const north = tenant('t_north', 1, { removalPolicy: TenantRemovalPolicy.DESTROY });
    await aws.deploy(environmentWith([north], { destroyDataWithStack: true }));
    expect(await aws.tenant('t_north', 'SELECT 1 AS one')).toEqual([{ one: 1 }]);

    await aws.destroy();

    const databases = await aws.superuser('SELECT datname FROM pg_database WHERE datname = $$analytics$$', 'postgres');
    expect(databases).toEqual([]);
    expect(await aws.account.databaseSecret(tenantSecretName('t_north'))).toBeUndefined();
  } finally {
    await aws.stop();
  }
});
