import { RemovalPolicy } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { loaderRoleName } from '../provisioning/desired-databases';
import { EnvironmentNames } from '../naming/environment-names';
import { prefixed } from '../naming/secret-name-prefix';
import { LoginSecret } from './login-secret';
import { grantReadOfEachTenant } from './secrets-of-tenants';
import { TenantSecretProps } from './tenant-secret';
import { oneTenantProblems } from './tenant-rules';
import { refuse } from '../validation/refuse';

/**
 * The login of a tenant's ETL, which may make tables in the tenant's database and write to them: the secret
 * `superset/tenant/<id>/loader_credentials` with username, password, host, port and database. It connects to the server itself.
 *
 * Its name has the prefix of the environment, and it is deleted with its tenant, as a {@link TenantSecret} is.
 */
export class TenantLoaderSecret extends Construct {
  /**
   * Name of the secret of a tenant.
   *
   * @param tenantId id of the tenant.
   * @param secretNamePrefix that of the environment.
   * @default - none
   */
  public static nameFor(tenantId: string, secretNamePrefix?: string): string {
    return prefixed(`superset/tenant/${tenantId}/loader_credentials`, secretNamePrefix);
  }

  /**
   * Lets a principal read these secrets of all tenants of an environment, now and later, in one statement.
   *
   * @param scope the construct that asks, in that environment. The finding on the wildcard in the policy is acknowledged on it.
   * @param grantee the principal.
   * @param encryptionKey key of the secrets, which the principal may use by way of Secrets Manager only.
   */
  public static grantReadAll(scope: Construct, grantee: iam.IGrantable, encryptionKey?: kms.IKey): iam.Grant {
    return grantReadOfEachTenant(scope, (prefix) => TenantLoaderSecret.nameFor('*', prefix), grantee, encryptionKey);
  }

  /** The secret. */
  public readonly secret: secretsmanager.ISecret;

  /** Name of the secret, `superset/tenant/<id>/loader_credentials`. */
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
    this.secretName = TenantLoaderSecret.nameFor(tenant.id, EnvironmentNames.of(this).secretNamePrefix);
    this.roleName = loaderRoleName(tenant.id);
    this.secret = new LoginSecret(this, 'Secret', {
      ...{ host, port, database, encryptionKey },
      secretName: this.secretName,
      description: `PostgreSQL login of the ETL of tenant ${tenant.id}`,
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
