import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import { grantDecryptUnderOwnKeys } from '../../lib/tenant/decrypt-under-own-keys';
import { Tenant } from '../../lib/tenant/tenant';
import { TenantSecret } from '../../lib/tenant/tenant-secret';
import { databaseExample, example, instanceExample, newFleet, tenants, userApp } from '../tenancy/environments';
import { Resource, Template as Json, Templates, resourcesOf, synthesise } from '../tenancy/templates';

interface Statement {
  readonly Principal: { readonly AWS?: unknown };
  readonly Action: unknown;
  readonly Condition?: unknown;
}

/** Principals that the policy of a key lets decrypt secrets; the policies of roles are not read. */
function namedBy({ Properties }: Resource, parameters: Record<string, unknown> = {}): string[] {
  return (Properties.KeyPolicy.Statement as Statement[])
    .filter(({ Action, Principal }) => Action === 'kms:Decrypt' && Principal.AWS !== undefined)
    .filter(({ Condition }) =>
      /"kms:ViaService":"secretsmanager\.[a-z0-9-]+\.amazonaws\.com"/.test(JSON.stringify(Condition)),
    )
    .flatMap(({ Principal }) => [Principal.AWS].flat())
    .map((arn) => JSON.stringify(parameters[(arn as { Ref?: string }).Ref ?? ''] ?? arn))
    .map((arn) => /"Fn::GetAtt":\["Tenancy(\w+?)(?:ServiceRole)?[0-9A-F]{8}","Arn"\]/.exec(arn)?.[1] ?? arn)
    .sort();
}

function keyOf(made: Templates, tenantId: string): Resource {
  const keys = Object.values(resourcesOf(made, /^AWS::KMS::Key$/));
  return keys.find(({ Properties }) => String(Properties.Description).endsWith(tenantId)) as Resource;
}

/** What the parent gives to the stack that a tenant is in. */
function parametersOf(made: Templates, tenantId: string): Record<string, unknown> {
  const [name] = [...made.nested].find(([, nested]) => JSON.stringify(nested).includes(`tenant/${tenantId}/`)) as [
    string,
    Json,
  ];
  const stacks = Object.entries(resourcesOf(made, /^AWS::CloudFormation::Stack$/));
  return stacks.find(([id]) => id.includes(name))?.[1].Properties.Parameters as Record<string, unknown>;
}

const READERS = ['ProvisionerHandler', 'ProxyaRole', 'SupersetMigrationRole', 'SupersetTaskRole'];

test("the policy of a tenant's key names whatever reads its secrets, made beside them or beside its server", () => {
  const one = tenants(1, { ownKey: true, loader: true });
  const beside = synthesise(databaseExample({ shards: undefined, defaultShards: undefined, tenants: one }));
  const shards = [{ name: 'a', onlyFor: one[0].id }];
  const ofServer = synthesise(databaseExample({ shards, defaultShards: undefined, tenants: one }));

  expect(namedBy(keyOf(beside, one[0].id), parametersOf(beside, one[0].id))).toEqual(READERS);
  expect(namedBy(keyOf(ofServer, one[0].id))).toEqual(READERS);
});

test('and no other proxy, nor what reads no secret', () => {
  const made = synthesise(databaseExample());

  expect(namedBy(keyOf(made, 'tk4q9w'))).toEqual(READERS.map((reader) => reader.replace('Proxya', 'Proxyb')));
});

test('with tokens, the tasks of Superset decrypt nothing of tenants', () => {
  const one = tenants(1, { ownKey: true, loader: true });
  const shards = [{ name: 'a', onlyFor: one[0].id }];
  const proxy = { authentication: 'iam' } as never;
  const made = synthesise(databaseExample({ proxy, shards, defaultShards: undefined, tenants: one }));

  expect(namedBy(keyOf(made, one[0].id))).toEqual(['ProvisionerHandler', 'SupersetMigrationRole']);
});

// KMS Developer Guide, "ABAC for AWS KMS": changes of tags and aliases take up to five minutes to affect what is authorised.
test('no permission rests on the alias or the tag of a key', () => {
  const fleet = userApp();
  newFleet(fleet, instanceExample());
  const texts = [
    ...[example(), databaseExample()]
      .map((environment) => synthesise(environment))
      .flatMap(({ parent, nested }) => [parent, ...nested.values()]),
    ...fleet.synth().stacks.map(({ template }) => template as Json),
  ].map((template) => JSON.stringify(template));

  expect(texts.length).toBeGreaterThan(4);
  expect(texts.filter((text) => /kms:ResourceAliases|kms:RequestAlias|aws:ResourceTag/.test(text))).toEqual([]);
});

test("the key of an instance names the provisioner of its cell, whose stack does not know the instance's", () => {
  const app = userApp();
  newFleet(app, instanceExample());
  const { stacks } = app.synth();
  const templates = stacks.map(({ template }) => template as Json);
  const shared = templates.filter(
    ({ Resources }) => !Object.values(Resources).some(({ Type }) => Type === 'AWS::RDS::DBInstance'),
  );
  const keys = shared.flatMap(({ Resources }) =>
    Object.values(Resources).filter(({ Type }) => Type === 'AWS::KMS::Key'),
  );
  const ofTenants = keys.filter(({ Properties }) => String(Properties.Description).startsWith('Superset tenant '));

  expect(ofTenants.length).toBeGreaterThan(0);
  for (const key of ofTenants) {
    expect(namedBy(key)).toContainEqual(expect.stringMatching(/ProvisionerHandlerServiceRole/));
  }
});

test('where the key is of another stack, the role is allowed to use this one key', () => {
  const app = new App();
  const env = { account: '123456789012', region: 'eu-central-1' };
  const [keys, stack] = ['Keys', 'Demo'].map((id) => new Stack(app, id, { env }));
  const role = new iam.Role(stack, 'Reader', { assumedBy: new iam.AccountRootPrincipal() });
  const [own, other] = tenants(2);
  const secretOf = (encryptionKey: kms.IKey, tenant: Tenant) =>
    new TenantSecret(stack, tenant.id, { tenant, encryptionKey, host: 'db.example.com', port: '5432', database: 'x' })
      .secret;
  const common = kms.Key.fromKeyArn(stack, 'Common', 'arn:aws:kms:eu-central-1:123456789012:key/common');

  grantDecryptUnderOwnKeys([secretOf(new kms.Key(keys, 'Key'), own), secretOf(common, other)], role, common);

  const [policy] = Object.values(Template.fromStack(stack).findResources('AWS::IAM::Policy'));
  expect(policy.Properties.PolicyDocument.Statement).toEqual([
    {
      Action: 'kms:Decrypt',
      Effect: 'Allow',
      Resource: { 'Fn::ImportValue': expect.stringMatching(/^Keys:/) },
      Condition: { StringEquals: { 'kms:ViaService': 'secretsmanager.eu-central-1.amazonaws.com' } },
    },
  ]);
});
