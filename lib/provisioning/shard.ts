import { TenantDatabaseServer } from '../database/tenant-database-server';

/** A server of tenants' databases, by the name that tenants give for it. */
export interface Shard {
  /** Name of the shard, for good. */
  readonly name: string;

  /** The server. Its database must be named `tenancy`: the provisioner keeps its books in it. */
  readonly server: TenantDatabaseServer;

  /** Connections that the server must take for its tenants, the proxy, the provisioner and operators. */
  readonly connections: number;
}
