import { RemovalPolicy, Validations } from 'aws-cdk-lib';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { EnvironmentNames } from '../naming/environment-names';
import { OTHER_PREFIX, claimName } from '../naming/name-claims';
import { skipCheckov } from '../validation/skipped-checks';
import { kept } from '../protection/protection';

/** The login of one PostgreSQL role. */
export interface Login {
  /** @default - a name that CloudFormation makes */
  readonly secretName?: string;
  readonly description: string;
  readonly username: string;
  readonly host: string;
  readonly port: string;
  readonly database: string;
  readonly encryptionKey?: kms.IKey;
  readonly removalPolicy: RemovalPolicy;
}

/**
 * A secret with username, a generated password, host, port and database, for services that log in with it.
 *
 * Secrets Manager makes a new password whenever anything of the generator changes: this is stable on purpose. A new
 * host does change it, and runs what makes the role too (the provisioner, Superset's migration), which sets the new password.
 */
export class LoginSecret extends secretsmanager.Secret {
  constructor(scope: Construct, id: string, props: Login) {
    const { username, host, port, database } = props;
    super(scope, id, {
      secretName: props.secretName,
      description: props.description,
      encryptionKey: props.encryptionKey,
      removalPolicy: kept(props.removalPolicy),
      generateSecretString: {
        secretStringTemplate: JSON.stringify({ username, host, port, database }),
        generateStringKey: 'password',
        passwordLength: 40,
        excludePunctuation: true,
      },
    });
    nameEnvironment(this, props.secretName);
    acknowledgeLoginSecret(
      this,
      'Only the services that log in with it read it; rotation that costs no outage is to come.',
    );
  }
}

/** Tags a secret with its environment, whatever other tags the app sets, and keeps its name, if it is a fixed one, for it. */
export function nameEnvironment(secret: secretsmanager.Secret, secretName?: string): void {
  const { environment } = EnvironmentNames.of(secret);
  (secret.node.defaultChild as secretsmanager.CfnSecret).tags.setTag(EnvironmentNames.TAG, environment, TAG_PRIORITY);
  if (secretName) claimName(secret, 'secret', secretName, OTHER_PREFIX);
}

/** Above what `Tags.of` sets, 100 unless it is given another. */
const TAG_PRIORITY = 1_000_000;

/** Acknowledges what the rule packs find on a login secret, with the reason why it is not rotated. */
export function acknowledgeLoginSecret(secret: secretsmanager.Secret, rotation: string): void {
  Validations.of(secret).acknowledge(
    { id: 'AwsSolutions-SMG4', reason: rotation },
    { id: 'NIST.800.53.R5-SecretsManagerRotationEnabled', reason: rotation },
  );
  if (!secret.encryptionKey) {
    const key = 'No key was given: it is encrypted with the key of the account for Secrets Manager.';
    Validations.of(secret).acknowledge({ id: 'NIST.800.53.R5-SecretsManagerUsingKMSKey', reason: key });
    skipCheckov(secret.node.defaultChild as secretsmanager.CfnSecret, key, 'CKV_AWS_149');
  }
}
