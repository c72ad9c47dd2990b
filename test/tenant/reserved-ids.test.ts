import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { reservedFor } from '../../lib/tenant/reserved-ids';
import { startPostgres } from '../../local/postgres';

test.each([15, 17] as const)(
  'no tenant gets a key word or a role of PostgreSQL %s as its id',
  async (version) => {
    const directory = mkdtempSync(join(tmpdir(), 'reserved-ids-'));
    const postgres = await startPostgres({ version, directory });
    const { host, port, master } = postgres;
    const client = new Client({
      host,
      port,
      database: 'postgres',
      user: master.username,
      password: master.password,
      ssl: { ca: readFileSync(postgres.caFile, 'utf8') },
    });
    await client.connect();
    try {
      const { rows } = await client.query<{ name: string }>(
        `SELECT word AS name FROM pg_get_keywords() WHERE catcode IN ('R', 'T')
        UNION SELECT rolname FROM pg_roles WHERE rolname <> current_user
        UNION SELECT nspname FROM pg_namespace UNION SELECT datname FROM pg_database WHERE datistemplate OR datname = 'postgres'`,
      );
      expect(rows.length).toBeGreaterThan(90);
      expect(rows.map(({ name }) => name).filter((name) => !reservedFor(name))).toEqual([]);
    } finally {
      await client.end();
      await postgres.stop();
      rmSync(directory, { recursive: true, force: true });
    }
  },
  120_000,
);
