import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';

/** What one needs to log in to PostgreSQL. */
export interface Login {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly username: string;
  readonly password: string;
}

const client = new SecretsManagerClient({ maxAttempts: 6 });

/** The JSON of a secret. */
export async function readSecret(id: string): Promise<Record<string, string>> {
  const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId: id }));
  return JSON.parse(SecretString ?? '{}');
}

/** A login from a secret of ours, which carries all five fields. */
export async function readLogin(id: string): Promise<Login> {
  const secret = await readSecret(id);
  const missing = ['username', 'password', 'host', 'port', 'database'].filter((field) => !secret[field]);
  if (missing.length > 0) {
    throw new Error(`secret ${id} has no ${missing.join(', ')}`);
  }
  return {
    host: secret.host,
    port: Number(secret.port),
    database: secret.database,
    username: secret.username,
    password: secret.password,
  };
}
