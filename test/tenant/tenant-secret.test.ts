import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import { TenantRemovalPolicy } from '../../lib/tenant/tenant';
import { TenantSecret, TenantSecretProps } from '../../lib/tenant/tenant-secret';
import { policyFindings } from '../policy-findings';

const TENANT = { id: 'tk4q9w', value: '1', displayName: 'Northwind', adminEmail: 'ada@northwind.example' };

function secret(props: Partial<TenantSecretProps> = {}) {
  const stack = new Stack(new App(), 'Prod');
  const made = new TenantSecret(stack, 'Secret', {
    tenant: TENANT,
    host: 'db.example.com',
    port: '5433',
    database: 'analytics',
    ...props,
  });
  return { stack, made };
}

function resource(props?: Partial<TenantSecretProps>) {
  const [found] = Object.values(Template.fromStack(secret(props).stack).findResources('AWS::SecretsManager::Secret'));
  return found;
}

test('the secret has the name that Superset looks for, and host, port, database and role of the tenant', () => {
  const { Name, GenerateSecretString } = resource().Properties;

  expect(Name).toBe('superset/tenant/tk4q9w/db_credentials');
  expect(JSON.parse(GenerateSecretString.SecretStringTemplate)).toEqual({
    username: 'tenant_tk4q9w',
    host: 'db.example.com',
    port: '5433',
    database: 'analytics',
  });
});

// Secrets Manager makes a new password when anything of the generator changes.
test('what generates the password is pinned', () => {
  const { SecretStringTemplate, ...generator } = resource().Properties.GenerateSecretString;

  expect(SecretStringTemplate).toMatch(/^\{"username":".*","host":".*","port":".*","database":".*"\}$/);
  expect(generator).toEqual({ GenerateStringKey: 'password', PasswordLength: 40, ExcludePunctuation: true });
});

test('a tenant costs one resource', () => {
  expect(Object.keys(Template.fromStack(secret().stack).toJSON().Resources)).toHaveLength(1);
});

test.each([undefined, TenantRemovalPolicy.RETAIN, TenantRemovalPolicy.DESTROY])(
  'a removed tenant of policy %s leaves no secret behind, whose name would be taken when it is added again',
  (removalPolicy) => {
    expect(resource({ tenant: { ...TENANT, removalPolicy } })).toMatchObject({
      DeletionPolicy: 'Delete',
      UpdateReplacePolicy: 'Delete',
    });
  },
);

test('grantRead covers this secret and its key, nothing else', () => {
  const { stack, made } = secret();
  made.grantRead(new iam.Role(stack, 'Reader', { assumedBy: new iam.AccountRootPrincipal() }));

  const [policy] = Object.values(Template.fromStack(stack).findResources('AWS::IAM::Policy'));
  expect(policy.Properties.PolicyDocument.Statement).toEqual([
    {
      Action: ['secretsmanager:GetSecretValue', 'secretsmanager:DescribeSecret'],
      Effect: 'Allow',
      Resource: { Ref: expect.stringMatching(/^Secret/) },
    },
  ]);
});

test('grantReadAll covers the secrets of all tenants of the environment in one statement', () => {
  const stack = new Stack(new App(), 'Prod', { env: { account: '123456789012', region: 'eu-central-1' } });
  const role = new iam.Role(stack, 'Reader', { assumedBy: new iam.AccountRootPrincipal() });
  TenantSecret.grantReadAll(stack, role);

  const [policy] = Object.values(Template.fromStack(stack).findResources('AWS::IAM::Policy'));
  expect(policy.Properties.PolicyDocument.Statement).toEqual([
    expect.objectContaining({
      Resource: {
        'Fn::Join': [
          '',
          [
            'arn:',
            { Ref: 'AWS::Partition' },
            ':secretsmanager:eu-central-1:123456789012:secret:superset/tenant/*/db_credentials-??????',
          ],
        ],
      },
      Condition: { StringEquals: { 'secretsmanager:ResourceTag/superset:environment': 'Prod' } },
    }),
  ]);
});

test.each([undefined, { account: '123456789012', region: 'eu-central-1' }])(
  'nothing is left for the rule packs to find (%j)',
  (env) => {
    const stack = new Stack(new App(), 'Prod', { env });
    new TenantSecret(stack, 'Secret', {
      tenant: TENANT,
      host: 'db.example.com',
      port: '5433',
      database: 'analytics',
      encryptionKey: new kms.Key(stack, 'Key', { enableKeyRotation: true }),
    });
    TenantSecret.grantReadAll(
      stack,
      new iam.ManagedPolicy(stack, 'Readers', {
        roles: [new iam.Role(stack, 'Reader', { assumedBy: new iam.AccountRootPrincipal() })],
      }),
    );

    expect(policyFindings(stack)).toEqual([]);
  },
);
