import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, IPropertyInjector, PropertyInjectors, Stack } from 'aws-cdk-lib';
import { Annotations, Match } from 'aws-cdk-lib/assertions';
import * as acm from 'aws-cdk-lib/aws-certificatemanager';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { TableStrategy, TenantColumnType } from '../../lib/database/tenant-table';
import { SharedRlsStack } from '../../lib/tenancy/shared-rls-stack';
import { SharedRlsTenancy } from '../../lib/tenancy/shared-rls-tenancy';
import { TenantRemovalPolicy } from '../../lib/tenant/tenant';
import { TenantDatabaseServer } from '../../lib/database/tenant-database-server';
import { TenancyNetwork } from '../../lib/network/tenancy-network';
import { SupersetImage } from '../../lib/superset/superset-image';
import { example, tenants } from './environments';
import { allowedTo, readersOf } from '../allowed-to';
import { Resource, Templates, resourcesOf, synthesise } from './templates';

describe('the example', () => {
  let made: Templates;
  beforeAll(() => {
    made = synthesise(example());
  });

  test('what holds data has the logical ids that it was deployed with', () => {
    const holdsData =
      /^AWS::(RDS::DBInstance|SecretsManager::Secret|KMS::Key|ElastiCache::ReplicationGroup|S3::Bucket)$/;
    const ids = Object.entries(resourcesOf(made, holdsData)).map(([id, { Type }]) => `${Type} ${id}`);

    expect(ids.sort()).toMatchSnapshot();
  });

  test('the names of secrets are those that were deployed', () => {
    const names = Object.values(resourcesOf(made, /^AWS::SecretsManager::Secret$/)).flatMap(
      ({ Properties }) => Properties.Name ?? [],
    );

    expect(names.sort()).toEqual([
      'superset/loader/db_credentials',
      'superset/tenant/tk4q9w/admin_login',
      'superset/tenant/tk4q9w/db_credentials',
      'superset/tenant/tz81mm/admin_login',
      'superset/tenant/tz81mm/db_credentials',
    ]);
  });

  test('what holds data outlives the stack', () => {
    const holdsData = /^AWS::(RDS::DBInstance|SecretsManager::Secret|KMS::Key|S3::Bucket)$/;
    const policies = Object.entries(resourcesOf(made, holdsData))
      .filter(([, { Properties }]) => !isLogin(Properties))
      .map(([id, { DeletionPolicy }]) => [id, DeletionPolicy]);

    const lost = policies.filter(([, policy]) => policy !== 'Retain' && policy !== 'RetainExceptOnCreate');
    // The cache goes with the stack, and so does what opens it.
    expect(lost.map(([id]) => id)).toEqual([expect.stringMatching(/^CacheAuthSecret/)]);
  });

  test('all that is encrypted is so under the one key of the environment', () => {
    expect(Object.keys(resourcesOf(made, /^AWS::KMS::Key$/))).toHaveLength(1);
    const encrypted = Object.entries(resourcesOf(made, /^AWS::(SecretsManager::Secret|Logs::LogGroup)$/));
    const without = encrypted.filter(([, { Properties }]) => Properties.KmsKeyId === undefined);
    // It is made before the key, and holds no data.
    expect(without).toEqual([[expect.stringMatching(/^CustomSupersetProtection.*Log/), expect.anything()]]);
  });

  test('the policy of the key does not grow with the tenants', () => {
    const statements = (templates: Templates) =>
      Object.values(resourcesOf(templates, /^AWS::KMS::Key$/))[0].Properties.KeyPolicy.Statement.length;

    expect(statements(synthesise(example({ tenants: tenants(20) })))).toBe(statements(made));
  });

  test('tenants wait for what they share, which waits for none of them', () => {
    const shared = Object.entries(made.parent.Resources).find(
      ([, { Type }]) => Type === 'Custom::SupersetTenantDatabases',
    )!;
    const stacks = Object.values(made.parent.Resources).filter(({ Type }) => Type === 'AWS::CloudFormation::Stack');

    expect(shared[1].Properties.State).toMatchObject({ batch: 'cell', tenants: [] });
    expect(stacks.map(({ DependsOn }) => DependsOn)).toEqual(
      stacks.map(() => [shared[0], expect.stringMatching(/^TerminationProtection/)]),
    );
    expect(JSON.stringify(made.parent)).not.toContain('Outputs.');
  });

  test('Superset may log in to the tenants server, and to nothing else of it but by the secrets of tenants', () => {
    const rules = Object.values(made.parent.Resources).filter(
      ({ Type, Properties }) => Type === 'AWS::EC2::SecurityGroupIngress' && /^Superset/.test(Properties.Description),
    );
    const master = { 'Fn::GetAtt': [expect.stringMatching(/^Database/), 'MasterUserSecret.SecretArn'] };
    const policies = Object.entries(made.parent.Resources).filter(
      ([id, { Type }]) => Type === 'AWS::IAM::Policy' && id.includes('Superset'),
    );

    expect(rules.map(({ Properties }) => Properties.Description)).toContain('Superset, as one of the tenants');
    expect(policies.flatMap(([, { Properties }]) => Properties.PolicyDocument.Statement)).not.toContainEqual(
      expect.objectContaining({ Resource: master }),
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

  test('functions and tasks use the key by way of Secrets Manager only, but for their own environment', () => {
    const statements = Object.values(resourcesOf(made, /^AWS::KMS::Key$/)).flatMap(
      ({ Properties }) => Properties.KeyPolicy.Statement,
    );
    const roles = statements.filter(({ Principal }) => JSON.stringify(Principal).includes('Fn::GetAtt'));

    expect(roles.length).toBeGreaterThan(0);
    for (const { Condition } of roles) {
      expect(Condition).toEqual({
        StringEquals: { 'kms:ViaService': 'secretsmanager.eu-central-1.amazonaws.com' },
      });
    }
  });

  test('the stack says where Superset and the database are, and how to load data', () => {
    expect(Object.keys(made.parent.Outputs ?? {})).toEqual(
      expect.arrayContaining([
        'Url',
        'LoadBalancer',
        'DatabaseEndpoint',
        'DatabaseName',
        'LoaderSecretArn',
        'TenantSecretNames',
        'AdminLoginSecretNames',
        'ReconcileFunction',
      ]),
    );
  });

  test('the template, but for the hashes of assets', () => {
    const all = JSON.stringify(Object.fromEntries([['parent', made.parent] as const, ...made.nested]));

    expect(JSON.parse(all.replaceAll(/[0-9a-f]{64}/g, '<asset>'))).toMatchSnapshot();
  });

  test('every part has alarms, and all of them go to one topic', () => {
    const alarms = Object.values(resourcesOf(made, /^AWS::CloudWatch::Alarm$/)).map(({ Properties }) => Properties);
    const names = alarms.map(({ AlarmName }) => /-Alarms-[0-9A-F]{8}-(.*)$/.exec(AlarmName)?.[1]);

    expect(names.sort()).toMatchSnapshot();
    expect(new Set(alarms.map(({ AlarmActions }) => JSON.stringify(AlarmActions))).size).toBe(1);
  });

  test('it warns of nothing', () => {
    expect(made.messages.filter((message) => !message.includes('superset-tenancy:model-advice'))).toEqual([]);
  });
});

describe('a tenant more', () => {
  const two = synthesise(example());
  const [third] = tenants(1);

  test('changes no resource of the others', () => {
    const three = synthesise(example({ tenants: [third, ...example().tenants] }));

    const changed = [...three.nested].filter(
      ([name, template]) => JSON.stringify(two.nested.get(name)) !== JSON.stringify(template),
    );
    expect(changed.map(([, { Resources }]) => Object.keys(Resources))).toEqual([
      [
        expect.stringMatching(/^t00000Secret/),
        expect.stringMatching(/^t00000adminSecret/),
        expect.stringMatching(/^Database/),
      ],
    ]);
    const secrets = (templates: Templates) => resourcesOf(templates, /^AWS::SecretsManager::Secret$/);
    expect(secrets(three)).toMatchObject(secrets(two));
  });

  test('changes in the parent its own nested stack, and the task that tells Superset of it', () => {
    const three = synthesise(example({ tenants: [...example().tenants, third] }));

    const changed = Object.entries(three.parent.Resources)
      .filter(([id, resource]) => JSON.stringify(resource) !== JSON.stringify(two.parent.Resources[id]))
      .map(([, { Type }]) => Type);
    expect(changed.sort()).toEqual([
      'AWS::CloudFormation::Stack',
      'AWS::ECS::TaskDefinition',
      // What the task reads.
      'AWS::IAM::Policy',
      // It waits for the nested stack.
      'Custom::SupersetMigration',
    ]);
  });

  test('rolls none of the services', () => {
    const three = synthesise(example({ tenants: [...example().tenants, third] }));
    const tasks = ({ parent }: Templates, name: string) =>
      Object.entries(parent.Resources).filter(
        ([id, { Type }]) => Type === 'AWS::ECS::TaskDefinition' && id.includes(name),
      );

    for (const name of ['WebTask', 'WorkerTask', 'BeatTask']) {
      expect(tasks(three, name)).toHaveLength(1);
      expect(tasks(three, name)).toEqual(tasks(two, name));
    }
    expect(tasks(three, 'MigrationTask')).not.toEqual(tasks(two, 'MigrationTask'));
  });

  test('is told to Superset once its logins are there', () => {
    const [migration] = Object.values(resourcesOf(two, /^Custom::SupersetMigration$/));
    const stacks = Object.entries(two.parent.Resources).filter(([, { Type }]) => Type === 'AWS::CloudFormation::Stack');

    expect(migration.DependsOn).toEqual(expect.arrayContaining(stacks.map(([id]) => id)));
  });
});

/** A login whose password can be made again. It has a fixed name, which must be free when it is. */
function isLogin({ Name }: Resource['Properties']): boolean {
  return typeof Name === 'string' && Name.startsWith('superset/');
}

test('a removed tenant takes its stack along, and its secrets, whose names must be free when it is added again', () => {
  const { nested } = synthesise(example({ tenants: [example().tenants[0]] }));

  expect([...nested]).toHaveLength(1);
  const secrets = Object.values(resourcesOf(synthesise(example()), /^AWS::SecretsManager::Secret$/));
  const policies = secrets.filter(({ Properties }) => isLogin(Properties)).map(({ DeletionPolicy }) => DeletionPolicy);
  expect(policies).toEqual(Array(5).fill('Delete'));
});

test('destroyDataWithStack leaves nothing behind, and lets the stack go', () => {
  const made = synthesise(example({ destroyDataWithStack: true }));

  const kept = Object.entries(resourcesOf(made, /./)).filter(([, { DeletionPolicy }]) =>
    /Retain|Snapshot/.test(DeletionPolicy ?? ''),
  );
  expect(kept.map(([id, { Type }]) => `${Type} ${id}`)).toEqual([]);
  for (const { Properties } of Object.values(resourcesOf(made, /^AWS::RDS::DBInstance$/))) {
    expect(Properties.DeletionProtection).toBe(false);
  }
});

test('the stack is protected from termination unless its data goes with it', () => {
  const protection = (destroyDataWithStack: boolean) =>
    new SharedRlsStack(new App(), 'Demo', { environment: example({ destroyDataWithStack }) }).terminationProtection;

  expect([protection(false), protection(true)]).toEqual([true, false]);
});

test('zones that the environment names are not looked up', () => {
  const app = new App();
  const stack = new SharedRlsStack(app, 'Demo', { environment: example() });

  expect(stack.availabilityZones).toEqual(['eu-central-1a', 'eu-central-1b']);
  expect(app.synth().manifest.missing).toBeUndefined();
});

test('all that is wrong with an environment is said at once', () => {
  const [first, second] = example().tenants;
  const wrong = example({
    tenants: [
      { ...first, id: 'DROP TABLE' },
      { ...second, value: 'not-a-uuid' },
    ],
  });

  expect(() => new SharedRlsStack(new App(), 'Demo', { environment: wrong })).toThrow(
    /tenants\[0\]\.id .*"DROP TABLE"[^]*tenants\[1\]\.value .*"not-a-uuid"/,
  );
});

test('a hundred standard tenants fit into one deployment on the default server', () => {
  const made = synthesise(example({ database: {}, tenants: tenants(100) }));

  expect([...made.nested.values()].flatMap(({ Resources }) => Object.keys(Resources))).toHaveLength(200 + 8);
});

test('content of the environment is handed to the task that tells Superset of its tenants', () => {
  const directory = mkdtempSync(join(tmpdir(), 'content-'));
  const contentBundle = join(directory, 'sales.zip');
  writeFileSync(contentBundle, 'PK\x03\x04');
  const desiredState = (superset: object) =>
    /s3:\/\/[^"]*/.exec(
      JSON.stringify(synthesise(example({ superset: { version: '6.1.0', ...superset } })).parent),
    )?.[0];

  try {
    expect(desiredState({ contentBundle })).not.toBe(desiredState({}));
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('an image on the internet is warned of where no task could reach it', () => {
  const warnings = (image: string) =>
    Annotations.fromStack(
      new SharedRlsStack(new App(), 'Demo', { environment: example({ superset: { version: '6.1.0', image } }) }),
    ).findWarning('*', Match.stringLikeRegexp('on the internet'));

  expect(warnings('apache/superset:6.1.0')).toHaveLength(1);
  expect(warnings('000000000000.dkr.ecr.eu-central-1.amazonaws.com/superset:6.1.0')).toHaveLength(0);
});

describe('SharedRlsTenancy by itself', () => {
  const prod = () => new Stack(new App(), 'Prod', { env: { region: 'eu-central-1' } });
  const given = (stack: Stack) => ({
    tenants: tenants(2),
    tenantColumn: { name: 'tenant_id', type: TenantColumnType.UUID },
    tables: [{ name: 'orders', strategy: TableStrategy.COLUMN }],
    domainName: 'superset.example.com',
    certificate: acm.Certificate.fromCertificateArn(
      stack,
      'Certificate',
      'arn:aws:acm:eu-central-1:123456789012:certificate/00000000-0000-4000-8000-000000000000',
    ),
    image: SupersetImage.fromRegistry('superset:6.1.0'),
  });

  test('makes every part that it was not given', () => {
    const stack = prod();
    const tenancy = new SharedRlsTenancy(stack, 'Tenancy', given(stack));

    expect(tenancy.tenantSecrets.map(({ secretName }) => secretName).sort()).toEqual([
      'superset/tenant/t00000/db_credentials',
      'superset/tenant/t00001/db_credentials',
    ]);
    expect(tenancy.database.instance.node.path).toMatch(/^Prod\/Tenancy\/Database\//);
  });

  test('uses the parts that it was given', () => {
    const stack = prod();
    const network = new TenancyNetwork(stack, 'Network');
    const database = new TenantDatabaseServer(stack, 'Server', { network, instanceClass: 'r7g.large' });
    const tenancy = new SharedRlsTenancy(stack, 'Tenancy', { ...given(stack), network, database });

    expect(tenancy.database).toBe(database);
    expect(tenancy.node.tryFindChild('Database')).toBeUndefined();
  });

  test('makes public subnets when it is to face the internet', () => {
    const stack = prod();
    const { network } = new SharedRlsTenancy(stack, 'Tenancy', { ...given(stack), internetFacing: true });

    expect(network.vpc.publicSubnets).toHaveLength(2);
  });

  test('refuses a server without its network', () => {
    const stack = prod();
    const network = new TenancyNetwork(stack, 'Network');
    const database = new TenantDatabaseServer(stack, 'Server', { network });

    expect(() => new SharedRlsTenancy(stack, 'Tenancy', { ...given(stack), database })).toThrow(/NETWORK_MISSING/);
  });

  test('says all that is wrong with tenants, column and tables at once', () => {
    const stack = prod();
    const [one] = tenants(1);

    expect(
      () =>
        new SharedRlsTenancy(stack, 'Tenancy', {
          ...given(stack),
          tenants: [one, one],
          tenantColumn: { name: 'ctid', type: TenantColumnType.UUID },
        }),
    ).toThrow(/TENANT_ID_DUPLICATE[^]*TENANT_VALUE_DUPLICATE[^]*TENANT_COLUMN_RESERVED/);
  });

  test('keeps what a tenant says about its own secret', () => {
    const stack = prod();
    const props = { ...given(stack), tenants: tenants(1, { removalPolicy: TenantRemovalPolicy.DESTROY }) };
    const [{ secret }] = new SharedRlsTenancy(stack, 'Tenancy', props).tenantSecrets;

    expect(stack.resolve((secret.node.defaultChild as unknown as { cfnOptions: object }).cfnOptions)).toMatchObject({
      deletionPolicy: 'Delete',
    });
  });

  test('a property injector reaches the functions inside of it', () => {
    class Tracing implements IPropertyInjector {
      public readonly constructUniqueId = lambda.Function.PROPERTY_INJECTION_ID;
      public inject(props: lambda.FunctionProps): lambda.FunctionProps {
        return { ...props, tracing: lambda.Tracing.ACTIVE };
      }
    }
    const stack = prod();
    PropertyInjectors.of(stack).add(new Tracing());
    const { provisioner } = new SharedRlsTenancy(stack, 'Tenancy', given(stack));

    expect((provisioner.handler.node.defaultChild as lambda.CfnFunction).tracingConfig).toEqual({ mode: 'Active' });
  });
});
