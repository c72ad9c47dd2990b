import { ATTACKER, AttackedDatabase, BYSTANDER, VICTIM, startAttackedDatabase } from './attacked-database';
import { ATTACKS, Attack } from './attacks';
import { Loot, loot } from './loot';

const TENANTS = [ATTACKER, VICTIM, BYSTANDER];

describe.each([15, 17] as const)('a tenant who types SQL on PostgreSQL %i', (version) => {
  let database: AttackedDatabase;
  let before: string;
  let log: jest.SpyInstance;

  beforeAll(async () => {
    log = jest.spyOn(console, 'log').mockImplementation(() => undefined);
    database = await startAttackedDatabase(version);
    before = await database.state();
  }, 60_000);
  afterAll(async () => {
    await database?.stop();
    log.mockRestore();
  });

  /** An attack in a session of its own, which begins with giving up the read-only default. */
  async function attack({ sql, login }: Attack): Promise<Loot> {
    const statements = [sql].flat();
    try {
      const session = await database.attacker(login);
      try {
        await session.query('SET default_transaction_read_only = off').catch(() => undefined);
        return await loot(session, statements, TENANTS);
      } finally {
        await session.end();
      }
    } catch (error) {
      const { code, message } = error as { code?: string; message: string };
      return { error: code ?? message, marks: [], text: message };
    }
  }

  function ending({ error, marks }: Loot): string {
    if (error !== undefined) {
      return error;
    }
    return marks.includes(ATTACKER) ? 'own rows' : 'no rows';
  }

  describe.each(Object.entries(ATTACKS))('by %s', (_, attacks) => {
    test.each(attacks.map((one) => [one.name, one] as const))('gets no foreign row: %s', async (_name, one) => {
      const got = await attack(one);
      const foreign = got.marks.filter((tenant) => tenant !== ATTACKER).map(({ id }) => id);
      expect({ foreign, text: foreign.length > 0 ? got.text : '' }).toEqual({ foreign: [], text: '' });
      expect([one.ends].flat().includes(ending(got)) || `${ending(got)}: ${got.text.slice(0, 500)}`).toBe(true);
      expect(await database.state()).toBe(before);
      expect(await database.victimIsConnected()).toBe(true);
    });
  });
});
