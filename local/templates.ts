import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { EntranceInTemplate, ProxyInTemplate, SupersetInTemplate } from './local-cloud';

/** A resource of a synthesised app. */
export interface TemplateResource {
  /** Name of its stack; of a nested one, that of its file. */
  readonly stack: string;
  readonly logicalId: string;
  readonly properties: Record<string, unknown>;
}

interface Template {
  readonly stack: string;
  readonly resources: Record<string, { readonly Type: string; readonly Properties?: Record<string, unknown> }>;
}

/** Resources of a type, in the order of the templates. */
export function resourcesOf(assembly: string, type: string): TemplateResource[] {
  return templates(assembly).flatMap(({ stack, resources }) =>
    Object.entries(resources)
      .filter(([, { Type }]) => Type === type)
      .map(([logicalId, { Properties = {} }]) => ({ stack, logicalId, properties: Properties })),
  );
}

/** What the emulator knows a resource by: logical ids alone are the same in each stack of a fleet. */
export function addressOf({ stack, logicalId }: Pick<TemplateResource, 'stack' | 'logicalId'>): string {
  return `${stack}/${logicalId}`;
}

const METADATA_DATABASE = 'superset';

/** The servers of tenants: all that were not made for Superset's metadata alone. */
export function shardsOf(assembly: string): TemplateResource[] {
  return resourcesOf(assembly, 'AWS::RDS::DBInstance').filter(
    ({ properties }) => properties.DBName !== METADATA_DATABASE,
  );
}

/** The servers that were made for Superset's metadata. */
export function metadataServersOf(assembly: string): TemplateResource[] {
  return resourcesOf(assembly, 'AWS::RDS::DBInstance').filter(
    ({ properties }) => properties.DBName === METADATA_DATABASE,
  );
}

interface TargetGroup {
  readonly DBProxyName: { readonly Ref: string };
  readonly DBInstanceIdentifiers: { readonly Ref: string }[];
  readonly ConnectionPoolConfigurationInfo: { readonly ConnectionBorrowTimeout: number };
}

/** Connections of one tenant: RDS Proxy has a bound for all of them together, which PgBouncer does not know. */
const POOL_SIZE = 10;

/** The proxies of a synthesised app. */
export function proxiesOf(assembly: string): ProxyInTemplate[] {
  const shards = shardsOf(assembly);
  return resourcesOf(assembly, 'AWS::RDS::DBProxyTargetGroup').map(({ stack, properties }) => {
    const { DBProxyName, DBInstanceIdentifiers, ConnectionPoolConfigurationInfo } =
      properties as unknown as TargetGroup;
    const isServer = (shard: TemplateResource) =>
      shard.stack === stack && shard.logicalId === DBInstanceIdentifiers[0].Ref;
    return {
      logicalId: DBProxyName.Ref,
      shard: shards.findIndex(isServer),
      poolSize: POOL_SIZE,
      borrowTimeoutSeconds: ConnectionPoolConfigurationInfo.ConnectionBorrowTimeout,
    };
  });
}

/** The Supersets of a synthesised app. */
export function supersetsOf(assembly: string): SupersetInTemplate[] {
  return resourcesOf(assembly, 'AWS::ECS::Cluster').map(({ stack, logicalId, properties }) => {
    const tenant = tenantOf(properties);
    return {
      stack,
      tenant,
      // As the emulator names a cluster whose template does not.
      cluster: `${stack}-${logicalId}`,
      hostName: tenant && hostNameOf(assembly, stack),
    };
  });
}

function tenantOf({ Tags = [] }: { Tags?: { readonly Key: string; readonly Value: string }[] }): string | undefined {
  return Tags.find(({ Key }) => Key === 'superset:tenant')?.Value;
}

interface TaskDefinition {
  readonly ContainerDefinitions: { readonly Environment?: { readonly Name: string; readonly Value: string }[] }[];
}

function hostNameOf(assembly: string, stack: string): string {
  const [definition] = resourcesOf(assembly, 'AWS::ECS::TaskDefinition').filter((each) => each.stack === stack);
  const { ContainerDefinitions } = definition.properties as unknown as TaskDefinition;
  const url = ContainerDefinitions[0].Environment?.find(({ Name }) => Name === 'SUPERSET_URL')?.Value ?? '';
  return new URL(url).hostname;
}

type Action = { readonly TargetGroupArn: object } | { readonly FixedResponseConfig: { readonly StatusCode: string } };

interface Listener {
  readonly DefaultActions: Action[];
}

interface ListenerRule {
  readonly ListenerArn: { readonly Ref?: string; readonly 'Fn::GetStackOutput'?: { readonly StackName: string } };
  readonly Priority: number;
  readonly Conditions: { readonly Field: string; readonly HostHeaderConfig?: { readonly Values: string[] } }[];
}

/** The load balancers of a synthesised app, with the stacks that they hand requests on to. */
export function entrancesOf(assembly: string): EntranceInTemplate[] {
  const rules = resourcesOf(assembly, 'AWS::ElasticLoadBalancingV2::ListenerRule')
    .map(({ stack, properties }) => ({ stack, ...(properties as unknown as ListenerRule) }))
    .sort((a, b) => a.Priority - b.Priority);
  return resourcesOf(assembly, 'AWS::ElasticLoadBalancingV2::Listener').map(({ stack, properties }) => {
    const [action] = (properties as unknown as Listener).DefaultActions;
    const own = rules.filter(
      ({ stack: of, ListenerArn }) => (ListenerArn['Fn::GetStackOutput']?.StackName ?? of) === stack,
    );
    return {
      stack,
      rules: own.map(({ stack: to, Conditions }) => ({ hosts: hostsOf(Conditions), to })),
      otherwise: 'FixedResponseConfig' in action ? Number(action.FixedResponseConfig.StatusCode) : stack,
    };
  });
}

function hostsOf(conditions: ListenerRule['Conditions']): string[] {
  return conditions.flatMap(({ HostHeaderConfig }) => HostHeaderConfig?.Values ?? []);
}

/** Path that the load balancer asks the web server for. */
export function healthCheckPath(assembly: string): string {
  const [group] = resourcesOf(assembly, 'AWS::ElasticLoadBalancingV2::TargetGroup');
  if (!group) {
    throw new Error('no template has a target group');
  }
  return group.properties.HealthCheckPath as string;
}

interface Manifest {
  readonly artifacts: Record<string, { readonly properties?: { templateFile?: string; stackName?: string } }>;
}

function templates(assembly: string): Template[] {
  const { artifacts } = JSON.parse(readFileSync(join(assembly, 'manifest.json'), 'utf8')) as Manifest;
  const names = new Map(
    Object.entries(artifacts).map(([id, { properties }]) => [properties?.templateFile, properties?.stackName ?? id]),
  );
  return readdirSync(assembly)
    .filter((file) => file.endsWith('.template.json'))
    .sort()
    .map((file) => {
      const { Resources = {} } = JSON.parse(readFileSync(join(assembly, file), 'utf8')) as {
        Resources?: Template['resources'];
      };
      return { stack: names.get(file) ?? file, resources: Resources };
    });
}
