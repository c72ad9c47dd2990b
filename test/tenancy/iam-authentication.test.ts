import { readFileSync } from 'node:fs';
import { Stack } from 'aws-cdk-lib';
import { Annotations, Match } from 'aws-cdk-lib/assertions';
import { ProxyAuthentication } from '../../lib/database/proxy-authentication';
import { Environment } from '../../lib/environment/environment';
import { environmentProblems } from '../../lib/environment/environment-rules';
import { Tenant } from '../../lib/tenant/tenant';
import { databaseExample, tenants, userApp } from './environments';
import { Resource, Templates, newStack, resourcesOf, synthesise } from './templates';

const only = (resources: Record<string, Resource>) => Object.values(resources);

const withIam = (overrides: Partial<Environment> = {}) =>
  databaseExample({ proxy: { authentication: ProxyAuthentication.IAM }, ...overrides });

/** Who may log in where: `<role> <resource>`, of all statements on `rds-db:connect`. */
function logins(made: Templates): string[] {
  return only(resourcesOf(made, /^AWS::IAM::Policy$/)).flatMap(({ Properties }) =>
    (Properties.PolicyDocument.Statement as { Action: unknown; Effect: string; Resource: unknown }[])
      .filter(({ Action }) => [Action].flat().includes('rds-db:connect'))
      .flatMap(({ Effect, Resource: resource }) =>
        [resource].flat().map((each) => `${Effect} ${Properties.Roles[0].Ref} ${JSON.stringify(each)}`),
      ),
  );
}

describe('an environment whose tenants log in with tokens of IAM', () => {
  let made: Templates;
  beforeAll(() => {
    made = synthesise(withIam());
  });

  test('has proxies that authenticate by IAM to both sides, over TLS, and know no secret', () => {
    const proxies = only(resourcesOf(made, /^AWS::RDS::DBProxy$/)).map(({ Properties }) => Properties);

    expect(proxies).toHaveLength(2);
    for (const proxy of proxies) {
      expect(proxy).toMatchObject({ DefaultAuthScheme: 'IAM_AUTH', RequireTLS: true });
      expect(proxy).not.toHaveProperty('Auth');
    }
    expect(only(resourcesOf(made, /^AWS::RDS::DBInstance$/)).map((each) => each.Properties)).toEqual(
      Array(3).fill(expect.objectContaining({ EnableIAMDatabaseAuthentication: true })),
    );
  });

  test('lets the proxy and the provisioner log in to a server, and Superset to a proxy, as tenants and as nobody else', () => {
    const all = logins(made);

    expect(all.map((each) => each.replace(/(Role|Handler).*?[0-9A-F]{8}/, '$1').replace(/[0-9A-F]{8}/g, ''))).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^Allow TenancyProxyaRole .*ShardaServerInstance.*DbiResourceId.*tenant_\*/),
        expect.stringMatching(/^Allow TenancyProxybRole .*ShardbServerInstance.*DbiResourceId.*tenant_\*/),
        expect.stringMatching(/^Allow TenancyProvisionerHandler.* .*ShardaServerInstance.*DbiResourceId.*tenant_\*/),
        expect.stringMatching(/^Allow TenancyProvisionerHandler.* .*ShardbServerInstance.*DbiResourceId.*tenant_\*/),
        expect.stringMatching(
          /^Allow TenancySupersetTaskRole .*Fn::Select.*6.*TenancyProxyaProxy.*DBProxyArn.*tenant_\*/,
        ),
        expect.stringMatching(
          /^Allow TenancySupersetTaskRole .*Fn::Select.*6.*TenancyProxybProxy.*DBProxyArn.*tenant_\*/,
        ),
      ]),
    );
    expect(all).toHaveLength(6);
  });

  test('has no secret of a tenant but those of its ETL and of its first administrator', () => {
    const names = only(resourcesOf(made, /^AWS::SecretsManager::Secret$/)).map(({ Properties }) => Properties.Name);
    const all = JSON.stringify([made.parent, ...made.nested.values()]);

    expect(names.filter(Boolean).sort()).toEqual(
      ['tk4q9w', 'tq7b3x', 'tz81mm'].flatMap((id) => [
        `superset/tenant/${id}/admin_login`,
        `superset/tenant/${id}/loader_credentials`,
      ]),
    );
    const readers = only(resourcesOf(made, /^AWS::IAM::Policy$/))
      .filter(({ Properties }) => JSON.stringify(Properties).includes('/db_credentials'))
      .map(({ Properties }) => Properties.Roles[0].Ref);
    expect(readers).toEqual([expect.stringMatching(/^TenancyProvisioner/)]);
    expect(all).not.toContain('TenantSecretNames');
    expect(all).not.toContain('SUPERSET_TENANT_SECRET');
  });

  test('tells Superset the proxies by their names, and the name of the proxy of each tenant', () => {
    const [container] = only(resourcesOf(made, /^AWS::ECS::TaskDefinition$/)).flatMap(
      ({ Properties }) => Properties.ContainerDefinitions,
    );
    const [variable] = container.Environment.filter(({ Name }: { Name: string }) => Name === 'SUPERSET_TOKEN_PROXIES');
    const names = only(resourcesOf(made, /^AWS::RDS::DBProxy$/)).map(({ Properties }) => Properties.DBProxyName);
    const stack = newStack(userApp(), withIam());
    const state = desiredStateOf(stack);

    for (const name of names) expect(JSON.stringify(variable.Value)).toContain(`\\"${name}\\":\\"`);
    expect(state.tenants.map(({ id, proxy }) => [id, proxy])).toEqual([
      ['tk4q9w', names.find((name) => name.includes('-b-') || /proxy-?b/.test(name))],
      ['tq7b3x', names.find((name) => name.includes('-a-') || /proxy-?a/.test(name))],
      ['tz81mm', names.find((name) => name.includes('-a-') || /proxy-?a/.test(name))],
    ]);
  });

  test('asks for databases of tenants without a secret', () => {
    const states = only(resourcesOf(made, /^Custom::SupersetOwnDatabases$/)).map(({ Properties }) => Properties.State);
    const asked = states.flatMap((state) => state.tenants);

    expect(asked).toHaveLength(3);
    for (const tenant of asked) {
      expect(tenant).not.toHaveProperty('secret');
      expect(tenant).toHaveProperty('loaderSecret');
    }
  });
});

