import { InstancePlan } from '../environment/instance-plan';
import { Problem, problemText } from '../validation/problem';
import { InstancePlace, InstancePlaces } from './instance-placement';

/** What decides where a tenant's data are, and what a deployed tenant keeps for good. */
const KEPT = ['region', 'network', 'database'] as const satisfies readonly (keyof InstancePlace)[];

/**
 * Tenants that the environment puts elsewhere than where they are, which would give them an empty Superset.
 *
 * @param file name of the file of places.
 */
export function movedTenants(plans: InstancePlan[], known: InstancePlaces, file: string): string[] {
  return plans.flatMap((plan, index) => {
    const { id } = plan.tenant;
    const place: Partial<InstancePlace> = Object.hasOwn(known, id) ? known[id] : {};
    return KEPT.filter((key) => ![undefined, plan[key]].includes(place[key])).map((key) =>
      problemText({
        path: ['tenants', index, 'instance', key],
        code: 'TENANT_MOVED',
        fault: `is ${plan[key]} for tenant ${id}, but ${file} has it with ${key} ${place[key]}: it would begin anew there, with empty databases`,
        allowed: String(place[key]),
        remedy: remedyOf(key, id, String(place[key]), file),
      } satisfies Problem),
    );
  });
}

function remedyOf(key: string, id: string, value: string, file: string): string {
  return `set instance.${key}: ${value}. To move the tenant, follow docs/moving-a-tenant.md, "Within a fleet". If it was never deployed, delete the entry ${id} in ${file}`;
}
