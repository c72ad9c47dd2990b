import { RegionInfo } from 'aws-cdk-lib/region-info';
import { cidrProblems, zoneProblems } from '../network/network-rules';
import { certificatePlaceProblems } from '../superset/certificate-rules';
import { nearest } from '../validation/nearest';
import { Path, Problem, pathText, valueText } from '../validation/problem';
import { at, text } from './at';
import { regionRootProblems, regionsWithRoot } from '../database/rds-authorities';

/** A region that aws-cdk-lib does not know, or whose servers cannot be verified. */
export function regionExists(environment: unknown, path: Path): Problem[] {
  const region = text(environment, path);
  if (region === undefined || !REGION.test(region)) return [];
  if (REGIONS.includes(region)) return regionRootProblems(region, path);
  const near = nearest(region, [...regionsWithRoot()], 3);
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
  const zones = [...network, 'availabilityZones'];
  return [
    ...newOrGivenVpc(environment, network),
    ...cidrProblems(at(environment, [...network, 'cidr']), [...network, 'cidr']),
    ...zoneProblems(at(environment, zones), zones, region),
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

/** A certificate at a path that a load balancer in a region cannot have. */
export function certificateOfTheRegion(environment: unknown, path: Path, region: string | undefined): Problem[] {
  return certificatePlaceProblems(text(environment, path), path, { region, account: knownAccount(environment) });
}
