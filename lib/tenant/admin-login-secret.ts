import { RemovalPolicy } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { EnvironmentNames } from '../naming/environment-names';
import { prefixed } from '../naming/secret-name-prefix';
import { acknowledgeLoginSecret, nameEnvironment } from './login-secret';
import { grantReadOfEachTenant } from './secrets-of-tenants';
import { Tenant } from './tenant';
import { oneTenantProblems } from './tenant-rules';
import { refuse } from '../validation/refuse';

/** Props of {@link AdminLoginSecret}. */
export interface AdminLoginSecretProps {
  /** The tenant, whose `adminEmail` is the user name. */
  readonly tenant: Tenant;

  /**
   * Key that encrypts the secret.
   *
   * @default - the account's `aws/secretsmanager` key
   */
  readonly encryptionKey?: kms.IKey;
}

/**
 * The first login of a tenant's administrator in Superset: the secret `superset/tenant/<id>/admin_login` with username and
 * password.
 *
 * It is how the operator hands Superset over, once: Superset takes the password when it makes the user, and again when a removed
 * tenant is added again. What the person changes there later is not known here.
 *
 * Another `adminEmail` is another user: CloudFormation then makes a new password, even if only the case of a letter changes, and
 * the secret forgets the old one. The user of before keeps its password; if Superset has a user of the new name already, that one
 * keeps its own, too, and the password of the secret is nobody's.
 *
 * Its name has the prefix of the environment, and it is deleted with its tenant, as a {@link TenantSecret} is.
 */
export class AdminLoginSecret extends Construct {
  /**
   * Name of the secret of a tenant.
   *
   * @param tenantId id of the tenant.
   * @param secretNamePrefix that of the environment.
   * @default - none
   */
  public static nameFor(tenantId: string, secretNamePrefix?: string): string {
    return prefixed(`superset/tenant/${tenantId}/admin_login`, secretNamePrefix);
  }

  /**
   * Lets a principal read these secrets of all tenants of an environment, now and later, in one statement.
   *
   * @param scope the construct that asks, in that environment. The finding on the wildcard in the policy is acknowledged on it.
   * @param grantee the principal.
   * @param encryptionKey key of the secrets, which the principal may use by way of Secrets Manager only.
   */
  public static grantReadAll(scope: Construct, grantee: iam.IGrantable, encryptionKey?: kms.IKey): iam.Grant {
    return grantReadOfEachTenant(scope, (prefix) => AdminLoginSecret.nameFor('*', prefix), grantee, encryptionKey);
  }

  /** The secret. */
  public readonly secret: secretsmanager.ISecret;

  /** Name of the secret, `superset/tenant/<id>/admin_login`. */
  public readonly secretName: string;

  /** ARN of the secret. */
  public readonly secretArn: string;

  /**
   * @param scope the parent.
   * @param id the id in it.
   * @param props the tenant.
   */
  constructor(scope: Construct, id: string, props: AdminLoginSecretProps) {
    super(scope, id);
    const { tenant } = props;
    refuse(this, oneTenantProblems(tenant));
    this.secretName = AdminLoginSecret.nameFor(tenant.id, EnvironmentNames.of(this).secretNamePrefix);
    const secret = new secretsmanager.Secret(this, 'Secret', {
      secretName: this.secretName,
      description: `First login of the administrator of tenant ${tenant.id} in Superset`,
      encryptionKey: props.encryptionKey,
      removalPolicy: RemovalPolicy.DESTROY,
      generateSecretString: {
        secretStringTemplate: JSON.stringify({ username: tenant.adminEmail }),
        generateStringKey: 'password',
        passwordLength: 32,
        excludePunctuation: true,
      },
    });
    nameEnvironment(secret, this.secretName);
    this.secret = secret;
    this.secretArn = secret.secretArn;
    acknowledgeLoginSecret(secret, 'A person signs in with it once, and changes the password in Superset.');
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
