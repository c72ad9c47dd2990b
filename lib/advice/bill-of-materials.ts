import { EnvironmentCache, EnvironmentDatabase, EnvironmentNetwork } from '../environment/environment';
import { TASK_SIZES } from '../superset/superset-service';
import { FlatPrice, PriceList, SPOT_SHARE } from './price-list';

/** Hours of an average month. */
export const HOURS = 730;

/** RDS Proxy is charged for two vCPU at least, and else for those of its server. */
const LEAST_PROXY_VCPU = 2;

/** One part that AWS charges for. */
export interface BillItem {
  /** What it is, for instance `PostgreSQL m7g.large`. */
  readonly part: string;
  /** How many there are. */
  readonly count: number;
  /** What one costs in a month in USD; nothing if no source has its price. */
  readonly usdEach?: number;
  /** Whether a rule gave the price. */
  readonly derived: boolean;
}

/** Collects what stands in one region. */
export class BillOfMaterials {
  /** Its parts. */
  public readonly items: BillItem[] = [];

  private readonly prices: PriceList;

  constructor(public readonly region: string) {
    this.prices = new PriceList(region);
  }

  /** Whether the prices are those of the region. */
  public get pricesKnown(): boolean {
    return this.prices.known;
  }

  /** A PostgreSQL server with its storage, and the secret that RDS keeps its master's password in. */
  public server(
    what: string,
    database: Required<Pick<EnvironmentDatabase, 'instanceClass' | 'storageGiB' | 'multiAz'>>,
  ) {
    const { instanceClass, storageGiB, multiAz } = database;
    const copies = multiAz ? 2 : 1;
    const hour = this.prices.databaseHour(instanceClass);
    const standby = multiAz ? ', with a standby' : '';
    this.add(`${what}: db.${instanceClass}${standby}`, 1, hour && hour.usd * HOURS * copies, hour?.derived);
    const gib = this.prices.flat('databaseGibMonth');
    this.add(`${what}: ${storageGiB} GiB gp3${standby}`, 1, gib.usd * storageGiB * copies, gib.derived);
    this.each('secretMonth', "secrets of servers' masters, which RDS makes", 1);
  }

  /** A proxy before a server with so many vCPU. */
  public proxy(vcpu: number): void {
    const hour = this.prices.flat('proxyVcpuHour');
    const charged = Math.max(vcpu, LEAST_PROXY_VCPU);
    this.add(`RDS Proxy, ${charged} vCPU`, 1, hour.usd * HOURS * charged, hour.derived);
  }

  /** A Valkey primary with its replicas. */
  public cache({ nodeType, replicas }: Required<EnvironmentCache>): void {
    const hour = this.prices.cacheHour(nodeType);
    this.add(`Valkey ${nodeType}`, 1 + replicas, hour && hour.usd * HOURS, hour?.derived);
  }

  /** Tasks of Superset. */
  public tasks(kind: keyof typeof TASK_SIZES, count: number, spot = false): void {
    const { cpu, memoryLimitMiB } = TASK_SIZES[kind];
    const vcpu = this.prices.flat('fargateVcpuHour');
    const gb = this.prices.flat('fargateGbHour');
    const hour = (vcpu.usd * cpu) / 1024 + (gb.usd * memoryLimitMiB) / 1024;
    const size = `${cpu / 1024} vCPU, ${memoryLimitMiB / 1024} GB`;
    const name = `Superset ${kind}, ${size}${spot ? ', Fargate Spot' : ''}`;
    this.add(name, count, hour * HOURS * (spot ? SPOT_SHARE : 1), vcpu.derived || gb.derived);
  }

  /** A load balancer, with its web ACL if it faces the internet. */
  public loadBalancer(internetFacing = false): void {
    this.each('loadBalancerHour', 'application load balancers', 1);
    if (internetFacing) {
      this.each('webAclMonth', 'web ACLs', 1);
      this.each('webAclRuleMonth', 'rules of web ACLs', WEB_ACL_RULES);
    }
  }

  /** What connects a VPC with AWS: endpoints, or gateways to the internet; a given VPC is its owner's. */
  public network({ vpcId, availabilityZones, internetEgress }: EnvironmentNetwork = {}): void {
    if (vpcId) return;
    const zones = availabilityZones?.length ?? 2;
    if (internetEgress) this.each('natGatewayHour', 'NAT gateways', zones);
    else this.each('endpointHour', 'interface endpoints, in each zone', INTERFACE_ENDPOINTS * zones);
  }

  /** So many of what costs the same whatever its size. */
  public each(price: FlatPrice, part: string, count: number): void {
    const { usd, derived } = this.prices.flat(price);
    this.add(part, count, usd * (price.endsWith('Hour') ? HOURS : 1), derived);
  }

  private add(part: string, count: number, usdEach: number | undefined, derived = false): void {
    if (count === 0) return;
    const same = this.items.findIndex((item) => item.part === part && item.usdEach === usdEach);
    if (same < 0) this.items.push({ part, count, usdEach, derived });
    else this.items[same] = { ...this.items[same], count: this.items[same].count + count };
  }
}

/** Endpoints of a VPC without a way out: TenancyNetwork. */
const INTERFACE_ENDPOINTS = 4;

/** Rules of the web ACL: SupersetLoadBalancer. */
const WEB_ACL_RULES = 3;
