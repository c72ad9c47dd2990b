import {
  BatchGetSecretValueCommand,
  GetSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import pLimit from 'p-limit';
import { untilAllowed } from './until-allowed';

/** What one needs to log in to PostgreSQL. */
export interface Login {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly username: string;
  readonly password: string;
  /** Version of the secret, if it is known. */
  readonly version?: string;
  /** Reads the password again, where it may be changed while it is in use. */
  readonly renewedPassword?: () => Promise<string>;
}

const client = untilAllowed(new SecretsManagerClient({ maxAttempts: 6 }));

/** A secret, and its version. */
interface Secret {
  readonly value: Record<string, string>;
  readonly version?: string;
}

/** The JSON of a secret, and its version. */
export async function readSecret(id: string): Promise<Secret> {
  return asSecret(await client.send(new GetSecretValueCommand({ SecretId: id })));
}

/** A login from a secret of ours, which carries all five fields. */
export async function readLogin(id: string): Promise<Login> {
  return asLogin(id, await readSecret(id));
}

/** Most secrets that one request takes (Secrets Manager API Reference, "BatchGetSecretValue"). */
const BATCH = 20;
const PARALLEL_BATCHES = 4;

/** Starts to read many logins in few requests. One that does not come that way is read by itself, which tells its error. */
export function readLogins(ids: string[]): Map<string, Promise<Login>> {
  const unique = [...new Set(ids)];
  const limit = pLimit(PARALLEL_BATCHES);
  const logins = new Map<string, Promise<Login>>();
  for (let start = 0; start < unique.length; start += BATCH) {
    const some = unique.slice(start, start + BATCH);
    const batch = limit(() => readBatch(some).catch(() => new Map<string, Secret>()));
    for (const id of some) {
      const login = batch.then((secrets) => {
        const secret = secrets.get(id);
        return secret ? asLogin(id, secret) : readLogin(id);
      });
      login.catch(() => undefined); // told by whoever waits for it
      logins.set(id, login);
    }
  }
  return logins;
}

async function readBatch(ids: string[]): Promise<Map<string, Secret>> {
  const { SecretValues } = await client.send(new BatchGetSecretValueCommand({ SecretIdList: ids }));
  return new Map(
    (SecretValues ?? []).flatMap((entry) => {
      const secret = asSecret(entry);
      return [[entry.ARN ?? '', secret] as const, [entry.Name ?? '', secret] as const];
    }),
  );
}

function asSecret({ SecretString, VersionId }: { SecretString?: string; VersionId?: string }): Secret {
  return { value: JSON.parse(SecretString ?? '{}'), version: VersionId };
}

function asLogin(id: string, { value, version }: Secret): Login {
  const { username, password, host, port, database } = value;
  const missing = ['username', 'password', 'host', 'port', 'database'].filter((field) => !value[field]);
  if (missing.length > 0) {
    throw new Error(`secret ${id} has no ${missing.join(', ')}`);
  }
  return { host, port: Number(port), database, username, password, version };
}
