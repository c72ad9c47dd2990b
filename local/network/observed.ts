import { readFileSync } from 'node:fs';
import { Account, DeployedResource } from '../account';
import { LocalCloud } from '../local-cloud';
import { Connection, PEOPLE, distinct } from './connection';
import { Network } from './network';
import { Client, clientsIn } from './record';

/** The connections and calls of a run, between the resources of its templates. */
export async function observedConnections(cloud: LocalCloud, network: Network): Promise<Connection[]> {
  const names = new Names(cloud, network, await new Account(cloud.emulator).resources());
  const logged = cloud.postgresServers.flatMap(({ log, port }) =>
    clientsIn(readFileSync(log, 'utf8')).map((client) => ({ client, port })),
  );
  const connections = [...cloud.record.connections(), ...logged].flatMap(({ client, port }) =>
    names.of(client).flatMap((from) => names.behind(port).map((to): Connection => ({ from, to }))),
  );
  const calls = cloud.emulator
    .calls()
    .flatMap(({ role, action, resource }) =>
      names.callersAs(role).map((from): Connection => ({ from, to: { action, resource } })),
    );
  return distinct([...connections, ...calls]);
}

/** What resources of the templates the names of a run are for. */
class Names {
  private readonly ports: Record<string, number>;

  constructor(
    private readonly cloud: LocalCloud,
    private readonly network: Network,
    private readonly deployed: DeployedResource[],
  ) {
    this.ports = cloud.emulator.ports();
  }

  public of(client: Client): string[] {
    if ('people' in client) return [PEOPLE];
    if ('task' in client) return this.tasksOf(this.cloud.record.familyOf(client.task));
    if ('function' in client) {
      return this.idsOf('AWS::Lambda::Function', ({ physicalId }) => physicalId.endsWith(client.function));
    }
    if ('proxy' in client) return this.idsOf('AWS::RDS::DBProxy', ({ logicalId }) => logicalId === client.proxy);
    // One that stands for itself has no stack.
    const ids = this.network.templates.of('AWS::ElasticLoadBalancingV2::LoadBalancer').map(({ id }) => id);
    return ids.filter((id) => client.loadBalancer === '' || id.startsWith(`${client.loadBalancer}/`));
  }

  /** What takes connections on a port of this machine. */
  public behind(port: number): string[] {
    const listener = this.cloud.record.behind(port);
    if (listener) return this.of(listener);
    return Object.keys(this.ports).filter((id) => this.ports[id] === port);
  }

  public tasksOf(family: string | undefined): string[] {
    return this.network.templates
      .of('AWS::ECS::TaskDefinition')
      .filter(({ properties }) => properties.Family === family)
      .map(({ id }) => id);
  }

  /** What calls AWS as a role from inside of a VPC. */
  public callersAs(role: string): string[] {
    return this.idsOf('AWS::IAM::Role', ({ physicalId }) => physicalId === role)
      .flatMap((id) => this.network.ofRole(id))
      .map(({ id }) => id);
  }

  private idsOf(type: string, isWanted: (resource: DeployedResource) => boolean): string[] {
    return this.deployed
      .filter((resource) => resource.type === type && isWanted(resource))
      .map(({ stack, logicalId }) => `${this.pathOf(stack)}/${logicalId}`);
  }

  /** A nested stack is known by its resource in the stack that has it. */
  private pathOf(stack: string): string {
    if (this.network.templates.app.stacks.has(stack)) return stack;
    const parent = this.deployed.find(
      ({ type, physicalId }) =>
        type === 'AWS::CloudFormation::Stack' && (physicalId === stack || physicalId.includes(`/${stack}/`)),
    );
    return parent ? `${this.pathOf(parent.stack)}/${parent.logicalId}` : stack;
  }
}
