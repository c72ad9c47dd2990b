import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { CfnResource, IPolicyValidationContext, NestedStack, Stack, Token } from 'aws-cdk-lib';
import { IConstruct } from 'constructs';
import { CheckedResource, Json } from './checked-resource';

/** All templates of an app, nested ones included, with the references between them. */
export class Templates {
  public readonly resources: CheckedResource[] = [];
  /** All constructs of the app. */
  public readonly constructs: IConstruct[];
  private readonly byType = new Map<string, CheckedResource[]>();
  private readonly byConstruct = new Map<IConstruct, CheckedResource>();
  private readonly templates = new Map<Stack, Json>();
  private readonly byId = new Map<Stack, Map<string, CheckedResource>>();

  /** Reads what was synthesised: overrides are in it, unlike in the properties of constructs. */
  constructor(context: IPolicyValidationContext) {
    this.constructs = context.appConstruct.node.findAll();
    for (const stack of this.constructs.filter((child) => Stack.isStack(child))) {
      const file = fileOf(stack, context);
      if (file) this.read(stack, file);
    }
  }

  /** The resources of some types. */
  public ofType(...types: string[]): CheckedResource[] {
    return types.flatMap((type) => this.byType.get(type) ?? []);
  }

  /** One resource of a stack, for what is to be reported once. */
  public first(stack: Stack): CheckedResource | undefined {
    return this.byId.get(stack)?.values().next().value;
  }

  /**
   * The resource that a value stands for: by `Ref` or `Fn::GetAtt`, through parameters and outputs of nested stacks and the outputs of
   * other stacks. Undefined for what is outside of the app, or put together from parts.
   */
  public target(value: Json, stack: Stack): CheckedResource | undefined {
    if (typeof value !== 'object' || value === null) return undefined;
    if ('Ref' in value) return this.resource(stack, value.Ref) ?? this.throughParameter(value.Ref, stack);
    if ('Fn::GetAtt' in value) {
      const [id, attribute] = [value['Fn::GetAtt']]
        .flat()
        .join('.')
        .split(/\.(.*)/s);
      return attribute.startsWith('Outputs.')
        ? this.throughNestedOutput(id, attribute.slice('Outputs.'.length), stack)
        : this.resource(stack, id);
    }
    if ('Fn::GetStackOutput' in value) {
      const { StackName, OutputName } = value['Fn::GetStackOutput'];
      return this.throughOutput(({ stackName }, name) => stackName === StackName && name === OutputName);
    }
    if ('Fn::ImportValue' in value) {
      return this.throughOutput((_, __, { Export }) => Export?.Name === value['Fn::ImportValue']);
    }
    return undefined;
  }

  /** All resources that a value names, at any depth. */
  public targets(value: Json, stack: Stack): CheckedResource[] {
    if (typeof value !== 'object' || value === null) return [];
    const target = this.target(value, stack);
    return target ? [target] : Object.values(value).flatMap((part) => this.targets(part, stack));
  }

  private read(stack: Stack, file: string): void {
    const template = JSON.parse(readFileSync(file, 'utf8'));
    const constructs = new Map<string, IConstruct>(
      stack.node
        .findAll()
        .filter((child) => CfnResource.isCfnResource(child) && child.stack === stack)
        .map((child) => [stack.resolve((child as CfnResource).logicalId), child]),
    );
    const resources = Object.entries(template.Resources ?? {}).map(
      ([id, body]) => new CheckedResource(stack, id, constructs.get(id) ?? stack, body),
    );
    this.templates.set(stack, template);
    this.byId.set(stack, new Map(resources.map((resource) => [resource.logicalId, resource])));
    for (const resource of resources) {
      this.resources.push(resource);
      this.byConstruct.set(resource.construct, resource);
      this.byType.set(resource.type, [...(this.byType.get(resource.type) ?? []), resource]);
    }
  }

  private resource(stack: Stack, id: string): CheckedResource | undefined {
    return this.byId.get(stack)?.get(id);
  }

  private throughParameter(name: string, nested: Stack): CheckedResource | undefined {
    const { nestedStackParent: parent, nestedStackResource } = nested;
    const made = nestedStackResource && this.byConstruct.get(nestedStackResource);
    return parent && made && this.target(made.properties.Parameters?.[name], parent);
  }

  private throughNestedOutput(id: string, output: string, parent: Stack): CheckedResource | undefined {
    const made = this.resource(parent, id)?.construct;
    const nested = [...this.templates.keys()].find(({ nestedStackResource }) => made && nestedStackResource === made);
    return nested && this.target(this.templates.get(nested).Outputs?.[output]?.Value, nested);
  }

  private throughOutput(isIt: (stack: Stack, name: string, output: Json) => boolean): CheckedResource | undefined {
    for (const [stack, { Outputs }] of this.templates) {
      for (const [name, output] of Object.entries<Json>(Outputs ?? {})) {
        if (isIt(stack, name, output)) return this.target(output.Value, stack);
      }
    }
    return undefined;
  }
}

/** The region of a stack, undefined if it is not known at synthesis. */
export function regionOf(stack: Stack): string | undefined {
  return Token.isUnresolved(stack.region) ? undefined : stack.region;
}

/** Nested templates lie beside that of the stack which they are part of; undefined for a stack of another stage. */
function fileOf(stack: Stack, { stackTemplates }: IPolicyValidationContext): string | undefined {
  let outer = stack;
  while (NestedStack.isNestedStack(outer)) outer = outer.nestedStackParent as Stack;
  const top = stackTemplates.find(({ stackConstructPath }) => stackConstructPath === outer.node.path);
  return top && (outer === stack ? top.templatePath : join(dirname(top.templatePath), stack.templateFile));
}
