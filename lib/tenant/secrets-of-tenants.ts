import { RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import { arnInRules } from '../validation/arn-in-rules';
import { Tenant, TenantRemovalPolicy } from './tenant';
import { viaService } from '../encryption/via-service';

/** What happens to the secrets of a tenant when it leaves the stack. */
export function secretRemovalPolicy(tenant: Tenant): RemovalPolicy {
  return tenant.removalPolicy === TenantRemovalPolicy.DESTROY
    ? RemovalPolicy.DESTROY
    : RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE;
}

/**
 * Lets a principal read one secret of each tenant of an account and region, now and later, in one statement, and acknowledges
 * the finding on the wildcard on the construct that asks.
 *
 * @param names the name of the secret, with `*` for the tenant.
 */
export function grantReadOfEachTenant(
  scope: Construct,
  names: string,
  grantee: iam.IGrantable,
  encryptionKey?: kms.IKey,
): iam.Grant {
  // Secrets Manager adds a hyphen and six characters to each name.
  const resourceName = `${names}-??????`;
  const { partition, region, account } = Stack.of(scope);
  Validations.of(scope).acknowledge({
    id: `AwsSolutions-IAM5[Resource::${arnInRules(Stack.of(scope), 'secretsmanager', `secret:${resourceName}`)}]`,
    reason: 'Tenants come and go: their secrets are named by prefix, so that the policy does not grow with them.',
  });
  encryptionKey?.grantDecrypt(new kms.ViaServicePrincipal(viaService(scope, 'secretsmanager'), grantee.grantPrincipal));
  return iam.Grant.addToPrincipal({
    grantee,
    actions: ['secretsmanager:GetSecretValue', 'secretsmanager:DescribeSecret'],
    resourceArns: [`arn:${partition}:secretsmanager:${region}:${account}:secret:${resourceName}`],
  });
}

/** Lets a principal read what PostgreSQL roles of one tenant log in with, and acknowledges the finding as above. */
export function grantReadOfTenant(
  scope: Construct,
  { id }: Tenant,
  grantee: iam.IGrantable,
  encryptionKey?: kms.IKey,
): iam.Grant {
  return grantReadOfEachTenant(scope, `superset/tenant/${id}/*_credentials`, grantee, encryptionKey);
}
