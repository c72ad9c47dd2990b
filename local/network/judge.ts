import { Connection, distinct, written } from './connection';
import { Network, Rule } from './network';
import { Trace, trace } from './trace';

/** What the networks of the templates do with the connections of a run. */
export interface NetworkFindings {
  /** The kinds of connections, each in a line. */
  readonly connections: string[];
  /** Each connection that is not possible, with what it lacks. */
  readonly problems: string[];
  /** Rules and endpoints that no connection needs, each in a line. */
  readonly unused: string[];
  /** What the owner of a given VPC must see to. */
  readonly assumed: string[];
}

/** Traces connections through the networks of the templates, and looks for what none of them needs. */
export function judgeNetwork(network: Network, connections: Connection[]): NetworkFindings {
  const traced = distinct(connections).map((connection): [string, Trace] => [
    written(connection, network),
    trace(network, connection),
  ]);
  const all = traced.map(([, found]) => found);
  const isUsed = (rule: Rule) => all.some(({ rules }) => rules.has(rule));
  const unusedRules = network.rules.filter((rule) => !isUsed(rule) && isOpen(rule));
  const unusedEndpoints = network.endpoints.filter(({ id }) => !all.some(({ endpoints }) => endpoints.has(id)));
  return {
    connections: sorted(traced.map(([connection]) => connection)),
    problems: sorted(
      traced.flatMap(([connection, { problems }]) => problems.map((problem) => `${connection}: ${problem}`)),
    ),
    unused: sorted([
      ...unusedRules.map((rule) => line(rule, network)),
      ...unusedEndpoints.map(({ id }) => `endpoint ${network.nameOf(id)}`),
    ]),
    assumed: sorted(all.flatMap(({ assumed }) => [...assumed])),
  };
}

/** The CDK closes a security group for good with a rule for an address that there cannot be. */
function isOpen({ peer: { cidr } }: Rule): boolean {
  return cidr !== '255.255.255.255/32';
}

function line({ direction, group, protocol, fromPort, toPort, peer, description }: Rule, network: Network): string {
  const ports = fromPort === toPort ? String(fromPort) : `${fromPort}-${toPort}`;
  const other = peer.group ? network.nameOf(peer.group) : (peer.cidr ?? peer.prefixList);
  const where = direction === 'ingress' ? 'from' : 'to';
  return `${direction} ${protocol === '-1' ? 'all' : `${protocol} ${ports}`} of ${network.nameOf(group)} ${where} ${other} (${description})`;
}

function sorted(lines: string[]): string[] {
  return [...new Set(lines)].sort();
}
