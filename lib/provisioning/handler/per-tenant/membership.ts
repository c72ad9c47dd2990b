import { Sql, identifier, sql } from '../sql';

/**
 * Statements between which the master user may do what other roles may.
 *
 * A membership must not outlive them: views of the master's would show the tenant's rows to whoever reads the views.
 */
export function actingFor(roles: readonly string[], withGrantOptions: boolean, statements: Sql[]): Sql[] {
  return statements.length === 0
    ? []
    : [
        ...roles.map((role) => beginMembership(role, withGrantOptions)),
        ...statements,
        ...roles.map((role) => endMembership(role)),
      ];
}

export function beginMembership(role: string, withGrantOptions: boolean): Sql {
  const options = withGrantOptions ? sql` WITH INHERIT TRUE, SET TRUE` : sql``;
  return sql`GRANT ${identifier(role)} TO CURRENT_USER${options}`;
}

export function endMembership(role: string): Sql {
  return sql`REVOKE ${identifier(role)} FROM CURRENT_USER`;
}
