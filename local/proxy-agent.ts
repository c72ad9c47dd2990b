import {
  BatchGetSecretValueCommand,
  GetSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { setTimeout as pause } from 'node:timers/promises';
import { Emulator } from './emulator';
import { recordClients } from './network/proxy-clients';
import { ConnectionRecord, applicationName } from './network/record';
import { LocalPgBouncer } from './pgbouncer';
import { LocalPostgres, PostgresUser } from './postgres';
import { ProxyHealth, registerTarget } from './proxy-health';
import { roleSession } from './role-session';

const POLL_MILLISECONDS = 300;

/** Tells proxies the logins in the secrets that the template gives them, as RDS Proxy reads them itself. */
export class ProxyAgent {
  private readonly secretsManager: SecretsManagerClient;
  private readonly told = new Map<string, string>();
  /** The secrets that the role of each proxy may read. */
  private readonly readable = new Map<string, Set<string>>();
  private readonly health = new Map<string, ProxyHealth>();
  private polling?: Promise<void>;
  private recording: { stop(): Promise<void> }[] = [];
  private stopping = false;

  constructor(
    private readonly emulator: Emulator,
    /** By the logical ids of their resources. */
    private readonly proxies: ReadonlyMap<string, LocalPgBouncer>,
    /** What stands behind them, by the same ids. */
    private readonly servers: ReadonlyMap<string, LocalPostgres>,
    private readonly record: ConnectionRecord,
  ) {
    this.secretsManager = new SecretsManagerClient(emulator.sdk);
  }

  /** Begins to look for logins. */
  public start(): void {
    this.polling = this.poll();
    this.recording = [...this.proxies.values()].map((proxy) => recordClients(this.record, proxy));
  }

  public async stop(): Promise<void> {
    this.stopping = true;
    await this.polling;
    await Promise.all([...this.health.values(), ...this.recording].map((part) => part.stop()));
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
    const registered = this.emulator.registeredTargets();
    for (const [logicalId, proxy] of this.proxies) {
      const server = this.servers.get(logicalId);
      if (registered.includes(logicalId) && server && !this.health.has(logicalId)) {
        this.health.set(logicalId, await registerTarget(server, proxy, applicationName({ proxy: logicalId })));
      }
      const users = await this.usersOf(await this.readableBy(logicalId, secrets[logicalId] ?? []));
      const text = JSON.stringify(users);
      if (this.told.get(logicalId) !== text) {
        this.told.set(logicalId, text);
        proxy.setUsers(users);
      }
    }
    const problems = [...this.health].map(([logicalId, health]) => [logicalId, health.problem() ?? '']);
    this.emulator.setTargetHealth(Object.fromEntries(problems));
  }

  /** Reads each secret as the role of the proxy once: what follows is asked for in one call, which RDS Proxy does not make. */
  private async readableBy(logicalId: string, arns: string[]): Promise<string[]> {
    const readable = this.readable.get(logicalId) ?? new Set();
    this.readable.set(logicalId, readable);
    const credentials = roleSession(this.emulator.proxyRoles()[logicalId] ?? '');
    const secretsManager = new SecretsManagerClient({ ...this.emulator.sdk, credentials });
    for (const arn of arns.filter((each) => !readable.has(each))) {
      const read = secretsManager.send(new GetSecretValueCommand({ SecretId: arn }));
      await read.then(
        () => readable.add(arn),
        () => undefined,
      );
    }
    return arns.filter((arn) => readable.has(arn));
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
