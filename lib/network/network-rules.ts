import { isIPv4 } from 'node:net';
import { Token } from 'aws-cdk-lib';
import { Path, Problem, valueText } from '../validation/problem';

/** What is wrong with the address range of a new VPC, which is of the length that the schema asks for. */
export function cidrProblems(given: unknown, path: Path): Problem[] {
  if (typeof given !== 'string' || Token.isUnresolved(given)) return [];
  const [cidr, address, length] = /^([0-9.]+)\/(1[6-9]|2[0-2])$/.exec(given) ?? [];
  if (cidr === undefined) return [];
  const bytes = address.split('.').map(Number);
  const number = bytes.reduce((sum, byte) => sum * 256 + byte, 0);
  const size = 2 ** (32 - Number(length));
  if (isIPv4(address) && number % size === 0) return [];
  const first = number - (number % size);
  const network = [24, 16, 8, 0].map((shift) => Math.floor(first / 2 ** shift) % 256).join('.');
  return [
    {
      path,
      code: 'CIDR_INVALID',
      fault: `is ${valueText(cidr)}, which is not the address of a network`,
      allowed: 'the first address of an IPv4 range from /16 to /22, for instance 10.40.0.0/16',
      remedy: isIPv4(address) ? `write ${network}/${length}` : undefined,
    },
  ];
}

/** What is wrong with the availability zones of a new VPC. */
export function zoneProblems(given: unknown, list: Path, region: string | undefined): Problem[] {
  const zones: unknown[] = Array.isArray(given) ? given : [];
  return zones.flatMap((zone, index): Problem[] => {
    const path = [...list, index];
    if (typeof zone !== 'string' || Token.isUnresolved(zone)) return [];
    if (zones.indexOf(zone) < index) {
      return [{ path, code: 'ZONE_DUPLICATE', fault: `is ${valueText(zone)} again`, remedy: 'name another zone' }];
    }
    if (region === undefined || (zone.startsWith(region) && /^[a-z]$/.test(zone.slice(region.length)))) return [];
    const fault = `is ${valueText(zone)}, which is not a zone of ${region}`;
    return [{ path, code: 'ZONE_ELSEWHERE', fault, allowed: `${region}a, ${region}b and so on` }];
  });
}

/** What is wrong with the networks that people may reach Superset from. */
export function allowedNetworkProblems(given: unknown, list: Path): Problem[] {
  return (Array.isArray(given) ? given : []).flatMap((cidr, index): Problem[] => {
    if (typeof cidr !== 'string' || Token.isUnresolved(cidr)) return [];
    const [, address, length] = /^([0-9.]+)\/(\d{1,2})$/.exec(cidr) ?? [];
    const path = [...list, index];
    if (address === undefined || !isIPv4(address) || Number(length) > 32) {
      const allowed = 'an IPv4 network, for instance 203.0.113.0/24';
      return [{ path, code: 'CIDR_INVALID', fault: `is ${valueText(cidr)}`, allowed }];
    }
    if (Number(length) > 0) return [];
    const remedy = 'take allowedNetworks out, and set internetFacing';
    return [{ path, code: 'CIDR_EVERYWHERE', fault: `is ${valueText(cidr)}, which is everywhere`, remedy }];
  });
}

/** Elastic Load Balancing User Guide, "Quotas for your Application Load Balancers": five values in a rule, one is the host name. */
export const NETWORKS_OF_A_RULE = 4;

/** More networks than a rule of a shared load balancer takes. */
export function networksOfARule(given: readonly unknown[] | undefined, path: Path): Problem[] {
  if (given === undefined || given.length <= NETWORKS_OF_A_RULE) return [];
  return [
    {
      path,
      code: 'NETWORKS_TOO_MANY',
      fault: `has ${given.length} entries behind the load balancer of the cell`,
      allowed: `${NETWORKS_OF_A_RULE}, since a rule takes five values and the host name is one; AWS cannot raise it`,
      remedy: 'join them, or give it a load balancer (loadBalancer: own)',
    },
  ];
}
