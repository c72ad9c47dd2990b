import { DatabaseServer } from './desired-databases';
import { Shard } from './shard';

/** A shard as the function is told of it. */
export function databaseServer({ name, server, connections }: Shard): DatabaseServer {
  const { hostname, port, masterSecret } = server;
  return { name, host: hostname, port, masterSecret: masterSecret.secretArn, connections: `${connections}` };
}
