import { AppTemplates, Properties, Resource, Templates } from './templates';

/** Where something has network interfaces. */
export interface Placement {
  readonly subnets: string[];
  readonly groups: string[];
}

/** What connects, or is connected to, by its network interfaces. */
export interface Workload {
  /** Of its resource. */
  readonly id: string;
  /** Where it may run: a task definition has one for each that runs it. */
  readonly placements: Placement[];
  /** Where it takes connections, if it does. */
  readonly port?: number;
  /** Ids of the roles that it calls AWS as. */
  readonly roles: string[];
}

/** A rule of a security group. */
export interface Rule {
  readonly direction: 'ingress' | 'egress';
  readonly group: string;
  readonly protocol: string;
  readonly fromPort: number;
  readonly toPort: number;
  readonly peer: { readonly group?: string; readonly cidr?: string; readonly prefixList?: string };
  readonly description: string;
}

/** An endpoint of a VPC. */
export interface Endpoint extends Workload {
  readonly vpc: string;
  /** The last parts of its service's name: `secretsmanager`, `ecr.api`. */
  readonly service: string;
  readonly isGateway: boolean;
  readonly privateDns: boolean;
  readonly routeTables: string[];
  readonly policy?: Properties;
}

export interface Subnet {
  readonly id: string;
  readonly vpc: string;
  readonly cidr: string;
  readonly routeTable?: string;
  /** Id of a network ACL other than the default one, which lets all through. */
  readonly networkAcl?: string;
}

/** A route to other addresses than those of the VPC. */
export interface Route {
  readonly table: string;
  readonly destination: string;
  readonly kind: 'nat' | 'internet' | 'other';
  /** Id of the NAT or internet gateway. */
  readonly target: string;
}

/** What the templates of an app say of its networks. */
export class Network {
  public readonly templates: Templates;
  public readonly subnets: ReadonlyMap<string, Subnet>;
  public readonly groups: ReadonlyMap<string, Resource>;
  public readonly rules: Rule[];
  public readonly endpoints: Endpoint[];
  public readonly routes: Route[];
  public readonly workloads: ReadonlyMap<string, Workload>;
  /** Subnets of NAT gateways. */
  public readonly natGateways: ReadonlyMap<string, string>;
  /** Ids of internet gateways that are attached to a VPC. */
  public readonly internetGateways: ReadonlySet<string>;
  /** VPCs of the templates, and whether their names of AWS lead to interface endpoints. */
  public readonly vpcs: ReadonlyMap<string, { readonly resolvesPrivately: boolean }>;

  constructor(app: AppTemplates) {
    const templates = new Templates(app);
    this.templates = templates;
    this.vpcs = byId(templates.of('AWS::EC2::VPC'), ({ EnableDnsSupport = true, EnableDnsHostnames }) => ({
      resolvesPrivately: EnableDnsSupport === true && EnableDnsHostnames === true,
    }));
    this.subnets = subnetsOf(templates);
    this.groups = new Map(templates.of('AWS::EC2::SecurityGroup').map((group) => [group.id, group]));
    this.rules = rulesOf(templates);
    this.endpoints = templates.of('AWS::EC2::VPCEndpoint').map(endpointOf);
    this.routes = templates.of('AWS::EC2::Route').map(({ properties }) => routeOf(properties));
    this.natGateways = byId(templates.of('AWS::EC2::NatGateway'), ({ SubnetId }) => String(SubnetId));
    this.internetGateways = new Set(
      templates.of('AWS::EC2::VPCGatewayAttachment').map(({ properties }) => String(properties.InternetGatewayId)),
    );
    const workloads = [
      ...functionsOf(templates),
      ...tasksOf(templates),
      ...serversOf(templates),
      ...proxiesOf(templates),
      ...cachesOf(templates),
      ...loadBalancersOf(templates),
      ...this.endpoints,
    ];
    this.workloads = new Map(workloads.map((workload) => [workload.id, workload]));
  }

  /** The workloads that call AWS as a role. */
  public ofRole(role: string): Workload[] {
    return [...this.workloads.values()].filter(({ roles }) => roles.includes(role));
  }

