import { holds, prefixLength } from './address-range';
import { AwsCall, Connection, PEOPLE, serviceOf } from './connection';
import { letsThrough } from './endpoint-policy';
import { Endpoint, Network, Placement, Rule, Subnet } from './network';

/** What becomes of a connection in the networks of the templates. */
export interface Trace {
  /** What is missing for it, each in a sentence. */
  readonly problems: string[];
  /** The rules of security groups that it needs. */
  readonly rules: Set<Rule>;
  /** Ids of the endpoints that it needs. */
  readonly endpoints: Set<string>;
  /** What the owner of a network that the templates do not have must see to. */
  readonly assumed: Set<string>;
}

/** Follows a connection through security groups in both directions, routes, endpoints, their policies and private DNS. */
export function trace(network: Network, { from, to }: Connection): Trace {
  const found: Trace = { problems: [], rules: new Set(), endpoints: new Set(), assumed: new Set() };
  new Tracer(network, found).follow(from, to);
  return found;
}

const ANYWHERE = '0.0.0.0/0';
const HTTPS = 443;

class Tracer {
  constructor(
    private readonly network: Network,
    private readonly found: Trace,
  ) {}

  public follow(from: string, to: string | AwsCall): void {
    if (from === PEOPLE) return this.people(to as string);
    const placements = this.placementsOf(from);
    if (typeof to !== 'string') return placements.forEach((placement) => this.call(placement, to));
    const port = this.network.workloads.get(to)?.port;
    if (port === undefined) return this.missing(`${this.name(to)} takes no connections in the templates.`);
    for (const target of this.placementsOf(to)) {
      placements.forEach((placement) => this.connect(placement, target, port, this.name(to)));
    }
  }

  private placementsOf(id: string): Placement[] {
    const placements = this.network.workloads.get(id)?.placements ?? [];
    if (placements.length === 0) this.missing(`${this.name(id)} stands in no subnet of the templates.`);
    return placements;
  }

  /** From outside: a rule lets it in, and if it comes from the internet, the subnets have a route to there. */
  private people(to: string): void {
    const { port = HTTPS } = this.network.workloads.get(to) ?? {};
    const scheme = this.network.templates.all.find(({ id }) => id === to)?.properties.Scheme;
    for (const { groups, subnets } of this.placementsOf(to)) {
      const rules = this.rules(groups, 'ingress', port);
      rules.forEach((rule) => this.found.rules.add(rule));
      if (rules.length === 0) this.missing(`No ingress rule of ${this.names(groups)} lets anybody in on tcp ${port}.`);
      for (const subnet of scheme === 'internet-facing' ? this.known(subnets) : []) {
        if (!this.leadsToInternet(subnet.routeTable)) {
          this.missing(
            `${this.name(to)} faces the internet, and ${this.name(subnet.id)} has no route to an internet gateway.`,
          );
        }
      }
    }
  }

  private connect(from: Placement, to: Placement, port: number, name: string): void {
    const [source, target] = [this.known(from.subnets), this.known(to.subnets)];
    const vpcs = new Set([...source, ...target].map(({ vpc }) => vpc));
    if (vpcs.size > 1) this.missing(`${name} is in another VPC: ${[...vpcs].map((id) => this.name(id)).join(', ')}.`);
    this.checkAcls([...source, ...target]);
    this.expect('egress', from.groups, to, port, `out to tcp ${port} of ${name}`);
    this.expect('ingress', to.groups, from, port, `in to ${name} on tcp ${port}`);
  }

  /** The narrowest rules that let a connection through, or what is missing. */
  private expect(direction: Rule['direction'], groups: string[], peer: Placement, port: number, what: string): void {
    const rules = this.rules(groups, direction, port);
    const byGroup = rules.find((rule) => rule.peer.group !== undefined && peer.groups.includes(rule.peer.group));
    if (byGroup) {
      this.found.rules.add(byGroup);
      return;
    }
    const byRange = rules
      .filter(({ peer: { cidr } }) => cidr !== undefined)
      .sort((a, b) => prefixLength(b.peer.cidr!) - prefixLength(a.peer.cidr!));
    const uncovered = peer.subnets.filter((id) => {
      const subnet = this.network.subnets.get(id);
      const rule = byRange.find(({ peer: { cidr } }) => {
        const covered = cidr === ANYWHERE || (subnet ? holds(cidr!, subnet.cidr) : undefined);
        if (covered === undefined) this.found.assumed.add(`${id} lies within ${cidr}`);
        return covered ?? true;
      });
      if (rule) this.found.rules.add(rule);
      return !rule;
    });
    if (uncovered.length === 0 && peer.subnets.length > 0) return;
    const given = groups.filter((id) => !this.network.groups.has(id));
    if (given.length > 0) {
      this.found.assumed.add(`${given.join(', ')} has an ${direction} rule that lets tcp ${port} through`);
      return;
    }
    const other = direction === 'egress' ? 'to' : 'from';
    this.missing(
      `No ${direction} rule of ${this.names(groups)} lets it ${what}: it needs one ${other} ${this.names(peer.groups)}.`,
    );
  }

  private rules(groups: string[], direction: Rule['direction'], port: number): Rule[] {
    return this.network.rules.filter(
      (rule) =>
        groups.includes(rule.group) &&
        rule.direction === direction &&
        ['tcp', '6', '-1'].includes(rule.protocol) &&
        rule.fromPort <= port &&
        port <= rule.toPort,
    );
  }

