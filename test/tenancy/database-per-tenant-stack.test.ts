import { App, Aspects, Duration, Stack } from 'aws-cdk-lib';
import { Annotations, Match } from 'aws-cdk-lib/assertions';
import * as acm from 'aws-cdk-lib/aws-certificatemanager';
import * as rds from 'aws-cdk-lib/aws-rds';
import { TenantDatabaseServer } from '../../lib/database/tenant-database-server';
import { Environment, TenancyModel } from '../../lib/environment/environment';
import { TenancyNetwork } from '../../lib/network/tenancy-network';
import { SupersetImage } from '../../lib/superset/superset-image';
import { DatabasePerTenancy, DatabasePerTenancyProps } from '../../lib/tenancy/database-per-tenancy';
import { Tenant, TenantRemovalPolicy } from '../../lib/tenant/tenant';
import { allowedTo, readersOf } from '../allowed-to';
import { databaseExample, example, tenants } from './environments';
import { Resource, Templates, newStack, resourcesOf, synthesise } from './templates';

const only = (resources: Record<string, Resource>) => Object.values(resources);

describe('the example', () => {
  let made: Templates;
  beforeAll(() => {
    made = synthesise(databaseExample());
  });

  test('the template, but for the hashes of assets', () => {
    const all = JSON.stringify(Object.fromEntries([['parent', made.parent] as const, ...made.nested]));

    expect(JSON.parse(all.replaceAll(/[0-9a-f]{64}/g, '<asset>'))).toMatchSnapshot();
  });

  test('what holds data has the logical ids that it was deployed with, and outlives the stack', () => {
    const holdsData = /^AWS::(RDS::DBInstance|SecretsManager::Secret|KMS::Key)$/;
    const resources = resourcesOf(made, holdsData);

    expect(
      Object.entries(resources)
        .map(([id, { Type }]) => `${Type} ${id}`)
        .sort(),
    ).toMatchSnapshot();
    const lost = Object.entries(resources)
      .filter(([, { DeletionPolicy }]) => !/^Retain/.test(DeletionPolicy ?? ''))
      // Logins can be made again, and their names must then be free.
      .filter(([, { Properties }]) => !String(Properties.Name).startsWith('superset/tenant/'));
    expect(lost.map(([id]) => id)).toEqual([expect.stringMatching(/^CacheAuthSecret/)]);
  });

  test('each shard is a server and a proxy that takes TLS and the logins of its tenants only', () => {
    const proxies = only(resourcesOf(made, /^AWS::RDS::DBProxy$/)).map(({ Properties }) => Properties);

    expect(only(resourcesOf(made, /^AWS::RDS::DBInstance$/))).toHaveLength(3);
    expect(proxies).toHaveLength(2);
    for (const proxy of proxies) {
      expect(proxy).toMatchObject({ EngineFamily: 'POSTGRESQL', RequireTLS: true, DebugLogging: false });
      for (const auth of proxy.Auth) {
        expect(auth).toEqual({
          AuthScheme: 'SECRETS',
          IAMAuth: 'DISABLED',
          ClientPasswordAuthType: 'POSTGRES_SCRAM_SHA_256',
          SecretArn: { 'Fn::GetAtt': [expect.stringMatching(/Tenants/), expect.stringMatching(/^Outputs\./)] },
        });
      }
    }
    expect(proxies.map(({ Auth }) => Auth.length)).toEqual([2, 1]);
    for (const { Properties } of only(resourcesOf(made, /^AWS::RDS::DBProxyTargetGroup$/))) {
      expect(Properties.ConnectionPoolConfigurationInfo).toEqual({
        MaxConnectionsPercent: 80,
        MaxIdleConnectionsPercent: 40,
        ConnectionBorrowTimeout: 30,
      });
    }
  });

  test('only the proxy and the provisioner reach a server, and only Superset reaches a proxy', () => {
    const rules = only(resourcesOf(made, /^AWS::EC2::SecurityGroupIngress$/)).map(({ Properties }) => ({
      to: Properties.GroupId['Fn::GetAtt'][0].replace(/SecurityGroup.*/, ''),
      what: Properties.Description,
    }));
    const of = (name: string) => rules.filter(({ to }) => to === name).map(({ what }) => what);

    expect(of('ShardaServer').sort()).toEqual(['Database provisioner', 'RDS Proxy']);
    expect(of('TenancyProxya')).toEqual(['Superset, as one of the tenants']);
  });

  test('Superset is told which proxy stands before which server, and whose queue is its own', () => {
    const web = only(resourcesOf(made, /^AWS::ECS::TaskDefinition$/)).flatMap(
      ({ Properties }) => Properties.ContainerDefinitions,
    );
    const environment = Object.fromEntries(
      web
        .find(({ Name }) => Name === 'web')
        .Environment.map(({ Name, Value }: { Name: string; Value: unknown }) => [Name, Value]),
    );
    const text = (environment.SUPERSET_DATABASE_PROXIES['Fn::Join'][1] as unknown[])
      .map((part) => (typeof part === 'string' ? part : 'x'))
      .join('');

    expect(Object.keys(JSON.parse(text.replaceAll('"x', () => `"${Math.random()}`)))).toHaveLength(2);
    expect(environment).toMatchObject({ SUPERSET_OWN_QUEUES: 'tk4q9w' });
    expect(web.find(({ Name }) => Name === 'worker-tk4q9w').Command).toContain('--queues=tenant_tk4q9w');
    expect(web.find(({ Name }) => Name === 'worker').Command.join(' ')).not.toContain('--queues');
  });

  test('the database of a tenant is made on its shard, with its limits', () => {
    const states = only(resourcesOf(made, /^Custom::SupersetOwnDatabases$/)).map(({ Properties }) => Properties.State);
    const placed = Object.fromEntries(
      states.flatMap(({ tenants: some }) => some).map(({ id, server }: { id: string; server: string }) => [id, server]),
    );

    expect(placed).toEqual({ tk4q9w: 'b', tz81mm: 'a', tq7b3x: 'a' });
    for (const { servers } of states) {
      expect(servers.map(({ name }: { name: string }) => name)).toEqual(['a', 'b']);
    }
    expect(states.flatMap(({ tenants: some }) => some).find(({ id }: { id: string }) => id === 'tz81mm')).toMatchObject(
      {
        connections: '5',
        statementTimeoutSeconds: '45',
        tempFileMiB: '512',
      },
    );
  });

  test("services read the tenants' logins to data, the migration the owner's of the metadata and the first ones of administrators", () => {
    const readBy = (role: string) => allowedTo(made.parent, role)['secretsmanager:GetSecretValue'];
    const named = (name: string) => expect.stringMatching(`:secret:superset/tenant/\\*/${name}-`);
    const web = { Ref: expect.stringMatching(/^MetadataWebLogin/) };
    const owner = { 'Fn::GetAtt': [expect.stringMatching(/^MetadataServerInstance/), 'MasterUserSecret.SecretArn'] };

    expect(readBy('SupersetTaskRole')).toEqual([web, named('db_credentials')]);
    expect(readBy('SupersetMigrationRole')).toEqual([owner, web, named('admin_login')]);
  });

  test('the logins to the metadata are read by the migration, and that of the services by them; by no other role', () => {
    const migration = expect.stringMatching(/SupersetMigrationRole/);

    expect(readersOf(made.parent, 'MetadataServerInstance')).toEqual([migration]);
    expect(readersOf(made.parent, 'MetadataWebLogin')).toEqual([migration, expect.stringMatching(/SupersetTaskRole/)]);
    for (const template of made.nested.values()) {
      expect(JSON.stringify(template)).not.toMatch(/MetadataServerInstance|MetadataWebLogin/);
    }
  });

  test("a tenant's own key is over its secrets and its server, and over nothing of another's", () => {
    const ownKeys = Object.entries(resourcesOf(made, /^AWS::KMS::Key$/)).filter(([, { Properties }]) =>
      Properties.Description.includes('tk4q9w'),
    );
    const server = Object.entries(resourcesOf(made, /^AWS::RDS::DBInstance$/)).find(([id]) => /^Shardb/.test(id))![1];

    expect(ownKeys).toHaveLength(1);
    expect(server.Properties.KmsKeyId['Fn::GetAtt'][0]).toBe(ownKeys[0][0]);
    const keysOf = (name: string) =>
      only(resourcesOf(made, /^AWS::SecretsManager::Secret$/))
        .filter(({ Properties }) => String(Properties.Name).includes(name))
        .map(({ Properties }) => JSON.stringify(Properties.KmsKeyId));
    expect(new Set(keysOf('tk4q9w')).size).toBe(1);
    expect(keysOf('tz81mm')).not.toContain(keysOf('tk4q9w')[0]);
  });

  test('Superset waits until the proxies serve, whose logins wait for the databases', () => {
    const [migration] = only(resourcesOf(made, /^Custom::SupersetMigration$/));
    const [[readinessId, readiness]] = Object.entries(resourcesOf(made, /^Custom::SupersetProxyReadiness$/));
    const targets = Object.keys(resourcesOf(made, /^AWS::RDS::DBProxyTargetGroup$/));

    expect(migration.DependsOn).toContain(readinessId);
    expect(targets).toHaveLength(2);
    expect(readiness.DependsOn).toEqual(expect.arrayContaining(targets));
    expect(readiness.Properties.Proxies.map(({ Instance }: { Instance: { Ref: string } }) => Instance.Ref)).toEqual([
      expect.stringMatching(/^Sharda/),
      expect.stringMatching(/^Shardb/),
    ]);
  });

  test('the function asks for these proxies only, with a permission that is there before it is called', () => {
    const [policyId, policy] = Object.entries(resourcesOf(made, /^AWS::IAM::Policy$/)).find(([, { Properties }]) =>
      JSON.stringify(Properties).includes('rds:DescribeDBProxyTargets'),
    )!;
    const [readiness] = only(resourcesOf(made, /^Custom::SupersetProxyReadiness$/));
    const resources = policy.Properties.PolicyDocument.Statement[0].Resource as { 'Fn::GetAtt': [string, string] }[];

    expect(resources.map((resource) => resource['Fn::GetAtt'][1]).sort()).toEqual([
      'DBProxyArn',
      'DBProxyArn',
      'TargetGroupArn',
      'TargetGroupArn',
    ]);
    expect(readiness.DependsOn).toContain(policyId);
  });

  test('snapshots come before the stacks of tenants change, and before they go', () => {
    const snapshots = Object.entries(resourcesOf(made, /^Custom::SupersetSnapshotBeforeDestroy$/));
    const on = (when: string) => snapshots.find(([, { Properties }]) => Properties.On === when)!;
    const stacks = Object.entries(resourcesOf(made, /^AWS::CloudFormation::Stack$/));

    expect(stacks.length).toBeGreaterThan(1);
    for (const [stackId, stack] of stacks) {
      expect(stack.DependsOn).toContain(on('Update')[0]);
      // What depends on another is deleted before it.
      expect(on('Delete')[1].DependsOn).toContain(stackId);
    }
    for (const [, { Properties }] of snapshots) {
      expect(Properties).toMatchObject({
        KeepsNothing: 'false',
        Instances: { a: { Ref: expect.stringMatching(/^Sharda/) }, b: { Ref: expect.stringMatching(/^Shardb/) } },
        Tenants: {
          tk4q9w: { Shard: 'b', RemovalPolicy: 'retain' },
          tz81mm: { Shard: 'a', RemovalPolicy: 'retain' },
          tq7b3x: { Shard: 'a', RemovalPolicy: 'retain' },
        },
      });
    }
  });

  test('they may be made of these servers only, and by names that begin with that of the tenancy', () => {
    const statements = only(resourcesOf(made, /^AWS::IAM::Policy$/)).flatMap(
      ({ Properties }) => Properties.PolicyDocument.Statement as { Action: string | string[]; Resource: object[] }[],
    );
    const [create] = statements.filter(({ Action }) => Action === 'rds:CreateDBSnapshot');
    const [snapshot] = only(resourcesOf(made, /^Custom::SupersetSnapshotBeforeDestroy$/));
    const prefix = snapshot.Properties.NamePrefix;

    expect(prefix).toMatch(/^demo-tenancy-[0-9a-z]{1,50}$/);
    expect(create.Resource.map((resource) => JSON.stringify(resource))).toEqual([
      expect.stringContaining(`:snapshot-tenant-database:${prefix}-*"`),
      expect.stringContaining(`:snapshot:${prefix}-*"`),
      expect.stringMatching(/:db:".*Sharda/),
      expect.stringMatching(/:db:".*Shardb/),
    ]);
    expect(JSON.stringify(statements)).not.toContain('rds:DeleteDBSnapshot');
  });

  test('every part has alarms', () => {
    const names = only(resourcesOf(made, /^AWS::CloudWatch::Alarm$/)).map(({ Properties }) => Properties.AlarmName);

    for (const part of ['shard-a-connections', 'proxy-b-pinned', 'proxy-a-waiting', 'worker-tk4q9w-down']) {
      expect(names).toContainEqual(expect.stringContaining(part));
    }
  });

  test('the budget is an output, and the synthesis prints it', () => {
    expect(JSON.stringify(made.parent.Outputs?.ConnectionBudget)).toContain('t4g.medium');
    expect(made.messages).toContainEqual(expect.stringMatching(/shard +class[^]*\na +t4g\.medium/));
  });
});

test('the shared example needs one word changed for this model', () => {
  const made = synthesise(example({ model: TenancyModel.DATABASE_PER_TENANT }));

  expect(only(resourcesOf(made, /^AWS::RDS::DBProxy$/))).toHaveLength(1);
  expect(
    only(resourcesOf(made, /^Custom::SupersetOwnDatabases$/)).map(({ Properties }) => Properties.State.servers),
  ).toEqual(Array(2).fill([expect.objectContaining({ name: 'a' })]));
});

test('an environment whose data goes with the stack leaves no snapshots', () => {
  const made = synthesise(databaseExample({ destroyDataWithStack: true }));

  for (const { Properties } of only(resourcesOf(made, /^Custom::SupersetSnapshotBeforeDestroy$/))) {
    expect(Properties.KeepsNothing).toBe('true');
  }
});

test('proxies are waited for again when their tenants change, and the others are not', () => {
  const [first, second, third] = tenants(3);
  const logins = (...onShardA: Tenant[]) =>
    only(
      resourcesOf(
        synthesise(
          databaseExample({
            shards: [{ name: 'a' }, { name: 'b' }],
            defaultShards: undefined,
            tenants: [...onShardA.map((tenant) => ({ ...tenant, shard: 'a' })), { ...third, shard: 'b' }],
          }),
        ),
        /^Custom::SupersetProxyReadiness$/,
      ),
    )[0].Properties.Proxies.map(({ Logins }: { Logins: string }) => Logins);
  const [before, after] = [logins(first), logins(first, second)];

  expect(after[0]).not.toBe(before[0]);
  expect(after[1]).toBe(before[1]);
  expect(logins({ ...first, displayName: 'Another' })).toEqual(before);
});

describe('hundreds of tenants', () => {
  const many = (count: number, shards: number, overrides: Partial<Environment> = {}) => {
    const names = [...'abcdefgh'].slice(0, shards);
    return databaseExample({
      shards: names.map((name) => ({ name })),
      defaultShards: names,
      database: { instanceClass: 'm7g.xlarge' },
      tenants: tenants(count, { loader: true, ownKey: true }),
      ...overrides,
    });
  };

  test('three hundred make stacks that can be deployed, at five resources a tenant', () => {
    const made = synthesise(many(300, 4));
    const sizes = [...made.nested.values()].map((template) => ({
      resources: Object.keys(template.Resources).length,
      bytes: JSON.stringify(template).length,
      outputs: Object.keys(template.Outputs ?? {}).length,
    }));

    expect(only(resourcesOf(made, /^AWS::SecretsManager::Secret$/)).length).toBeGreaterThan(900);
    for (const { resources, bytes, outputs } of sizes) {
      expect(resources).toBeLessThanOrEqual(500);
      expect(outputs).toBeLessThanOrEqual(200);
      expect(bytes).toBeLessThan(1_000_000);
    }
    const total = Object.keys(resourcesOf(made, /./)).length;
    expect(total).toBeLessThan(2_500);
    expect(JSON.stringify(made.parent).length).toBeLessThan(1_000_000);
  });

  test('dynamic references are few, and do not grow with them', () => {
    const references = (count: number) =>
      JSON.stringify(synthesise(many(count, 1)).parent).match(/\{\{resolve:/g)?.length ?? 0;

    // CloudFormation takes 60 in a template.
    expect(references(100)).toBe(references(10));
    expect(references(10)).toBeLessThan(60);
  });

  test('the policies of roles and keys do not grow with them', () => {
    const policies = (count: number) =>
      only(resourcesOf(synthesise(many(count, 1)), /^AWS::IAM::(Policy|ManagedPolicy)$/)).map(
        ({ Properties }) => JSON.stringify(Properties.PolicyDocument).length,
      );

    expect(policies(100)).toEqual(policies(10));
  });

  test('more than a proxy has secrets for are refused, with the way out', () => {
    expect(() => synthesise(many(210, 1, { tenants: tenants(210) }))).toThrow(
      /210 secrets of one RDS Proxy; the limit is 200, and AWS cannot raise it.*Add a shard.*\[PROXY_SECRETS_TOO_MANY\]/,
    );
  });

  test('as many shards as the stack has room for are taken, and more are refused with the way out', () => {
    const shards = (count: number) => {
      const names = Array.from({ length: count }, (_, index) => `s${index}`);
      const onEach = tenants(count).map((tenant, index) => ({ ...tenant, shard: names[index] }));
      return many(0, 1, { shards: names.map((name) => ({ name })), defaultShards: undefined, tenants: onEach });
    };

    expect(only(resourcesOf(synthesise(shards(8)), /^AWS::RDS::DBProxy$/))).toHaveLength(8);
    expect(() => synthesise(shards(9))).toThrow(/shards has 9 entries; allowed: a list of 1 to 8 \[LIST_LENGTH\]/);
  });

  test('more than a hundred on a shard are told which model fits', () => {
    expect(synthesise(many(120, 1)).messages).toContainEqual(
      expect.stringMatching(/^Shard a has 120 tenants; one server suits/),
    );
  });
});

test('a filter that would hand a changed session on to the next client is refused with the reason', () => {
  const app = new App();
  const stack = newStack(app, databaseExample());
  Aspects.of(stack).add({
    visit(node) {
      if (node instanceof rds.CfnDBProxyTargetGroup) {
        node.connectionPoolConfigurationInfo = { sessionPinningFilters: ['EXCLUDE_VARIABLE_SETS'] };
      }
    },
  });

  expect(() => app.synth()).toThrow(/EXCLUDE_VARIABLE_SETS.*would go on to the next client/);
});

describe('composed by hand', () => {
  function compose(props: Partial<DatabasePerTenancyProps>): Stack {
    const stack = new Stack(new App(), 'Mine', { env: { account: '000000000000', region: 'eu-central-1' } });
    new DatabasePerTenancy(stack, 'Tenancy', {
      tenants: tenants(12),
      domainName: 'superset.example.com',
      certificate: acm.Certificate.fromCertificateArn(
        stack,
        'Certificate',
        'arn:aws:acm:eu-central-1:000000000000:certificate/0f',
      ),
      image: SupersetImage.fromRegistry('superset'),
      ...props,
    });
    return stack;
  }

  test('it makes what it was not given', () => {
    const stack = compose({ borrowTimeout: Duration.seconds(5), maxConnectionsPercent: 50 });

    expect(Annotations.fromStack(stack).findError('*', Match.anyValue())).toEqual([]);
  });

  test('a server needs its network, and the provisioner’s database', () => {
    const stack = new Stack(new App(), 'Mine', { env: { account: '000000000000', region: 'eu-central-1' } });
    const network = new TenancyNetwork(stack, 'Network');
    const server = new TenantDatabaseServer(stack, 'Server', { network });

    expect(() => compose({ shards: [{ name: 'a', server }] })).toThrow(/NETWORK_MISSING/);
    expect(() => compose({ shards: [{ name: 'a', server }], network })).toThrow(
      /database 'analytics'.*databaseName: 'tenancy'.*SHARD_DATABASE_NAME/,
    );
  });

  test('percentages and timeouts that RDS Proxy does not take are refused', () => {
    expect(() => compose({ maxConnectionsPercent: 95 })).toThrow(/maxConnectionsPercent is 95.*10 to 90/);
    expect(() => compose({ maxIdleConnectionsPercent: 85 })).toThrow(/maxIdleConnectionsPercent is 85.*0 to 80/);
    expect(() => compose({ borrowTimeout: Duration.minutes(6) })).toThrow(/1 second to 5 minutes/);
    expect(() => compose({ connectionsPerProcess: 0 })).toThrow(/connectionsPerProcess is 0.*1 to 20/);
  });

  test('tenants on shards that are not there, or not theirs, are refused, all at once', () => {
    const [one, two] = tenants(2);
    expect(() =>
      compose({
        shards: [{ name: 'a' }, { name: 'own', onlyFor: one.id }, { name: 'a' }],
        tenants: [
          { ...one, shard: 'x' },
          { ...two, shard: 'own', removalPolicy: TenantRemovalPolicy.DESTROY },
        ],
        defaultShards: ['own', 'y'],
      }),
    ).toThrow(
      /SHARD_DUPLICATE[^]*defaultShards\[1\] is "y"[^]*SHARD_UNKNOWN[^]*SHARD_TAKEN[^]*tenants\[0\]\.shard is "x"[^]*tenants\[1\]\.shard is "own"/,
    );
  });
});
