import { RemovalPolicy } from 'aws-cdk-lib';
import * as kms from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import { ownKeyProps } from '../encryption/own-key';
import { EnvironmentNames } from '../naming/environment-names';
import { OTHER_PREFIX, claimName } from '../naming/name-claims';
import { prefixed } from '../naming/secret-name-prefix';
import { Tenant } from './tenant';
import { oneTenantProblems } from './tenant-rules';
import { refuse } from '../validation/refuse';

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
 * Disabling it cuts the tenant off: its logins cannot be read any more, so no new connection is made. The key's policy names the roles
 * that read the secrets under it.
 */
export class TenantKey extends Construct {
  /**
   * Alias of the key of a tenant.
   *
   * @param tenantId id of the tenant.
   * @param secretNamePrefix that of the environment.
   * @default - none
   */
  public static aliasFor(tenantId: string, secretNamePrefix?: string): string {
    return `alias/${prefixed(`superset/tenant/${tenantId}`, secretNamePrefix)}`;
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
    refuse(this, oneTenantProblems(props.tenant));
    const removalPolicy = props.removalPolicy ?? RemovalPolicy.RETAIN;
    const key = new kms.Key(this, 'Key', ownKeyProps(`Superset tenant ${props.tenant.id}`, removalPolicy));
    const alias = TenantKey.aliasFor(props.tenant.id, EnvironmentNames.of(this).secretNamePrefix);
    claimName(this, 'alias of a key', alias, OTHER_PREFIX);
    key.addAlias(alias);
    this.key = key;
  }
}
