import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import { AdminLoginSecret, AdminLoginSecretProps } from '../../lib/tenant/admin-login-secret';
import { TenantRemovalPolicy } from '../../lib/tenant/tenant';
import { policyFindings } from '../policy-findings';

const TENANT = { id: 'tk4q9w', value: '1', displayName: 'Northwind', adminEmail: 'ada@northwind.example' };

function resource(props: Partial<AdminLoginSecretProps> = {}) {
  const stack = new Stack(new App(), 'Prod');
  new AdminLoginSecret(stack, 'Secret', { tenant: TENANT, ...props });
  const resources = Object.values(Template.fromStack(stack).toJSON().Resources) as Record<string, never>[];
  expect(resources).toHaveLength(1);
  return resources[0];
}

// CloudFormation makes a new password when anything of the generator changes.
test('the secret has the name that Superset looks for, the address as user name, and a generator that is pinned', () => {
  expect(resource().Properties).toEqual({
    Name: 'superset/tenant/tk4q9w/admin_login',
    Tags: [{ Key: 'superset:environment', Value: 'Prod' }],
    Description: expect.stringContaining('tenant tk4q9w'),
    GenerateSecretString: {
      SecretStringTemplate: '{"username":"ada@northwind.example"}',
      GenerateStringKey: 'password',
      PasswordLength: 32,
      ExcludePunctuation: true,
    },
  });
});

test('another display name makes no other password', () => {
  expect(resource({ tenant: { ...TENANT, displayName: 'Northwind Traders' } })).toEqual(resource());
});

test('it is deleted with its tenant, as the other secret is', () => {
  for (const removalPolicy of [undefined, TenantRemovalPolicy.RETAIN, TenantRemovalPolicy.DESTROY]) {
    expect(resource({ tenant: { ...TENANT, removalPolicy } })).toMatchObject({
      DeletionPolicy: 'Delete',
      UpdateReplacePolicy: 'Delete',
    });
  }
});

test.each([undefined, { account: '123456789012', region: 'eu-central-1' }])(
  'nothing is left for the rule packs to find (%j)',
  (env) => {
    const stack = new Stack(new App(), 'Prod', { env });
    const encryptionKey = new kms.Key(stack, 'Key', { enableKeyRotation: true });
    new AdminLoginSecret(stack, 'Secret', { tenant: TENANT, encryptionKey });
    AdminLoginSecret.grantReadAll(
      stack,
      new iam.ManagedPolicy(stack, 'Readers', {
        roles: [new iam.Role(stack, 'Reader', { assumedBy: new iam.AccountRootPrincipal() })],
      }),
    );

    expect(policyFindings(stack)).toEqual([]);
  },
);
