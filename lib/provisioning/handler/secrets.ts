import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';

/** What one needs to log in to PostgreSQL. */
export interface Login {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly username: string;
  readonly password: string;
  /** Version of the secret, if it is known. */
  readonly version?: string;
}

const client = new SecretsManagerClient({ maxAttempts: 6 });

/** The JSON of a secret, and its version. */
export async function readSecret(id: string): Promise<{ value: Record<string, string>; version?: string }> {
  const { SecretString, VersionId } = await client.send(new GetSecretValueCommand({ SecretId: id }));
  return { value: JSON.parse(SecretString ?? '{}'), version: VersionId };
}

/** A login from a secret of ours, which carries all five fields. */
export async function readLogin(id: string): Promise<Login> {
  const { value, version } = await readSecret(id);
  const { username, password, host, port, database } = value;
  const missing = ['username', 'password', 'host', 'port', 'database'].filter((field) => !value[field]);
  if (missing.length > 0) {
    throw new Error(`secret ${id} has no ${missing.join(', ')}`);
  }
  return { host, port: Number(port), database, username, password, version };
}
