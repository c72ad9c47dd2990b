import { InstancePlan } from '../environment/instance-plan';
import { InstanceSharing } from '../tenant/tenant-instance';

/** Where a tenant's network, server and data are. All of it is for good: another place is an empty Superset. */
export interface InstancePlace {
  readonly region: string;
  /** Unknown in files of earlier versions, as is the database. */
  readonly network?: InstanceSharing;
  readonly database?: InstanceSharing;
  /** Number of the cell in its region, from 1 on; none if the tenant shares nothing. */
  readonly cell?: number;
  /** Of its rule at the load balancer of the cell; no other tenant of the cell ever had it. */
  readonly priority?: number;
}

/** The place of a tenant that shares something. */
export type CellPlace = InstancePlace & Required<Pick<InstancePlace, 'cell' | 'priority'>>;

/** The places of tenants by their ids, those of tenants that were removed too. */
export type InstancePlaces = { readonly [tenantId: string]: InstancePlace };

/**
 * Gives each tenant a place: the one that it has, or else one in its region, in the first cell with room if it shares something. A
 * removed tenant makes room, but keeps its priority, since its rule may still be there.
 */
export function placeInstances(plans: InstancePlan[], tenantsPerCell: number, known: InstancePlaces): InstancePlaces {
  const places = new Map(Object.entries(known));
  const present = new Set(plans.filter(sharesCell).map(({ tenant }) => tenant.id));
  for (const plan of plans) {
    const { id } = plan.tenant;
    const { region, network, database } = plan;
    const before = places.get(id);
    const place = { region, network, database, ...before };
    places.set(
      id,
      sharesCell(plan) && !isInCell(place) ? { ...place, ...freeCell(region, places, present, tenantsPerCell) } : place,
    );
  }
  return Object.fromEntries(places);
}

function freeCell(
  region: string,
  places: ReadonlyMap<string, InstancePlace>,
  present: ReadonlySet<string>,
  tenantsPerCell: number,
): { readonly cell: number; readonly priority: number } {
  const inRegion = [...places].flatMap(([id, place]) =>
    place.region === region && isInCell(place) ? [{ id, ...place }] : [],
  );
  const tenantsOf = (number: number) => inRegion.filter(({ id, cell }) => cell === number && present.has(id)).length;
  let cell = 1;
  while (tenantsOf(cell) >= tenantsPerCell) cell++;
  const taken = inRegion.filter((place) => place.cell === cell).map(({ priority }) => priority);
  return { cell, priority: Math.max(0, ...taken) + 1 };
}

/** Whether a tenant has something that its cell has. */
export function sharesCell({ network, loadBalancer, database }: InstancePlan): boolean {
  return [network, loadBalancer, database].includes(InstanceSharing.CELL);
}

/** Whether a place is in a cell. */
export function isInCell(place: InstancePlace | undefined): place is CellPlace {
  return place?.cell !== undefined && place.priority !== undefined;
}
