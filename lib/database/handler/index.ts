import { PROXY_READINESS } from '../server-requests';
import { areProxiesAvailable, onProxiesEvent } from './proxies';
import { areSnapshotsAvailable, onSnapshotsEvent } from './snapshots';

/** Two custom resources share the functions, as each function costs the stack a handful of resources. */
const PROXIES = { onEvent: onProxiesEvent, isComplete: areProxiesAvailable };
const SNAPSHOTS = { onEvent: onSnapshotsEvent, isComplete: areSnapshotsAvailable };

interface AnyEvent {
  readonly ResourceType: string;
}

/** Begins what a custom resource asks for. */
export function onEvent(event: AnyEvent) {
  return handlersOf(event).onEvent(event as never);
}

/** Whether it is done. */
export function isComplete(event: AnyEvent) {
  return handlersOf(event).isComplete(event as never);
}

function handlersOf({ ResourceType }: AnyEvent) {
  return ResourceType === PROXY_READINESS ? PROXIES : SNAPSHOTS;
}