  public nameOf(id: string): string {
    return this.templates.nameOf(id);
  }
}

function byId<Value>(resources: Resource[], of: (properties: Properties) => Value): Map<string, Value> {
  return new Map(resources.map(({ id, properties }) => [id, of(properties)]));
}

function subnetsOf(templates: Templates): Map<string, Subnet> {
  const association = (type: string, of: string) =>
    new Map(templates.of(type).map(({ properties }) => [String(properties.SubnetId), String(properties[of])]));
  const routeTables = association('AWS::EC2::SubnetRouteTableAssociation', 'RouteTableId');
  const networkAcls = association('AWS::EC2::SubnetNetworkAclAssociation', 'NetworkAclId');
  const subnets = templates.of('AWS::EC2::Subnet').map(({ id, properties: { VpcId, CidrBlock } }): Subnet => {
    return {
      id,
      vpc: String(VpcId),
      cidr: String(CidrBlock),
      routeTable: routeTables.get(id),
      networkAcl: networkAcls.get(id),
    };
  });
  return new Map(subnets.map((subnet) => [subnet.id, subnet]));
}

/** Rules stand in their group, or are resources; without any for egress, a group lets all out. */
function rulesOf(templates: Templates): Rule[] {
  const loose = (['ingress', 'egress'] as const).flatMap((direction) =>
    templates
      .of(direction === 'ingress' ? 'AWS::EC2::SecurityGroupIngress' : 'AWS::EC2::SecurityGroupEgress')
      .map(({ properties }) => ruleOf(direction, String(properties.GroupId), properties)),
  );
  const ofGroups = templates.of('AWS::EC2::SecurityGroup').flatMap(({ id, properties }) => {
    const { SecurityGroupIngress = [], SecurityGroupEgress = [] } = properties as Record<string, Properties[]>;
    const egress = SecurityGroupEgress.map((rule) => ruleOf('egress', id, rule));
    const hasEgress = egress.length > 0 || loose.some(({ direction, group }) => direction === 'egress' && group === id);
    return [
      ...SecurityGroupIngress.map((rule) => ruleOf('ingress', id, rule)),
      ...(hasEgress ? egress : [ruleOf('egress', id, BY_DEFAULT)]),
    ];
  });
  return [...ofGroups, ...loose];
}

const BY_DEFAULT = {
  IpProtocol: '-1',
  CidrIp: '0.0.0.0/0',
  Description: 'what AWS adds to a group without a rule for egress',
};

function ruleOf(direction: Rule['direction'], group: string, properties: Properties): Rule {
  const { IpProtocol, FromPort, ToPort, CidrIp, Description } = properties;
  const protocol = String(IpProtocol);
  const anyPort = protocol === '-1' || Number(FromPort) === -1;
  return {
    direction,
    group,
    protocol,
    fromPort: anyPort ? 0 : Number(FromPort),
    toPort: anyPort ? 65_535 : Number(ToPort),
    peer: {
      group: direction === 'ingress' ? properties.SourceSecurityGroupId : properties.DestinationSecurityGroupId,
      cidr: CidrIp,
      prefixList: direction === 'ingress' ? properties.SourcePrefixListId : properties.DestinationPrefixListId,
    },
    description: String(Description ?? ''),
  };
}

function endpointOf({ id, properties }: Resource): Endpoint {
  const { SubnetIds = [], SecurityGroupIds = [], RouteTableIds = [], VpcEndpointType = 'Gateway' } = properties;
  return {
    id,
    vpc: String(properties.VpcId),
    service: String(properties.ServiceName).split('.').slice(3).join('.'),
    isGateway: VpcEndpointType === 'Gateway',
    privateDns: properties.PrivateDnsEnabled === true,
    routeTables: RouteTableIds as string[],
    policy: properties.PolicyDocument as Properties | undefined,
    placements: [{ subnets: SubnetIds as string[], groups: SecurityGroupIds as string[] }],
    port: 443,
    roles: [],
  };
}

