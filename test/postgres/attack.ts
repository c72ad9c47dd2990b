import { ATTACKER, AttackedDatabase, BYSTANDER, VICTIM } from './attacked-database';
import { Attack } from './attacks';
import { Loot, loot } from './loot';

const TENANTS = [ATTACKER, VICTIM, BYSTANDER];

/** What came of an attack. */
export interface Outcome {
  /** Tenants whose rows or value the attacker saw, itself left out. */
  readonly foreign: string[];
  /** An SQLSTATE, `own rows` or `no rows`. */
  readonly ending: string;
  readonly text: string;
}

/** Makes an attack in a session of its own, which begins with giving up the read-only default. */
export async function attack(database: AttackedDatabase, { sql, login }: Attack): Promise<Outcome> {
  const got = await lootOf(database, [sql].flat(), login);
  return {
    foreign: got.marks.filter((tenant) => tenant !== ATTACKER).map(({ id }) => id),
    ending: got.error ?? (got.marks.includes(ATTACKER) ? 'own rows' : 'no rows'),
    text: got.text,
  };
}

async function lootOf(database: AttackedDatabase, statements: string[], login: Attack['login']): Promise<Loot> {
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
