import { allowedNetworkProblems, networksOfARule } from '../network/network-rules';
import { InstanceSharing, Residency } from '../tenant/tenant-instance';
import { Path, Problem, pathText, valueText } from '../validation/problem';
import { at, text } from './at';
import { Environment } from './environment';
import { InstancePlan, instancePlans, stackPart } from './instance-plan';
import { certificateOfTheRegion, knownRegion, networkProblems, regionExists } from './place-rules';
import { REGIONS_OF } from './residency-regions';
import { regionsWithRoot } from '../database/rds-authorities';

/**
 * What is wrong with instances, their regions and rings. Whatever is not of its type is passed over: the schema says that.
 *
 * @param hasShape whether the schema found nothing, so that instances can be planned.
 */
export function instanceRuleProblems(environment: unknown, hasShape: boolean): Problem[] {
  const regions = list(environment, ['regions']);
  return [
    ...regions.flatMap((_, index) => regionProblems(environment, ['regions', index])),
    ...duplicates(environment, ['instances', 'rings']),
    ...list(environment, ['tenants']).flatMap((_, index) =>
      tenantProblems(environment, ['tenants', index, 'instance']),
    ),
    ...(hasShape ? planProblems(environment as Environment) : []),
  ];
}

function regionProblems(environment: unknown, path: Path): Problem[] {
  const name = [...path, 'name'];
  const region = knownRegion(environment, name);
  const again =
    region !== undefined &&
    (region === text(environment, ['region']) ||
      list(environment, ['regions']).findIndex((each) => at(each, ['name']) === region) < (path[1] as number));
  return [
    ...regionExists(environment, name),
    ...(again
      ? [{ path: name, code: 'REGION_DUPLICATE', fault: `is ${valueText(region)} again`, remedy: 'take it out' }]
      : []),
    ...certificateOfTheRegion(environment, [...path, 'certificateArn'], region),
    ...networkProblems(environment, [...path, 'network'], region),
  ];
}

function tenantProblems(environment: unknown, path: Path): Problem[] {
  if (at(environment, path) === undefined) return [];
  const region = knownRegion(environment, [...path, 'region']) ?? knownRegion(environment);
  return [
    ...unknownRegion(environment, [...path, 'region']),
    ...elsewhere(environment, [...path, 'residency'], text(environment, [...path, 'region']) ?? region),
    ...certificateOfTheRegion(environment, [...path, 'certificateArn'], region),
    ...unknownRing(environment, [...path, 'ring']),
    ...allowedNetworkProblems(at(environment, [...path, 'allowedNetworks']), [...path, 'allowedNetworks']),
  ];
}

function unknownRegion(environment: unknown, path: Path): Problem[] {
  const region = text(environment, path);
  const known = [text(environment, ['region']), ...list(environment, ['regions']).map((each) => at(each, ['name']))];
  if (region === undefined || known.includes(region)) return [];
  return [
    {
      path,
      code: 'INSTANCE_REGION_UNKNOWN',
      fault: `is ${valueText(region)}, which is no region of this environment`,
      allowed: known.join(', '),
      remedy: 'write one of them, or add it to regions with its certificate',
    },
  ];
}

function elsewhere(environment: unknown, path: Path, region: string | undefined): Problem[] {
  const residency = text(environment, path) as Residency | undefined;
  const allowed = residency && REGIONS_OF[residency]?.filter((each) => regionsWithRoot().has(each));
  if (!allowed || region === undefined || allowed.includes(region)) return [];
  return [
    {
      path,
      code: 'RESIDENCY_CONTRADICTED',
      fault: `is ${valueText(residency)}, but the tenant is in ${region}, and its data, backups, logs and keys with it`,
      allowed: `a region of it: ${allowed.join(', ')}`,
      remedy: `set instance.region to one of them, and add that to regions`,
    },
  ];
}

function unknownRing(environment: unknown, path: Path): Problem[] {
  const ring = text(environment, path);
  const rings = at(environment, ['instances', 'rings']) ?? ['all'];
  if (ring === undefined || !Array.isArray(rings) || rings.includes(ring)) return [];
  return [
    {
      path,
      code: 'RING_UNKNOWN',
      fault: `is ${valueText(ring)}, which is no ring`,
      allowed: rings.join(', '),
      remedy: 'write one of them, or add it to instances.rings',
    },
  ];
}

