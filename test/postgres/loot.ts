import { Client, DatabaseError } from 'pg';
import { MarkedTenant } from './attacked-database';

/** All that PostgreSQL told a session. */
export interface Loot {
  /** Code of the error that the last statement ended with. */
  readonly error?: string;
  /** Whose marks were in it: in rows, messages, notices, notifications or copied data. */
  readonly marks: MarkedTenant[];
  /** The same as text, to see why a test fails. */
  readonly text: string;
}

/** Runs statements one after another, as somebody who goes on whatever fails, and keeps all that comes back. */
export async function loot(session: Client, statements: string[], tenants: MarkedTenant[]): Promise<Loot> {
  const heard: string[] = [];
  const hear = (what: unknown) => heard.push(asText(what));
  session.on('notice', hear);
  session.on('notification', hear);
  connectionOf(session).on('copyData', (message) => hear(message.chunk));
  let error: string | undefined;
  for (const statement of statements) {
    error = undefined;
    try {
      const results = await session.query(statement);
      for (const { rows, fields } of Array.isArray(results) ? results : [results]) {
        hear(rows);
        hear(fields?.map(({ name }: { name: string }) => name));
      }
    } catch (failure) {
      error = (failure as DatabaseError).code ?? (failure as Error).message;
      hear(failure);
    }
  }
  const text = heard.join('\n');
  const typed = statements.join('\n');
  return { error, text, marks: tenants.filter((tenant) => hasMark(text, tenant, typed)) };
}

/** A canary that no statement contains, and a tenant's value unless somebody typed it. */
function hasMark(text: string, { canary, value }: MarkedTenant, typed: string): boolean {
  if (typed.includes(canary)) {
    throw new Error(`the attack knows ${canary} already`);
  }
  return text.includes(canary) || (text.includes(value) && !typed.includes(value));
}

function asText(what: unknown): string {
  if (Buffer.isBuffer(what)) {
    return what.toString();
  }
  if (Array.isArray(what)) {
    return what.map(asText).join('\n');
  }
  if (what !== null && typeof what === 'object' && !(what instanceof Date)) {
    const inherited = what instanceof Error ? [what.message] : [];
    return [...inherited, ...Object.values(what).map(asText)].join(' ');
  }
  return String(what);
}

function connectionOf(session: Client) {
  return (
    session as unknown as {
      connection: { on(event: 'copyData', listener: (message: { chunk: Buffer }) => void): void };
    }
  ).connection;
}
