import { EnvironmentUnderTest, environmentWith, tenant } from './environment-under-test';

jest.setTimeout(600_000);

test('a hundred tenants come with one deployment, each with a login of its own', async () => {
  const tenants = Array.from({ length: 100 }, (_, i) => tenant(`t_${String(i).padStart(3, '0')}`, i + 1));
  const aws = await EnvironmentUnderTest.start();
  try {
    await aws.deploy(environmentWith(tenants, { database: { instanceClass: 'm7g.xlarge' } }));

    const seen = await Promise.all(
      tenants.map(async ({ id }) => {
        const [{ value }] = await aws.tenant<{ value: string }>(id, 'SELECT tenancy.current_tenant()::text AS value');
        return value;
      }),
    );
    expect(seen).toEqual(tenants.map(({ value }) => value));
  } finally {
    await aws.stop();
  }
});
