import { BatchGetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { setTimeout as pause } from 'node:timers/promises';
import { Emulator } from './emulator';
import { LocalPgBouncer } from './pgbouncer';
import { PostgresUser } from './postgres';

const POLL_MILLISECONDS = 300;

/** Tells proxies the logins in the secrets that the template gives them, as RDS Proxy reads them itself. */
export class ProxyAgent {
  private readonly secretsManager: SecretsManagerClient;
  private readonly told = new Map<string, string>();
  private polling?: Promise<void>;
  private stopping = false;

  constructor(
    private readonly emulator: Emulator,
    /** By the logical ids of their resources. */
    private readonly proxies: ReadonlyMap<string, LocalPgBouncer>,
  ) {
    this.secretsManager = new SecretsManagerClient(emulator.sdk);
  }

  /** Begins to look for logins. */
  public start(): void {
    this.polling = this.poll();
  }

  public async stop(): Promise<void> {
    this.stopping = true;
    await this.polling;
  }

  private async poll(): Promise<void> {
    while (!this.stopping) {
      // A secret that cannot be read now, or an emulator that ends: whoever needs the login is told.
      await this.tell().catch(() => undefined);
      await pause(POLL_MILLISECONDS);
    }
  }

  private async tell(): Promise<void> {
    const secrets = this.emulator.proxySecrets();
    for (const [logicalId, proxy] of this.proxies) {
      const users = await this.usersOf(secrets[logicalId] ?? []);
      const text = JSON.stringify(users);
      if (this.told.get(logicalId) !== text) {
        this.told.set(logicalId, text);
        proxy.setUsers(users);
      }
    }
  }

  private async usersOf(arns: string[]): Promise<PostgresUser[]> {
    if (arns.length === 0) {
      return [];
    }
    const { SecretValues } = await this.secretsManager.send(new BatchGetSecretValueCommand({ SecretIdList: arns }));
    return (SecretValues ?? []).map(({ SecretString }) => {
      const { username, password } = JSON.parse(SecretString ?? '{}') as PostgresUser;
      return { username, password };
    });
  }
}
