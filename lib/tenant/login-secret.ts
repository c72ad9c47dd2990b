import { RemovalPolicy } from 'aws-cdk-lib';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';

/** The login of one PostgreSQL role. */
export interface Login {
  readonly secretName: string;
  readonly description: string;
  readonly username: string;
  readonly host: string;
  readonly port: string;
  readonly database: string;
  readonly encryptionKey?: kms.IKey;
  readonly removalPolicy: RemovalPolicy;
}

/**
 * Props of a secret with username, a generated password, host, port and database.
 *
 * Secrets Manager makes a new password whenever anything of the generator changes: this is stable on purpose. A new
 * host does change it, and runs the provisioner too, which gives the role the new password.
 */
export function loginSecretProps(login: Login): secretsmanager.SecretProps {
  const { username, host, port, database } = login;
  return {
    secretName: login.secretName,
    description: login.description,
    encryptionKey: login.encryptionKey,
    removalPolicy: login.removalPolicy,
    generateSecretString: {
      secretStringTemplate: JSON.stringify({ username, host, port, database }),
      generateStringKey: 'password',
      passwordLength: 40,
      excludePunctuation: true,
    },
  };
}

/** Why the login secrets do not rotate on their own yet. */
export const NOT_ROTATED = [
  {
    id: 'AwsSolutions-SMG4',
    reason: 'Nothing but Superset and the provisioner reads it; rotation that costs no outage is to come.',
  },
  {
    id: 'NIST.800.53.R5-SecretsManagerRotationEnabled',
    reason: 'Nothing but Superset and the provisioner reads it; rotation that costs no outage is to come.',
  },
];
