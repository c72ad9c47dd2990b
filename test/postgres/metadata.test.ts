import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AttackedDatabase, VICTIM, startAttackedDatabase } from './attacked-database';
import { ALLOWED, COMMENT, HIDDEN, Metadata, VISIBLE } from './metadata';

describe.each([15, 17] as const)('of another tenant, a tenant on PostgreSQL %i', (version) => {
  let database: AttackedDatabase;
  let log: jest.SpyInstance;

  beforeAll(async () => {
    log = jest.spyOn(console, 'log').mockImplementation(() => undefined);
    database = await startAttackedDatabase(version);
    await database.oversee(COMMENT);
  }, 60_000);
  afterAll(async () => {
    await database?.stop();
    log.mockRestore();
  });

  async function ask({ sql }: Metadata): Promise<Record<string, unknown>[]> {
    const session = await database.attacker();
    try {
      const results = [];
      for (const statement of [sql].flat()) results.push(await session.query(statement));
      return results.flat().at(-1)?.rows ?? [];
    } finally {
      await session.end();
    }
  }
  const named = (list: Metadata[]) => list.map((one) => [one.what, one] as const);

  test.each(named(VISIBLE))('sees %s', async (_, one) => {
    const rows = await ask(one);
    expect(Object.values(rows[0] ?? {})[0] ?? null).not.toBeNull();
  });

  test.each(named(HIDDEN))('does not see %s', async (_, one) => {
    const seen = await ask(one).catch((error: { code: string }) => error.code);
    expect(['42501', []]).toContainEqual(seen);
  });

  test.each(named(ALLOWED))('may %s', async (_, one) => {
    await expect(ask(one)).resolves.toBeDefined();
    expect(await database.victimIsConnected()).toBe(true);
  });

  test('learns from a plan how many rows the policy took away', async () => {
    const one = VISIBLE.find(({ what }) => what.includes('EXPLAIN')) as Metadata;
    const plan = JSON.stringify(await ask(one));
    expect(plan).toContain('"Rows Removed by Filter":250');
    expect(plan).not.toContain(VICTIM.canary);
  });
});

test.each([
  ['Visible', VISIBLE],
  ['Hidden', HIDDEN],
  ['Allowed', ALLOWED],
])('docs/isolation.md lists what is measured: %s', (heading, list) => {
  const text = readFileSync(join(__dirname, '../../docs/isolation.md'), 'utf8');
  const section = text.split(`### ${heading}\n`)[1].split(/\n(?:#|What must not)/)[0];
  expect(section.match(/^- .*(?:\n {2}.*)*/gm)?.map((item) => item.slice(2).replace(/\n +/g, ' '))).toEqual(
    list.map(({ what }) => what),
  );
});