function routeOf({ RouteTableId, DestinationCidrBlock, NatGatewayId, GatewayId }: Properties): Route {
  return {
    table: String(RouteTableId),
    destination: String(DestinationCidrBlock),
    kind: NatGatewayId ? 'nat' : GatewayId ? 'internet' : 'other',
    target: String(NatGatewayId ?? GatewayId),
  };
}

/** Functions inside of a VPC. */
function functionsOf(templates: Templates): Workload[] {
  return templates
    .of('AWS::Lambda::Function')
    .filter(({ properties }) => properties.VpcConfig)
    .map(({ id, properties: { VpcConfig, Role } }) => ({
      id,
      placements: [{ subnets: VpcConfig.SubnetIds as string[], groups: VpcConfig.SecurityGroupIds as string[] }],
      roles: [String(Role)],
    }));
}

/** Task definitions, where services and one-off runs place them. */
function tasksOf(templates: Templates): Workload[] {
  const placed = templates.all.flatMap(({ type, properties }) => {
    const ofService = (properties.NetworkConfiguration as Properties | undefined)?.AwsvpcConfiguration as Properties;
    const { Subnets, SecurityGroups } = (type === 'AWS::ECS::Service' && ofService) || properties;
    return properties.TaskDefinition && Subnets && SecurityGroups
      ? [{ task: String(properties.TaskDefinition), subnets: Subnets as string[], groups: SecurityGroups as string[] }]
      : [];
  });
  return templates.of('AWS::ECS::TaskDefinition').map(({ id, properties }) => ({
    id,
    placements: placed.filter(({ task }) => task === id).map(({ subnets, groups }) => ({ subnets, groups })),
    port: (properties.ContainerDefinitions as Properties[]).flatMap(({ PortMappings = [] }) =>
      (PortMappings as Properties[]).map(({ ContainerPort }) => Number(ContainerPort)),
    )[0],
    roles: [properties.TaskRoleArn, properties.ExecutionRoleArn].filter(Boolean).map(String),
  }));
}

function serversOf(templates: Templates): Workload[] {
  const subnets = byId(templates.of('AWS::RDS::DBSubnetGroup'), ({ SubnetIds }) => SubnetIds as string[]);
  return templates
    .of('AWS::RDS::DBInstance')
    .map(({ id, properties: { DBSubnetGroupName, VPCSecurityGroups, Port } }) => ({
      id,
      placements: [
        { subnets: subnets.get(String(DBSubnetGroupName)) ?? [], groups: (VPCSecurityGroups ?? []) as string[] },
      ],
      port: Number(Port ?? 5432),
      roles: [],
    }));
}

function proxiesOf(templates: Templates): Workload[] {
  return templates
    .of('AWS::RDS::DBProxy')
    .map(({ id, properties: { VpcSubnetIds, VpcSecurityGroupIds, RoleArn } }) => ({
      id,
      placements: [{ subnets: VpcSubnetIds as string[], groups: (VpcSecurityGroupIds ?? []) as string[] }],
      // RDS Proxy always listens there.
      port: 5432,
      roles: [String(RoleArn)],
    }));
}

function cachesOf(templates: Templates): Workload[] {
  const subnets = byId(templates.of('AWS::ElastiCache::SubnetGroup'), ({ SubnetIds }) => SubnetIds as string[]);
  return templates
    .of('AWS::ElastiCache::ReplicationGroup')
    .map(({ id, properties: { CacheSubnetGroupName, SecurityGroupIds, Port } }) => ({
      id,
      placements: [
        { subnets: subnets.get(String(CacheSubnetGroupName)) ?? [], groups: (SecurityGroupIds ?? []) as string[] },
      ],
      port: Number(Port ?? 6379),
      roles: [],
    }));
}

function loadBalancersOf(templates: Templates): Workload[] {
  const listeners = templates.of('AWS::ElasticLoadBalancingV2::Listener');
  return templates
    .of('AWS::ElasticLoadBalancingV2::LoadBalancer')
    .map(({ id, properties: { Subnets, SecurityGroups } }) => ({
      id,
      placements: [{ subnets: Subnets as string[], groups: SecurityGroups as string[] }],
      port: Number(listeners.find(({ properties }) => properties.LoadBalancerArn === id)?.properties.Port ?? 443),
      roles: [],
    }));
}
