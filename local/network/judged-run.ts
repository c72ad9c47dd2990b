import { LocalCloud } from '../local-cloud';
import { derivedConnections } from './derived';
import { NetworkFindings, judgeNetwork } from './judge';
import { Network } from './network';
import { observedConnections } from './observed';
import { templatesOf } from './templates';

/** What the templates' networks would have done with the connections of a run. */
export interface RunFindings extends NetworkFindings {
  /** Those that were seen in the run; the others follow from the definitions of its tasks. */
  readonly observed: string[];
}

/** Judges the connections of a run by the networks of the templates that it has deployed. */
export async function judgeRun(cloud: LocalCloud, assembly: string): Promise<RunFindings> {
  const network = new Network(templatesOf(assembly));
  const observed = await observedConnections(cloud, network);
  const derived = derivedConnections(network, cloud.record.ranFamilies());
  return {
    ...judgeNetwork(network, [...observed, ...derived]),
    observed: judgeNetwork(network, observed).connections,
  };
}
