import { escapeIdentifier, escapeLiteral } from 'pg';

/** A piece of SQL whose identifiers and literals were quoted by the driver. Only {@link sql} and its two quoters make one. */
export class Sql {
  constructor(readonly text: string) {}
}

/** SQL with quoted pieces in it; a plain string cannot get in. */
export function sql(strings: TemplateStringsArray, ...pieces: Sql[]): Sql {
  return new Sql(strings.reduce((text, part, i) => text + pieces[i - 1].text + part));
}

/** A name, qualified if there are several. */
export function identifier(...names: string[]): Sql {
  return new Sql(names.map((name) => escapeIdentifier(name)).join('.'));
}

/** A value, as a literal: statements that define roles and policies take no parameters. */
export function literal(value: string): Sql {
  return new Sql(escapeLiteral(value));
}

/** Several pieces with commas between them. */
export function list(pieces: Sql[]): Sql {
  return new Sql(pieces.map((piece) => piece.text).join(', '));
}

/** The type of the tenant column, as the catalog names it: `bigint` is a spelling of the grammar, and cannot be quoted. */
export function columnType(type: 'uuid' | 'text' | 'bigint'): Sql {
  return { uuid: sql`pg_catalog.uuid`, text: sql`pg_catalog.text`, bigint: sql`pg_catalog.int8` }[type];
}
