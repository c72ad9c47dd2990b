import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';

/** A value of a template. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Value = any;

interface RawResource {
  readonly Type: string;
  readonly Properties?: Record<string, Value>;
  readonly DependsOn?: string | string[];
}

interface RawTemplate {
  readonly Resources: Record<string, RawResource>;
  readonly Outputs?: Record<string, { readonly Value: Value; readonly Export?: { readonly Name: Value } }>;
}

/** Templates by the names of their stacks; a nested one has the name `<parent>/<logical id>`. */
export type RawTemplates = Record<string, RawTemplate>;

/** A resource as it is deployed: what its properties refer to is written out. */
export interface Deployed {
  /** `<stack>/<logical id>`. */
  readonly path: string;
  readonly type: string;
  readonly properties: Record<string, Value>;
  /** Paths of what CloudFormation makes before it, in its own stack or for all of that. */
  readonly dependsOn: readonly string[];
}

/** The templates that an app synthesises. */
export function templatesOf(app: App): RawTemplates {
  const { directory } = app.synth();
  const stacks = app.node.findAll().filter((construct) => Stack.isStack(construct));
  return Object.fromEntries(
    stacks.map((stack) => [nameOf(stack), JSON.parse(readFileSync(join(directory, stack.templateFile), 'utf8'))]),
  );
}

function nameOf(stack: Stack): string {
  const { nestedStackParent: parent, nestedStackResource: resource } = stack;
  return parent && resource ? `${nameOf(parent)}/${parent.resolve(resource.logicalId)}` : stack.stackName;
}

/**
 * Writes out what the resources of templates refer to: a reference becomes the ARN or name where that is known before the deployment,
 * and `<stack/logical id.attribute>` otherwise.
 */
export class Deployment {
  public readonly resources: readonly Deployed[];

  constructor(
    private readonly templates: RawTemplates,
    public readonly account: string,
    public readonly region: string,
  ) {
    this.resources = Object.entries(templates).flatMap(([stack, { Resources }]) =>
      Object.entries(Resources).map(([id, { Type, Properties = {}, DependsOn = [] }]) => ({
        path: `${stack}/${id}`,
        type: Type,
        properties: this.written(stack, Properties) as Record<string, Value>,
        dependsOn: [...new Set([DependsOn].flat().concat(referencesIn(Properties)))]
          .filter((name) => name in Resources)
          .map((name) => `${stack}/${name}`),
      })),
    );
  }

  /** All resources of a type. */
  public of(type: string): Deployed[] {
    return this.resources.filter((resource) => resource.type === type);
  }

  /** The resource that a text refers to, by its ARN, name or attribute. */
  public named(text: string, type: string): Deployed | undefined {
    return this.of(type).find(({ path }) => {
      const [stack, id] = splitPath(path);
      return this.ref(stack, id) === text || this.attribute(stack, id, 'Arn') === text;
    });
  }

  private written(stack: string, value: Value): Value {
    if (Array.isArray(value)) return value.map((each) => this.written(stack, each));
    if (value === null || typeof value !== 'object') return value;
    const [[name, argument], ...more] = Object.entries(value).concat([['', undefined]]);
    if (more.length === 1) {
      if (name === 'Ref') return this.ref(stack, argument as string);
      if (name.startsWith('Fn::')) return this.result(stack, name, argument);
    }
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, this.written(stack, each)]));
  }

  private result(stack: string, name: string, argument: Value): Value {
    switch (name) {
      case 'Fn::GetAtt':
        return this.attribute(stack, ...(argument as [string, string]));
      case 'Fn::Join':
        return (this.written(stack, argument[1]) as string[]).join(argument[0]);
      case 'Fn::Sub':
        return String(argument).replace(/\$\{(.+?)\}/g, (_, id: string) => this.ref(stack, id));
      case 'Fn::GetStackOutput':
        return this.output(argument.StackName, argument.OutputName);
      default:
        return `<${name} ${JSON.stringify(this.written(stack, argument))}>`;
    }
  }

  private ref(stack: string, id: string): string {
    const pseudo = PSEUDO[id];
    if (pseudo) return pseudo(this);
    const { Resources } = this.templates[stack];
    if (!(id in Resources)) return this.parameter(stack, id);
    const { Type, Properties } = Resources[id];
    if (Type === 'AWS::SecretsManager::Secret' && Properties?.Name) {
      return `arn:aws:secretsmanager:${this.region}:${this.account}:secret:${this.written(stack, Properties.Name)}-AbCdEf`;
    }
    if (Type === 'AWS::Logs::LogGroup' && Properties?.LogGroupName) return this.written(stack, Properties.LogGroupName);
    return `<${stack}/${id}>`;
  }

  private attribute(stack: string, id: string, name: string): string {
    const nested = `${stack}/${id}`;
    if (name.startsWith('Outputs.')) return this.output(nested, name.slice('Outputs.'.length));
    const type = this.templates[stack].Resources[id]?.Type;
    if (name === 'Arn' && type === 'AWS::S3::Bucket') return `arn:aws:s3:::${this.ref(stack, id)}`;
    if (name === 'Arn' && type === 'AWS::Logs::LogGroup') {
      return `arn:aws:logs:${this.region}:${this.account}:log-group:${this.ref(stack, id)}:*`;
    }
    return `<${stack}/${id}.${name}>`;
  }

  private output(stack: string, name: string): string {
    const output = this.templates[stack]?.Outputs?.[name];
    return output ? (this.written(stack, output.Value) as string) : `<no output ${stack}.${name}>`;
  }

  /** What the parent of a nested stack gives to it. */
  private parameter(stack: string, name: string): string {
    const [parent, id] = splitPath(stack);
    const given = this.templates[parent]?.Resources[id]?.Properties?.Parameters?.[name];
    return given === undefined ? `<parameter ${stack}.${name}>` : (this.written(parent, given) as string);
  }
}

const PSEUDO: Record<string, (deployment: Deployment) => string> = {
  'AWS::AccountId': ({ account }) => account,
  'AWS::Region': ({ region }) => region,
  'AWS::Partition': () => 'aws',
  'AWS::URLSuffix': () => 'amazonaws.com',
};

/** The stack and the logical id of a path. */
function splitPath(path: string): [string, string] {
  const slash = path.lastIndexOf('/');
  return [path.slice(0, slash), path.slice(slash + 1)];
}

/** Logical ids that a value refers to. */
function referencesIn(value: Value): string[] {
  if (Array.isArray(value)) return value.flatMap(referencesIn);
  if (value === null || typeof value !== 'object') return [];
  return Object.entries(value as Record<string, Value>).flatMap(([name, argument]) => {
    if (name === 'Ref') return [argument as string];
    if (name === 'Fn::GetAtt') return [argument[0] as string];
    if (name === 'Fn::Sub') return [...String(argument).matchAll(/\$\{([^.}]+)/g)].map(([, id]) => id);
    return referencesIn(argument);
  });
}
