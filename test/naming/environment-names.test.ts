import { App, NestedStack, Stack, Stage, Tags } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Construct } from 'constructs';
import { EnvironmentNames } from '../../lib/naming/environment-names';
import { TenantKey } from '../../lib/tenant/tenant-key';
import { TenantSecret } from '../../lib/tenant/tenant-secret';
import { tenants } from '../tenancy/environments';

const [TENANT, OTHER] = tenants(2);
const env = { account: '123456789012', region: 'eu-central-1' };
const login = { host: 'db.example.com', port: '5432', database: 'analytics' };

function newSecret(scope: Construct, id = 'Secret', tenant = TENANT): TenantSecret {
  return new TenantSecret(scope, id, { tenant, ...login });
}

function propertiesOf(stack: Stack): Record<string, unknown>[] {
  return Object.values(Template.fromStack(stack).findResources('AWS::SecretsManager::Secret')).map(
    ({ Properties }) => Properties as Record<string, unknown>,
  );
}

test('without anything, a secret is of the environment of its stack, and has no prefix', () => {
  const stack = new Stack(new Stage(new App(), 'Stage'), 'Id', { stackName: 'prod' });
  newSecret(new NestedStack(stack, 'Tenants'));

  const { environment, secretNamePrefix } = EnvironmentNames.of(stack.node.findChild('Tenants'));
  expect([environment, secretNamePrefix]).toEqual(['prod', undefined]);
});

test('two environments of one stack are two', () => {
  const stack = new Stack(new App(), 'Prod');
  const names = ['Blue', 'Green'].map((id) => EnvironmentNames.define(new Construct(stack, id)).environment);

  expect(names).toEqual(['Prod/Blue', 'Prod/Green']);
});

test('the prefix is given once, for secrets and aliases', () => {
  const stack = new Stack(new App(), 'Dev');
  EnvironmentNames.define(stack, { secretNamePrefix: 'dev/eu' });
  const inner = new Construct(stack, 'Tenancy');
  EnvironmentNames.define(inner);
  newSecret(inner);
  new TenantKey(inner, 'Key', { tenant: TENANT });

  expect(propertiesOf(stack)).toEqual([
    expect.objectContaining({
      Name: `dev/eu/superset/tenant/${TENANT.id}/db_credentials`,
      Tags: [{ Key: 'superset:environment', Value: 'Dev/Tenancy' }],
    }),
  ]);
  Template.fromStack(stack).hasResourceProperties('AWS::KMS::Alias', {
    AliasName: `alias/dev/eu/superset/tenant/${TENANT.id}`,
  });
});

test('tags of the app do not change the environment of a secret', () => {
  const app = new App();
  const stack = new Stack(app, 'Prod');
  newSecret(stack);
  Tags.of(app).add('superset:environment', 'Dev', { priority: 500 });

  expect(propertiesOf(stack)[0].Tags).toEqual([{ Key: 'superset:environment', Value: 'Prod' }]);
});

test('ids that no tag takes are hashed, and still two', () => {
  const stack = new Stack(new App(), 'Prod');
  const names = ['a*b', 'a?b', 'x'.repeat(300)].map(
    (id) => EnvironmentNames.define(new Construct(stack, id)).environment,
  );

  expect(new Set(names).size).toBe(3);
  for (const name of names) expect(name).toMatch(/^Prod\/[0-9a-f]{64}$/);
});

test.each(['', '/dev', 'dev/', 'dev//eu', 'dev*', 'd.e', 'ä', 'dev eu', 'aws', 'aws/dev', '{tenant}', 'x'.repeat(65)])(
  'refuses the prefix %j, which Secrets Manager or KMS does not take',
  (secretNamePrefix) => {
    const stack = new Stack(new App(), 'Prod');
    expect(() => EnvironmentNames.define(stack, { secretNamePrefix })).toThrow(
      `Prod: secretNamePrefix is '${secretNamePrefix}'; it must be 1 to 64 letters`,
    );
  },
);

test.each(['dev', 'Dev_1', 'team-a/dev', 'awsome', 'x'.repeat(64)])('takes the prefix %j', (secretNamePrefix) => {
  const stack = new Stack(new App(), 'Prod');
  expect(EnvironmentNames.define(stack, { secretNamePrefix }).secretNamePrefix).toBe(secretNamePrefix);
});

describe('one name twice', () => {
  test('in one account and region is an error that names both constructs and the prefix', () => {
    const app = new App();
    newSecret(new Stack(app, 'Prod', { env }));

    expect(() => newSecret(new Stack(new Stage(app, 'Stage'), 'Dev', { env }))).toThrow(
      `Stage/Dev/Secret/Secret: the secret 'superset/tenant/${TENANT.id}/db_credentials' is that of Prod/Secret/Secret, too, in the same account and region. Give one of the two environments a secretNamePrefix`,
    );
  });

  test('of the alias of a key, likewise', () => {
    const app = new App();
    new TenantKey(new Stack(app, 'Prod', { env }), 'Key', { tenant: TENANT });

    expect(() => new TenantKey(new Stack(app, 'Dev', { env }), 'Key', { tenant: TENANT })).toThrow(
      `Dev/Key: the alias of a key 'alias/superset/tenant/${TENANT.id}' is that of Prod/Key, too`,
    );
  });

  test.each<[string, { account: string; region: string }, string | undefined]>([
    ['another region', { ...env, region: 'eu-west-1' }, undefined],
    ['another account', { ...env, account: '210987654321' }, undefined],
    ['another prefix', env, 'dev'],
  ])('is none in %s', (_, otherEnv, secretNamePrefix) => {
    const app = new App();
    newSecret(new Stack(app, 'Prod', { env }));
    const other = new Stack(app, 'Dev', { env: otherEnv });
    EnvironmentNames.define(other, { secretNamePrefix });

    expect(() => newSecret(other)).not.toThrow();
  });

  test('is none for another tenant', () => {
    const app = new App();
    newSecret(new Stack(app, 'Prod', { env }));

    expect(() => newSecret(new Stack(app, 'Dev', { env }), 'Secret', OTHER)).not.toThrow();
  });
});
