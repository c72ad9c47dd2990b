import { DatabaseServer } from '../../desired-databases';
import { ProvisioningError } from '../provisioning-error';
import { Session } from '../session';

/** Connections that a server takes. */
export async function readMaxConnections(master: Session): Promise<number> {
  const [{ max_connections: max }] = await master.rows<{ max_connections: string }>('SHOW max_connections');
  return Number(max);
}

/** The budget of the synthesis rests on a formula of RDS; here is what the server really takes. */
export function tooFewConnections(server: DatabaseServer, max: number): ProvisioningError[] {
  const needed = Number(server.connections);
  return max >= needed
    ? []
    : [
        new ProvisioningError(
          'connections',
          `max_connections is ${max}, and what is placed on it needs ${needed}: ${needed - max} too few. Take a larger ` +
            `instance class, raise max_connections in its parameter group and restart it, or move tenants to another shard`,
        ),
      ];
}
