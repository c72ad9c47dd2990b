import { Stack, Validations } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { tenantRoleName } from '../provisioning/desired-state';
import { arnInRules } from '../validation/arn-in-rules';

/**
 * Lets a principal log in with tokens of IAM as the login role of any tenant, now and later, at one server or proxy, and acknowledges
 * the finding on the wildcard on the construct that asks. No role but those of tenants is called so: neither their ETL nor the master
 * user.
 *
 * @param resourceId of the server (`db-…`) or the proxy (`prx-…`).
 */
export function grantTenantLogin(scope: Construct, resourceId: string, grantee: iam.IGrantable): iam.Grant {
  const stack = Stack.of(scope);
  const { partition, region, account } = stack;
  const roles = tenantRoleName('*');
  Validations.of(scope).acknowledge({
    id: `AwsSolutions-IAM5[Resource::${arnInRules(stack, 'rds-db', `dbuser:${idInRules(stack, resourceId)}/${roles}`)}]`,
    reason: 'Tenants come and go: their login roles are named by prefix, so that the policy does not grow with them.',
  });
  return iam.Grant.addToPrincipal({
    grantee,
    actions: ['rds-db:connect'],
    resourceArns: [`arn:${partition}:rds-db:${region}:${account}:dbuser:${resourceId}/${roles}`],
  });
}

/** An id as cdk-nag prints it. */
function idInRules(stack: Stack, resourceId: string): string {
  const resolved = stack.resolve(resourceId) as string | { 'Fn::GetAtt'?: [id: string, attribute: string] };
  if (typeof resolved === 'string') return resolved;
  return resolved['Fn::GetAtt'] ? `<${resolved['Fn::GetAtt'].join('.')}>` : JSON.stringify(resolved);
}
