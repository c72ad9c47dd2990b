import { RemovalPolicy } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { EnvironmentNames } from '../naming/environment-names';
import { prefixed } from '../naming/secret-name-prefix';
import { LoginSecret } from '../tenant/login-secret';
import { LOADER_ROLE } from './desired-state';

/** Props of {@link LoaderSecret}. */
export interface LoaderSecretProps {
  /** Host name of the PostgreSQL server. */
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
 * The login of the operator's ETL, which may read and write the rows of all tenants: the secret
 * `superset/loader/db_credentials` with username, password, host, port and database. The name begins with the prefix of the
 * environment, if it has one ({@link EnvironmentNames}).
 */
export class LoaderSecret extends Construct {
  /**
   * Name of the secret.
   *
   * @param secretNamePrefix that of the environment.
   * @default - none
   */
  public static nameFor(secretNamePrefix?: string): string {
    return prefixed('superset/loader/db_credentials', secretNamePrefix);
  }

  /** The secret. */
  public readonly secret: secretsmanager.ISecret;

  /** Name of the secret. */
  public readonly secretName: string;

  /** ARN of the secret. */
  public readonly secretArn: string;

  /** Login role in PostgreSQL, the `username` in the secret. */
  public readonly roleName: string;

  /**
   * @param scope the parent.
   * @param id the id in it.
   * @param props the server.
   */
  constructor(scope: Construct, id: string, props: LoaderSecretProps) {
    super(scope, id);
    const { host, port, database, encryptionKey } = props;
    this.roleName = LOADER_ROLE;
    this.secretName = LoaderSecret.nameFor(EnvironmentNames.of(this).secretNamePrefix);
    this.secret = new LoginSecret(this, 'Secret', {
      ...{ host, port, database, encryptionKey },
      secretName: this.secretName,
      description: 'PostgreSQL login of the ETL that loads the tables of the tenants',
      username: LOADER_ROLE,
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