/** What only shows when each choice is made. */
function planProblems(environment: Environment): Problem[] {
  const plans = instancePlans(environment);
  return [
    ...sameDomains(plans),
    ...plans.flatMap(idOfACell),
    ...plans.flatMap((plan, index) => [
      ...sharingWithoutNetwork(plan, index),
      ...tooManyNetworks(plan, index),
      ...backupOfTheCell(plan, index),
    ]),
  ];
}

function sameDomains(plans: InstancePlan[]): Problem[] {
  const first = new Map<string, number>();
  return plans.flatMap(({ domainName, tenant }, index): Problem[] => {
    const before = first.get(domainName);
    if (before === undefined) {
      first.set(domainName, index);
      return [];
    }
    return [
      {
        path: ['tenants', index, ...(tenant.instance?.domainName ? ['instance', 'domainName'] : ['id'])],
        code: 'DOMAIN_DUPLICATE',
        fault: `makes the host name ${domainName}, as does ${pathText(['tenants', before])}`,
        remedy: 'give each tenant a host name of its own (instance.domainName)',
      },
    ];
  });
}

/** Stacks of tenants and of cells are named alike: `<fleet>-<tenant>` and `<fleet>-<region>-cell<number>`. */
function idOfACell({ tenant: { id } }: InstancePlan, index: number): Problem[] {
  const [cell, region, number] = /^([a-z]{2}(?:-[a-z]+)+-[0-9])-cell([0-9]+)$/.exec(stackPart(id)) ?? [];
  if (cell === undefined) return [];
  return [
    {
      path: ['tenants', index, 'id'],
      code: 'TENANT_ID_OF_CELL',
      fault: `is ${valueText(id)}, whose stack would be named …-${cell}, as that of cell ${number} of ${region} is`,
      remedy: 'choose an opaque id, for instance tk4q9w',
    },
  ];
}

function sharingWithoutNetwork({ network, loadBalancer, database, tenant }: InstancePlan, index: number): Problem[] {
  if (network === InstanceSharing.CELL) return [];
  const parts = Object.entries({ loadBalancer, database }).filter(([, sharing]) => sharing === InstanceSharing.CELL);
  return parts.map(([part]) => ({
    path: ['tenants', index, ...(tenant.instance ? ['instance'] : [])],
    code: 'SHARING_WITHOUT_NETWORK',
    fault: `has a network of its own, but the ${part} of its cell, which stands in the network of the cell`,
    allowed: `network: cell, or ${part}: own`,
    remedy: `add ${part}: own`,
  }));
}

function tooManyNetworks({ loadBalancer, allowedNetworks }: InstancePlan, index: number): Problem[] {
  if (loadBalancer === InstanceSharing.OWN) return [];
  return networksOfARule(allowedNetworks, ['tenants', index, 'instance', 'allowedNetworks']);
}

function backupOfTheCell({ database, tenant }: InstancePlan, index: number): Problem[] {
  if (database === InstanceSharing.OWN || tenant.instance?.backupDays === undefined) return [];
  return [
    {
      path: ['tenants', index, 'instance', 'backupDays'],
      code: 'BACKUP_OF_THE_CELL',
      fault: 'is for a server of its own, but the tenant is on that of its cell, which is backed up as a whole',
      remedy: 'add database: own, or set instances.cellDatabase.backupDays for all',
      atKey: true,
    },
  ];
}

function duplicates(environment: unknown, path: Path): Problem[] {
  const entries = list(environment, path);
  return entries.flatMap((entry, index): Problem[] =>
    entries.indexOf(entry) === index
      ? []
      : [
          {
            path: [...path, index],
            code: 'RING_DUPLICATE',
            fault: `is ${valueText(entry)} again`,
            remedy: 'take it out',
          },
        ],
  );
}

function list(value: unknown, path: Path): unknown[] {
  const found = at(value, path);
  return Array.isArray(found) ? found : [];
}
