import { RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import { ownKeyProps } from '../encryption/own-key';
import { arnInRules } from '../validation/arn-in-rules';
import { Tenant } from './tenant';

/** Props of {@link TenantKey}. */
export interface TenantKeyProps {
  /** The tenant, whose id names the key. */
  readonly tenant: Tenant;

  /**
   * What happens to the key when it leaves the stack. What it has encrypted is lost with it.
   *
   * @default RemovalPolicy.RETAIN
   */
  readonly removalPolicy?: RemovalPolicy;
}

/**
 * The KMS key of one tenant, with the alias `alias/superset/tenant/<id>`: rotated yearly, for its secrets and for what else is
 * its alone.
 *
 * Disabling it cuts the tenant off: nobody can read its logins any more, so that no new connection is made.
 */
export class TenantKey extends Construct {
  /**
   * Alias of the key of a tenant.
   *
   * @param tenantId id of the tenant.
   */
  public static aliasFor(tenantId: string): string {
    return `alias/superset/tenant/${tenantId}`;
  }

  /**
   * Lets a principal decrypt secrets under the keys of all tenants of an account and region, now and later, in one statement.
   *
   * @param scope the construct that asks, in the stack of that account and region. The finding on the wildcard in the
   * policy is acknowledged on it.
   * @param grantee the principal, which may use the keys by way of Secrets Manager only.
   */
  public static grantDecryptSecretsOfAll(scope: Construct, grantee: iam.IGrantable): iam.Grant {
    const stack = Stack.of(scope);
    const { partition, region, account } = stack;
    Validations.of(scope).acknowledge({
      id: `AwsSolutions-IAM5[Resource::${arnInRules(stack, 'kms', 'key/*')}]`,
      reason: 'Tenants come and go: their keys are named by alias in the condition, so that the policy does not grow.',
    });
    return iam.Grant.addToPrincipal({
      grantee,
      actions: ['kms:Decrypt'],
      resourceArns: [`arn:${partition}:kms:${region}:${account}:key/*`],
      conditions: {
        StringEquals: { 'kms:ViaService': `secretsmanager.${region}.amazonaws.com` },
        'ForAnyValue:StringLike': { 'kms:ResourceAliases': TenantKey.aliasFor('*') },
      },
    });
  }

  /** The key. */
  public readonly key: kms.IKey;

  /**
   * @param scope the parent.
   * @param id the id in it.
   * @param props the tenant.
   */
  constructor(scope: Construct, id: string, props: TenantKeyProps) {
    super(scope, id);
    const removalPolicy = props.removalPolicy ?? RemovalPolicy.RETAIN;
    const key = new kms.Key(this, 'Key', ownKeyProps(`Superset tenant ${props.tenant.id}`, removalPolicy));
    key.addAlias(TenantKey.aliasFor(props.tenant.id));
    this.key = key;
  }
}