  /** A call of AWS: by an endpoint with private DNS, by the gateway in the route tables, or by a route to the internet. */
  private call(from: Placement, call: AwsCall): void {
    const subnets = this.known(from.subnets);
    const service = serviceOf(call);
    this.checkAcls(subnets);
    const given = from.subnets.filter((id) => !this.network.subnets.has(id));
    if (given.length > 0) {
      this.found.assumed.add(`${given.join(', ')} reach ${service}: by an endpoint with private DNS, or a NAT gateway`);
      this.expectOut(from, service);
    }
    for (const vpc of new Set(subnets.map((subnet) => subnet.vpc))) {
      const ofVpc = subnets.filter((subnet) => subnet.vpc === vpc);
      const endpoints = this.network.endpoints.filter((each) => each.vpc === vpc && each.service === service);
      const byName = endpoints.find(({ isGateway, privateDns }) => !isGateway && privateDns && this.resolves(vpc));
      if (byName) {
        this.found.endpoints.add(byName.id);
        this.connect(from, byName.placements[0], HTTPS, `the endpoint ${this.name(byName.id)}`);
        this.checkPolicy(byName, call);
      } else {
        ofVpc.forEach((subnet) => this.callFrom(subnet, from, call, endpoints));
      }
    }
  }

  private callFrom(subnet: Subnet, from: Placement, call: AwsCall, endpoints: Endpoint[]): void {
    const service = serviceOf(call);
    const gateway = endpoints.find(
      ({ isGateway, routeTables }) => isGateway && subnet.routeTable && routeTables.includes(subnet.routeTable),
    );
    if (gateway) {
      this.found.endpoints.add(gateway.id);
      this.expectOut(from, service, true);
      this.checkPolicy(gateway, call);
    } else if (this.leadsToNat(subnet.routeTable)) {
      this.expectOut(from, service);
    } else {
      this.missing(`${this.name(subnet.id)} does not lead to ${service}: ${this.whyNot(service, subnet, endpoints)}.`);
    }
  }

  private whyNot(service: string, { vpc }: Subnet, endpoints: Endpoint[]): string {
    const [endpoint] = endpoints;
    const noRoute = 'its route table has no route to a NAT gateway';
    if (!endpoint) return `the VPC has no endpoint for it, and ${noRoute}`;
    const name = this.name(endpoint.id);
    if (endpoint.isGateway)
      return `the gateway endpoint ${name} is not in its route table, which has no route to a NAT gateway either`;
    if (!endpoint.privateDns)
      return `private DNS of the endpoint ${name} is off, so that ${service} resolves to an address outside of the VPC, and ${noRoute}`;
    return `${this.name(vpc)} has DNS support or DNS host names off, which private DNS of the endpoint ${name} needs, and ${noRoute}`;
  }

  /** A rule for addresses that the templates do not know. */
  private expectOut({ groups }: Placement, service: string, byGateway = false): void {
    const rules = this.rules(groups, 'egress', HTTPS);
    const rule =
      rules.find(({ peer: { prefixList } }) => byGateway && prefixList !== undefined) ??
      rules.find(({ peer: { cidr } }) => cidr === ANYWHERE);
    if (rule) this.found.rules.add(rule);
    else
      this.missing(
        `No egress rule of ${this.names(groups)} lets it out to tcp ${HTTPS} of ${service}: it needs one to ${ANYWHERE}.`,
      );
  }

  private checkPolicy({ id, policy }: Endpoint, call: AwsCall): void {
    const { account } = this.network.templates.app;
    const context: Record<string, string> = call.byEcr
      ? {}
      : { 'aws:principalaccount': account, 'aws:resourceaccount': account };
    if (!letsThrough(policy, { ...call, context })) {
      const what = call.resource ? `${call.action} of ${call.resource}` : call.action;
      this.missing(`The policy of the endpoint ${this.name(id)} has no statement that allows ${what}.`);
    }
  }

  private checkAcls(subnets: Subnet[]): void {
    for (const { id, networkAcl } of subnets) {
      if (networkAcl)
        this.missing(`${this.name(id)} has the network ACL ${this.name(networkAcl)}, which is not understood here.`);
    }
  }

  private leadsToNat(table: string | undefined): boolean {
    return this.defaultRoutes(table).some(({ kind, target }) => {
      const subnet = this.network.subnets.get(this.network.natGateways.get(target) ?? '');
      return kind === 'nat' && this.leadsToInternet(subnet?.routeTable);
    });
  }

  private leadsToInternet(table: string | undefined): boolean {
    return this.defaultRoutes(table).some(
      ({ kind, target }) => kind === 'internet' && this.network.internetGateways.has(target),
    );
  }

  private defaultRoutes(table: string | undefined) {
    return this.network.routes.filter((route) => route.table === table && route.destination === ANYWHERE);
  }

  private resolves(vpc: string): boolean {
    return this.network.vpcs.get(vpc)?.resolvesPrivately ?? true;
  }

  private known(subnets: string[]): Subnet[] {
    return subnets.flatMap((id) => this.network.subnets.get(id) ?? []);
  }

  private name(id: string): string {
    return this.network.nameOf(id);
  }

  private names(ids: string[]): string {
    return ids.length === 0 ? 'no security group' : ids.map((id) => this.name(id)).join(' or ');
  }

  private missing(problem: string): void {
    if (!this.found.problems.includes(problem)) this.found.problems.push(problem);
  }
}
