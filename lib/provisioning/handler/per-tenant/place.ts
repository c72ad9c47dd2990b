import { tenantRoleName } from '../../desired-state';
import {
  DatabaseServer,
  DesiredDatabase,
  DesiredDatabases,
  REGISTRY_DATABASE,
  loaderRoleName,
  metadataDatabaseName,
  metadataRoleName,
  ownerRoleName,
  tenantDatabaseName,
} from '../../desired-databases';
import { MasterAccess } from '../master';

/** What one batch asks of one server; the server remembers it, for the schedule. */
export type ServerBatch = Omit<DesiredDatabases, 'servers'>;

/** A tenant's database and roles, by name. */
export interface Place {
  readonly id: string;
  readonly database: string;
  /** Role without login that owns the database. */
  readonly owner: string;
  /** The tenant's login role, which reads. */
  readonly reader: string;
  /** The login role of its ETL, whether it has one or not. */
  readonly loader: string;
  /** Its Superset's metadata and the login role that owns them, whether they are on this server or not. */
  readonly metadata: OwnedDatabase;
}

/** A database, and the role that owns it. */
export interface OwnedDatabase {
  readonly database: string;
  readonly owner: string;
}

/** Schema of the extensions in each database. */
export const EXTENSIONS_SCHEMA = 'extensions';

export function placeOf(id: string): Place {
  return {
    id,
    database: tenantDatabaseName(id),
    owner: ownerRoleName(id),
    reader: tenantRoleName(id),
    loader: loaderRoleName(id),
    metadata: { database: metadataDatabaseName(id), owner: metadataRoleName(id) },
  };
}

/** The part of a batch that concerns one server. */
export function batchOn(server: DatabaseServer, { batch, schema, extensions, tenants }: DesiredDatabases): ServerBatch {
  return { batch, schema, extensions, tenants: tenants.filter((tenant) => tenant.server === server.name) };
}

/** How to be the master of a server, in the database that nobody else enters. */
export function registryOf({ host, port, masterSecret }: DatabaseServer): MasterAccess {
  return { host, port, database: REGISTRY_DATABASE, secret: masterSecret };
}

/** Whether the metadata of its Superset are to be on this server. */
export function hasMetadata(tenant: DesiredDatabase): boolean {
  return Boolean(tenant.metadataSecret);
}

/** Whether an ETL is asked for. */
export function hasLoader(tenant: DesiredDatabase): boolean {
  return Boolean(tenant.loaderSecret);
}