interface State {
  readonly tenants: { readonly id: string; readonly proxy?: string }[];
}

function desiredStateOf(stack: Stack): State {
  const asset = stack.node.findAll().find(({ node }) => node.path.endsWith('DesiredState/Asset')) as unknown as {
    assetPath: string;
  };
  const assembly = (stack.node.root as unknown as { outdir: string }).outdir;
  return JSON.parse(readFileSync(`${assembly}/${asset.assetPath}/desired-state.json`, 'utf8')) as State;
}

const large = (proxy: Environment['proxy'], count: number) =>
  databaseExample({
    shards: undefined,
    defaultShards: undefined,
    database: { instanceClass: 'm7g.2xlarge' },
    superset: { version: '6.1.0' },
    tenants: tenants(count),
    proxy,
  });

test('two hundred and fifty tenants of one server are too many for secrets, and are told of tokens', () => {
  expect(() => synthesise(large(undefined, 250))).toThrow(
    /250 secrets of one RDS Proxy; the limit is 200.*proxy\.authentication: iam.*\[PROXY_SECRETS_TOO_MANY\]/,
  );
});

test('two hundred and fifty tenants of one server log in with tokens', () => {
  const made = synthesise(large({ authentication: ProxyAuthentication.IAM }, 250));

  expect(only(resourcesOf(made, /^AWS::RDS::DBProxy$/))).toHaveLength(1);
  expect(logins(made)).toHaveLength(3);
  expect(
    only(resourcesOf(made, /^Custom::SupersetOwnDatabases$/)).flatMap(({ Properties }) => Properties.State.tenants),
  ).toHaveLength(250);
}, 60_000);

describe('a tenant with a key of its own', () => {
  const problems = (tenant: Partial<Tenant>, shards: Environment['shards'], proxy: Environment['proxy']) =>
    environmentProblems(
      withIam({ proxy, shards, defaultShards: undefined, tenants: tenants(1, { ownKey: true, ...tenant }) }),
    ).map(({ path, code, remedy }) => [path.join('.'), code, remedy]);
  const iam = { authentication: ProxyAuthentication.IAM };
  const refused = [
    [
      'tenants.0.ownKey',
      'OWN_KEY_CUTS_NOBODY_OFF',
      'give it a shard of its own (onlyFor: t00000), whose storage is under the key; or set proxy.authentication to secrets',
    ],
  ];

  test('is refused on a server that others use, where the key could not cut it off', () => {
    expect(problems({}, [{ name: 'a' }], iam)).toEqual(refused);
    expect(problems({}, undefined, iam)).toEqual(refused);
    expect(problems({ shard: 'a' }, [{ name: 'a' }, { name: 'b', onlyFor: 't00000' }], iam)).toEqual(refused);
  });

  test('is taken on a server of its own, and with a secret', () => {
    expect(problems({}, [{ name: 'a' }, { name: 'b', onlyFor: 't00000' }], iam)).toEqual([]);
    expect(problems({ shard: 'b' }, [{ name: 'a' }, { name: 'b', onlyFor: 't00000' }], iam)).toEqual([]);
    expect(problems({}, [{ name: 'a' }], { authentication: ProxyAuthentication.SECRETS })).toEqual([]);
    expect(problems({}, [{ name: 'a' }], undefined)).toEqual([]);
  });

  test('is refused by the construct, too', () => {
    const environment = withIam({ shards: [{ name: 'a' }], tenants: tenants(1, { ownKey: true }) });

    expect(() => synthesise(environment)).toThrow(/OWN_KEY_CUTS_NOBODY_OFF/);
  });
});

test('a policy of a proxy with secrets lets nobody log in with a token', () => {
  const made = synthesise(databaseExample());
  const stack = newStack(userApp(), databaseExample());

  expect(logins(made)).toEqual([]);
  expect(only(resourcesOf(made, /^AWS::RDS::DBProxy$/)).map(({ Properties }) => Properties.DefaultAuthScheme)).toEqual([
    'NONE',
    'NONE',
  ]);
  const [proxy] = (stack as unknown as { tenancy: { proxies: { grantTenantLogin: (...given: unknown[]) => void }[] } })
    .tenancy.proxies;
  expect(() => proxy.grantTenantLogin(stack, undefined)).toThrow(/PROXY_WITHOUT_IAM/);
  Annotations.fromStack(stack).hasNoError('*', Match.anyValue());
});
