import { DatabaseServer, DatabasesAttributes, DesiredDatabases, ProxiedServers } from '../../desired-databases';
import { answer, listed } from '../answer';
import { admitProxies } from './admit-proxies';
import { DatabasesResult, reconcileDatabases, reconcileStoredDatabases, removeDatabases } from './reconcile-databases';

/** A request of CloudFormation, as the provider framework hands it on. */
interface ResourceEvent {
  readonly RequestType: 'Create' | 'Update' | 'Delete';
  readonly ResourceProperties: { readonly State: DesiredDatabases } | ProxiedServers;
}

/** A request of the schedule: reconcile what the servers were asked for last. */
interface StoredEvent {
  readonly reconcile: 'stored';
  readonly servers: DatabaseServer[];
}

/** Handles the custom resource of a batch of tenants with databases of their own, and the call to reconcile what is stored. */
export function onDatabasesEvent(event: ResourceEvent | StoredEvent) {
  return answer(async () => {
    if ('reconcile' in event) {
      return attributes(await reconcileStoredDatabases(event.servers));
    }
    const { RequestType, ResourceProperties } = event;
    if ('ProxiedServers' in ResourceProperties) {
      if (RequestType !== 'Delete') await admitProxies(ResourceProperties.ProxiedServers);
      return { PhysicalResourceId: 'superset-tenancy/proxied-servers' };
    }
    const desired = withLists(ResourceProperties.State);
    // Stable, so that CloudFormation never replaces (and then deletes) what holds the tenants.
    const PhysicalResourceId = `superset-tenancy/databases/${desired.batch}`;
    if (RequestType === 'Delete') {
      await removeDatabases(desired);
      return { PhysicalResourceId };
    }
    return { PhysicalResourceId, Data: attributes(await reconcileDatabases(desired)) };
  });
}

/** CloudFormation leaves an empty list out. */
function withLists(desired: DesiredDatabases): DesiredDatabases {
  const { servers = [], extensions = [], tenants = [] } = desired;
  return { ...desired, servers, extensions, tenants };
}

function attributes({ changes, connections }: DatabasesResult): DatabasesAttributes {
  console.log(JSON.stringify({ changes: changes.length, connections }));
  return { Changes: String(changes.length), Connections: listed(connections) };
}
