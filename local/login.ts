import { readFileSync } from 'node:fs';
import { Client } from 'pg';

/** What a secret of ours holds. */
export interface DatabaseSecret {
  readonly username: string;
  readonly password: string;
  readonly host: string;
  readonly port: string;
  readonly database: string;
}

/** A login to the PostgreSQL of this machine, with the certificate that it must show. */
export interface Login extends DatabaseSecret {
  readonly caFile: string;
}

/** Connects over TLS, with the server's certificate and name verified. */
export async function connect({ username, password, host, port, database, caFile }: Login): Promise<Client> {
  const client = new Client({
    user: username,
    password,
    host,
    port: Number(port),
    database,
    ssl: { ca: readFileSync(caFile, 'utf8') },
  });
  client.on('error', () => undefined); // a query in flight gets the same error
  await client.connect();
  return client;
}

/** The login as libpq takes it: for psql, or for any other client. */
export function connectionUri({ username, password, host, port, database, caFile }: Login): string {
  const [user, word] = [username, password].map(encodeURIComponent);
  return `postgresql://${user}:${word}@${host}:${port}/${database}?sslmode=verify-full&sslrootcert=${encodeURI(caFile)}`;
}
