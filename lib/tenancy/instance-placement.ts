import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import { InstanceSharing } from '../tenant/tenant-instance';
import { InstancePlan } from '../environment/instance-plan';

/** Where a tenant has its place: for good, since another cell has another load balancer and another server. */
export interface InstancePlace {
  readonly region: string;
  /** Number of the cell in its region, from 1 on. */
  readonly cell: number;
  /** Of its rule at the load balancer of the cell; no other tenant of the cell ever had it. */
  readonly priority: number;
}

/** The places of tenants by their ids, those of tenants that are no longer there too. */
export type InstancePlaces = { readonly [tenantId: string]: InstancePlace };

/**
 * Gives each tenant that shares something a place: the one that it has, or else the next one in the first cell of its region with
 * room. A tenant that goes makes room, but leaves its priority behind, since its rule may still be there.
 */
export function placeInstances(plans: InstancePlan[], tenantsPerCell: number, known: InstancePlaces): InstancePlaces {
  const places: Record<string, InstancePlace> = { ...known };
  const sharing = plans.filter(sharesCell);
  const present = new Set(sharing.map(({ tenant }) => tenant.id));
  for (const { tenant, region } of sharing) {
    if (places[tenant.id]?.region === region) continue;
    const inRegion = Object.entries(places).filter(([id, place]) => place.region === region && id !== tenant.id);
    const tenantsOf = (cell: number) => inRegion.filter(([id, place]) => place.cell === cell && present.has(id)).length;
    let cell = 1;
    while (tenantsOf(cell) >= tenantsPerCell) cell++;
    const taken = inRegion.filter(([, place]) => place.cell === cell).map(([, { priority }]) => priority);
    places[tenant.id] = { region, cell, priority: Math.max(0, ...taken) + 1 };
  }
  return places;
}

/** Whether a tenant has something that its cell has. */
export function sharesCell({ network, loadBalancer, database }: InstancePlan): boolean {
  return [network, loadBalancer, database].includes(InstanceSharing.CELL);
}

/** The places that a file holds; none if there is no file yet. */
export function readPlaces(path: string): InstancePlaces {
  if (!existsSync(path)) return {};
  try {
    const { places } = JSON.parse(readFileSync(path, 'utf8')) as { readonly places: InstancePlaces };
    if (Object.values(places).every(isPlace)) return places;
  } catch {
    // Told below.
  }
  throw new Error(
    `${relative(process.cwd(), path)} holds no places of tenants. Take it from version control again: it says where the tenants of this environment are.`,
  );
}

/** Writes the places; answers whether that changed the file. */
export function writePlaces(path: string, places: InstancePlaces): boolean {
  const sorted = Object.fromEntries(Object.entries(places).sort(([a], [b]) => (a < b ? -1 : 1)));
  const text = `${JSON.stringify({ about: ABOUT, places: sorted }, null, 2)}\n`;
  if (existsSync(path) && readFileSync(path, 'utf8') === text) return false;
  writeFileSync(path, text);
  return true;
}

const ABOUT = 'Where each tenant has its place, for good. Synthesis adds to it: commit it, and change nothing in it.';

function isPlace(place: unknown): boolean {
  const { region, cell, priority } = (place ?? {}) as Partial<InstancePlace>;
  return typeof region === 'string' && Number.isInteger(cell) && Number.isInteger(priority);
}
