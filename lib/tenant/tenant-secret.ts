import { RemovalPolicy } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { tenantRoleName } from '../provisioning/desired-state';
import { EnvironmentNames } from '../naming/environment-names';
import { prefixed } from '../naming/secret-name-prefix';
import { LoginSecret } from './login-secret';
import { grantReadOfEachTenant } from './secrets-of-tenants';
import { Tenant } from './tenant';
import { oneTenantProblems } from './tenant-rules';
import { refuse } from '../validation/refuse';

/** Props of {@link TenantSecret}. */
export interface TenantSecretProps {
  /** The tenant, whose id names the secret and the login role. */
  readonly tenant: Tenant;

  /** Host name of the tenant's PostgreSQL server. */
  readonly host: string;

  /** Port of the server, as text. */
  readonly port: string;

  /** Database on the server. */
  readonly database: string;

  /**
   * Key that encrypts the secret.
   *
   * @default - the account's `aws/secretsmanager` key
   */
  readonly encryptionKey?: kms.IKey;
}

/**
 * The login of a tenant: the secret `superset/tenant/<id>/db_credentials` with username, password, host, port and
 * database.
 *
 * The name begins with the prefix of the environment, if it has one ({@link EnvironmentNames}). A removed tenant's secret is deleted,
 * whatever becomes of its data: its password is good for nothing, and the tenant gets a new one if it is added again.
 */
export class TenantSecret extends Construct {
  /**
   * Name of a tenant's secret.
   *
   * @param tenantId id of the tenant.
   * @param secretNamePrefix that of the environment.
   * @default - none
   */
  public static nameFor(tenantId: string, secretNamePrefix?: string): string {
    return prefixed(`superset/tenant/${tenantId}/db_credentials`, secretNamePrefix);
  }

  /**
   * Lets a principal read the secrets of all tenants of an environment, now and later, in one statement.
   *
   * @param scope the construct that asks, in that environment. The finding on the wildcard in the policy is acknowledged on it.
   * @param grantee the principal.
   * @param encryptionKey key of the secrets, which the principal may use by way of Secrets Manager only.
   */
  public static grantReadAll(scope: Construct, grantee: iam.IGrantable, encryptionKey?: kms.IKey): iam.Grant {
    return grantReadOfEachTenant(scope, (prefix) => TenantSecret.nameFor('*', prefix), grantee, encryptionKey);
  }

  /** The secret. */
  public readonly secret: secretsmanager.ISecret;

  /** Name of the secret, `superset/tenant/<id>/db_credentials`. */
  public readonly secretName: string;

  /** ARN of the secret. */
  public readonly secretArn: string;

  /** Login role in PostgreSQL, the `username` in the secret. */
  public readonly roleName: string;

  /**
   * @param scope the parent.
   * @param id the id in it.
   * @param props the tenant and its server.
   */
  constructor(scope: Construct, id: string, props: TenantSecretProps) {
    super(scope, id);
    const { tenant, host, port, database, encryptionKey } = props;
    refuse(this, oneTenantProblems(tenant));
    this.secretName = TenantSecret.nameFor(tenant.id, EnvironmentNames.of(this).secretNamePrefix);
    this.roleName = tenantRoleName(tenant.id);
    this.secret = new LoginSecret(this, 'Secret', {
      ...{ host, port, database, encryptionKey },
      secretName: this.secretName,
      description: `PostgreSQL login of tenant ${tenant.id}`,
      username: this.roleName,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.secretArn = this.secret.secretArn;
  }

  /**
   * Lets a principal read the secret, and decrypt it.
   *
   * @param grantee the principal.
   */
  public grantRead(grantee: iam.IGrantable): iam.Grant {
    return this.secret.grantRead(grantee);
  }
}
