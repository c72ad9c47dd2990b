import { AppTemplates, Properties, Template } from '../../local/network/templates';

/** A template from which something was taken. */
export interface Fault {
  /** What that was. */
  readonly missing: string;
  /** Id of the resource that must be named, if it is one that remains. */
  readonly of?: string;
  readonly app: AppTemplates;
}

type Found = Required<Template>['Resources'][string];

/** An app that differs in one resource; without it if the change answers nothing. */
function changed(
  app: AppTemplates,
  stack: string,
  id: string,
  change: (resource: Found) => Found | undefined,
): AppTemplates {
  const template = structuredClone(app.stacks.get(stack)!);
  const resource = change(template.Resources![id]);
  if (resource) template.Resources![id] = resource;
  else delete template.Resources![id];
  return { ...app, stacks: new Map([...app.stacks, [stack, template]]) };
}

function all(app: AppTemplates, type: RegExp): { stack: string; id: string; resource: Found }[] {
  return [...app.stacks].flatMap(([stack, { Resources = {} }]) =>
    Object.entries(Resources)
      .filter(([, { Type }]) => type.test(Type))
      .map(([id, resource]) => ({ stack, id, resource })),
  );
}

/** Takes each resource of a type, one at a time. */
export function withoutEach(app: AppTemplates, type: RegExp): Fault[] {
  return all(app, type).map(({ stack, id }) => ({
    missing: `${stack}/${id}`,
    app: changed(app, stack, id, () => undefined),
  }));
}

/** Takes each rule of a security group, one at a time: those that stand in their group, too. */
export function withoutEachRule(app: AppTemplates): Fault[] {
  const inGroups = all(app, /EC2::SecurityGroup$/).flatMap(({ stack, id, resource }) =>
    ['SecurityGroupIngress', 'SecurityGroupEgress'].flatMap((kind) => {
      const rules = ((resource.Properties?.[kind] ?? []) as Properties[]).filter(({ CidrIp }) => CidrIp !== NOWHERE);
      return rules.map((rule) => ({
        missing: `${stack}/${id} ${kind} ${rule.Description}`,
        of: `${stack}/${id}`,
        app: changed(app, stack, id, (group) => {
          const left = ((group.Properties?.[kind] ?? []) as Properties[]).filter(
            (each) => each.Description !== rule.Description,
          );
          const rest = left.length > 0 || kind === 'SecurityGroupIngress' ? left : [NONE];
          return { ...group, Properties: { ...group.Properties, [kind]: rest } };
        }),
      }));
    }),
  );
  return [...inGroups, ...withoutEach(closed(app), /EC2::SecurityGroup(In|E)gress$/)];
}

/** An app whose groups let nothing out but by their rules: from a group without any, AWS lets all out. */
function closed(app: AppTemplates): AppTemplates {
  const open = all(app, /EC2::SecurityGroup$/).filter(({ resource }) => !resource.Properties?.SecurityGroupEgress);
  return open.reduce(
    (closing, { stack, id }) =>
      changed(closing, stack, id, (group) => ({
        ...group,
        Properties: { ...group.Properties, SecurityGroupEgress: [NONE] },
      })),
    app,
  );
}

const NOWHERE = '255.255.255.255/32';
/** As the CDK writes that nothing is let out. */
const NONE = { CidrIp: NOWHERE, IpProtocol: 'icmp' };

/** Takes each statement of an endpoint's policy, one at a time. */
export function withoutEachStatement(app: AppTemplates): Fault[] {
  return all(app, /EC2::VPCEndpoint$/).flatMap(({ stack, id, resource }) =>
    (resource.Properties!.PolicyDocument.Statement as Properties[]).map(({ Action }, index) => ({
      missing: `${stack}/${id} ${Action}`,
      of: `${stack}/${id}`,
      app: changed(app, stack, id, (endpoint) => {
        endpoint.Properties!.PolicyDocument.Statement.splice(index, 1);
        return endpoint;
      }),
    })),
  );
}

/** Sets a property of each resource of a type, one at a time. */
export function withEach(app: AppTemplates, type: RegExp, properties: Properties): Fault[] {
  return all(app, type).map(({ stack, id }) => ({
    missing: `${stack}/${id} ${JSON.stringify(properties)}`,
    app: changed(app, stack, id, (resource) => ({
      ...resource,
      Properties: { ...resource.Properties, ...properties },
    })),
  }));
}
