import { instanceClassNames, instanceClassOf } from '../database/instance-class';
import list from './aws-prices.json';

/** What is charged by the hour or month, whatever its size. */
export type FlatPrice =
  | 'fargateVcpuHour'
  | 'fargateGbHour'
  | 'loadBalancerHour'
  | 'natGatewayHour'
  | 'endpointHour'
  | 'databaseGibMonth'
  | 'proxyVcpuHour'
  | 'secretMonth'
  | 'keyMonth'
  | 'alarmMonth'
  | 'webAclMonth'
  | 'webAclRuleMonth';

/** A price. */
export interface Price {
  /** USD for one unit. */
  readonly usd: number;
  /** Where it is from: a source of the file, or the rule by which it was derived. */
  readonly source: string;
  /** Whether no source states it, so that a rule of the file gives it. */
  readonly derived: boolean;
}

interface Listed {
  readonly usd: number;
  readonly source: string;
}

type Region = Partial<Record<FlatPrice, Listed>> & {
  readonly databaseHour: Record<string, Listed>;
  readonly cacheHour: Record<string, Listed>;
};

const REGIONS: Record<string, Region> = list.regions;

/** The region whose prices stand in for those of a region that the file has none of. */
export const REFERENCE_REGION = 'us-east-1';

/** When the prices were read, as year-month-day. */
export const PRICES_READ = list.read;

/** What a task on Fargate Spot costs, as a share of the same one on demand. */
export const SPOT_SHARE = list.fargateSpotShare.share;

/** The public prices of one region. */
export class PriceList {
  /** Whether the file has prices of the region itself. */
  public readonly known: boolean;

  private readonly region: Region;
  private readonly factor: number;

  /** @param region name of the region, for instance `eu-central-1`; one that is not in the file has the prices of us-east-1. */
  constructor(region: string) {
    this.known = region in REGIONS;
    this.region = REGIONS[this.known ? region : REFERENCE_REGION];
    this.factor = this.region.fargateVcpuHour!.usd / REGIONS[REFERENCE_REGION].fargateVcpuHour!.usd;
  }

  /** A price that does not depend on a size. */
  public flat(name: FlatPrice): Price {
    return this.listedOrScaled(({ [name]: price }) => price)!;
  }

  /** An hour of a node of the cache; none if no source has the type. */
  public cacheHour(nodeType: string): Price | undefined {
    return this.listedOrScaled(({ cacheHour }) => cacheHour[nodeType]);
  }

  /** An hour of a PostgreSQL server without a standby; none if no source has a class of its family. */
  public databaseHour(instanceClass: string): Price | undefined {
    return (
      this.bySize(this.region, instanceClass) ?? this.scaled(this.bySize(REGIONS[REFERENCE_REGION], instanceClass))
    );
  }

  private listedOrScaled(find: (region: Region) => Listed | undefined): Price | undefined {
    const listed = find(this.region);
    return listed ? { ...listed, derived: false } : this.scaled(find(REGIONS[REFERENCE_REGION]));
  }

  private scaled(price: Listed | undefined): Price | undefined {
    return price && { usd: price.usd * this.factor, source: `${price.source}, rule region`, derived: true };
  }

  private bySize({ databaseHour }: Region, instanceClass: string): Price | undefined {
    const listed = databaseHour[instanceClass];
    if (listed) return { ...listed, derived: false };
    const [family] = instanceClass.split('.');
    const sizes = instanceClassNames().filter((name) => name.startsWith(`${family}.`));
    const distance = (name: string) => Math.abs(sizes.indexOf(name) - sizes.indexOf(instanceClass));
    const [nearest] = sizes.filter((name) => name in databaseHour).sort((a, b) => distance(a) - distance(b));
    if (!nearest || !sizes.includes(instanceClass)) return undefined;
    const ratio = instanceClassOf(instanceClass)!.memoryGiB / instanceClassOf(nearest)!.memoryGiB;
    const { usd, source } = databaseHour[nearest];
    return { usd: usd * ratio, source: `${source}, rule size`, derived: true };
  }
}
