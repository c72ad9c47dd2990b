import { Session } from '../../session';
import { Sql, identifier } from '../../sql';
import { DesiredDatabase } from '../../../desired-databases';
import { Place } from '../place';
import { ServerTraits } from '../server-traits';

/** A tenant's database, seen by the master user in it. */
export interface DatabaseInside {
  readonly session: Session;
  readonly tenant: DesiredDatabase;
  readonly place: Place;
  readonly traits: ServerTraits;
  /** Role of the ETL, if there is one: it may exist although none is asked for any more. */
  readonly loader?: string;
}

/** What is not as it should be: statements that mend it, and what only somebody else can mend. */
export interface Mending {
  readonly what: string;
  readonly statements: Sql[];
  /** Each with the statement that whoever may has to run. */
  readonly refused?: string[];
}

/** The roles for which the master user acts while it mends. */
export function actedFor({ place, loader }: DatabaseInside, owned: boolean): string[] {
  return [place.owner, ...(loader ? [loader] : []), ...(owned ? [place.reader] : [])];
}

/** Whether the master user may change what a role owns, while it acts for the tenant's roles. */
export function mendable({ place, loader, traits }: DatabaseInside, owner: string): boolean {
  return [traits.master, place.owner, place.reader, loader, 'pg_database_owner'].includes(owner);
}

/** A role as a grant names it. */
export function grantee(name: string): Sql {
  return name === 'PUBLIC' ? new Sql(name) : identifier(name);
}
