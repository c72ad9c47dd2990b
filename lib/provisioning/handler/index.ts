import { DesiredState, ProvisionerEnvironment, ReconcileAttributes } from '../desired-state';
import { answer, listed } from './answer';
import { ReconcileResult, reconcile, reconcileStored, removeBatch } from './reconcile';

export { onDatabasesEvent } from './per-tenant/on-databases-event';

/** A request of CloudFormation, as the provider framework hands it on. */
interface ResourceEvent {
  readonly RequestType: 'Create' | 'Update' | 'Delete';
  readonly ResourceProperties: { readonly State: DesiredState };
}

/** A request of the schedule, or of a loader that made a table: reconcile what was deployed last. */
interface StoredEvent {
  readonly reconcile: 'stored';
}

/** Handles the custom resource of a batch of tenants, and the call to reconcile what is stored. */
export function onEvent(event: ResourceEvent | StoredEvent) {
  return answer(async () => {
    if ('reconcile' in event) {
      return attributes(await reconcileStored(environment()));
    }
    const desired = event.ResourceProperties.State;
    // Stable, so that CloudFormation never replaces (and then deletes) what holds the tenants.
    const PhysicalResourceId = `superset-tenancy/${desired.batch}`;
    if (event.RequestType === 'Delete') {
      await removeUnlessGone(desired);
      return { PhysicalResourceId };
    }
    return { PhysicalResourceId, Data: attributes(await reconcile(withLists(desired), environment())) };
  });
}

/** A server that no longer exists has no logins to end. */
async function removeUnlessGone(desired: DesiredState): Promise<void> {
  try {
    await removeBatch(withLists(desired), environment());
  } catch (error) {
    if ((error as { code?: string }).code !== 'ENOTFOUND') throw error;
    console.log(JSON.stringify({ step: 'removal', what: 'the server is gone, and the logins with it' }));
  }
}

/** CloudFormation leaves an empty list out. */
function withLists(desired: DesiredState): DesiredState {
  return { ...desired, tables: desired.tables ?? [], tenants: desired.tenants ?? [] };
}

function attributes({ changes, pending, unreadable }: ReconcileResult): ReconcileAttributes {
  console.log(JSON.stringify({ changes: changes.length, pending, unreadable }));
  return { Changes: String(changes.length), PendingTables: listed(pending), UnreadableRelations: listed(unreadable) };
}

function environment(): ProvisionerEnvironment {
  return process.env as unknown as ProvisionerEnvironment;
}
