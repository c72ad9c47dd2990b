import { isIPv4 } from 'node:net';
import { RegionInfo } from 'aws-cdk-lib/region-info';
import { nearest } from '../validation/nearest';
import { Path, Problem, pathText, valueText } from '../validation/problem';
import { at, text } from './at';

/** A region that aws-cdk-lib does not know. */
export function regionExists(environment: unknown, path: Path): Problem[] {
  const region = text(environment, path);
  if (region === undefined || !REGION.test(region) || REGIONS.includes(region)) return [];
  const near = nearest(region, REGIONS, 3);
  return [
    {
      path,
      code: 'REGION_UNKNOWN',
      fault: `is ${valueText(region)}, a region that aws-cdk-lib does not know`,
      allowed: near.length > 0 ? `${near.join(', ')} and others` : undefined,
      remedy: near.length > 0 ? `write ${near[0]}; for a new region, update aws-cdk-lib` : 'update aws-cdk-lib',
    },
  ];
}

const REGION = /^[a-z]{2}(-[a-z]+)+-[0-9]$/;
const REGIONS = RegionInfo.regions.map(({ name }) => name);

/** The region at a path, if it is one, so that what depends on it is judged. */
export function knownRegion(environment: unknown, path: Path = ['region']): string | undefined {
  const region = text(environment, path);
  return region !== undefined && REGIONS.includes(region) ? region : undefined;
}

function knownAccount(environment: unknown): string | undefined {
  const account = text(environment, ['account']);
  return account !== undefined && /^\d{12}$/.test(account) ? account : undefined;
}

/** What is wrong with the network at a path, in a region. */
export function networkProblems(environment: unknown, network: Path, region: string | undefined): Problem[] {
  return [
    ...newOrGivenVpc(environment, network),
    ...cidrIsANetwork(environment, [...network, 'cidr']),
    ...zonesOfTheRegion(environment, [...network, 'availabilityZones'], region),
  ];
}

function newOrGivenVpc(environment: unknown, network: Path): Problem[] {
  if (at(environment, [...network, 'vpcId']) === undefined) return [];
  return ['cidr', 'availabilityZones']
    .filter((key) => at(environment, [...network, key]) !== undefined)
    .map((key) => ({
      path: [...network, key],
      code: 'NETWORK_TWOFOLD',
      fault: `is of a new VPC, but ${pathText([...network, 'vpcId'])} names one that exists`,
      remedy: `take ${key} out, or vpcId`,
      atKey: true,
    }));
}

function cidrIsANetwork(environment: unknown, path: Path): Problem[] {
  const [cidr, address, length] = /^([0-9.]+)\/(1[6-9]|2[0-2])$/.exec(text(environment, path) ?? '') ?? [];
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

function zonesOfTheRegion(environment: unknown, list: Path, region: string | undefined): Problem[] {
  const given = at(environment, list);
  const zones: unknown[] = Array.isArray(given) ? given : [];
  return zones.flatMap((zone, index): Problem[] => {
    const path = [...list, index];
    if (typeof zone !== 'string') return [];
    if (zones.indexOf(zone) < index) {
      return [{ path, code: 'ZONE_DUPLICATE', fault: `is ${valueText(zone)} again`, remedy: 'name another zone' }];
    }
    if (region === undefined || (zone.startsWith(region) && /^[a-z]$/.test(zone.slice(region.length)))) return [];
    const fault = `is ${valueText(zone)}, which is not a zone of ${region}`;
    return [{ path, code: 'ZONE_ELSEWHERE', fault, allowed: `${region}a, ${region}b and so on` }];
  });
}

/** A certificate at a path that a load balancer in a region cannot have. */
export function certificateOfTheRegion(environment: unknown, path: Path, region: string | undefined): Problem[] {
  const [arn, ...parts] = /^arn:[^:]+:acm:([^:]+):([^:]+):/.exec(text(environment, path) ?? '') ?? [];
  if (arn === undefined) return [];
  const wanted = { region, account: knownAccount(environment) };
  return Object.entries(wanted).flatMap(([key, ours], index): Problem[] => {
    if (ours === undefined || ours === parts[index]) return [];
    return [
      {
        path,
        code: `CERTIFICATE_${key.toUpperCase()}`,
        fault: `is in ${key} ${parts[index]}, but the load balancer is in ${ours}`,
        allowed: `a certificate in ${key} ${ours}`,
        remedy: `request it there, or mend ${key}`,
      },
    ];
  });
}
