import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A resource of a template, with what it refers to written as {@link Templates} writes it. */
export interface Resource {
  /** `<stack>/<logical id>`. */
  readonly id: string;
  readonly type: string;
  readonly properties: Properties;
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Properties = Record<string, any>;

/** A template of CloudFormation. */
export interface Template {
  readonly Resources?: Record<string, { Type: string; Properties?: Properties; Metadata?: Record<string, unknown> }>;
  readonly Parameters?: Record<string, { readonly Default?: unknown }>;
  readonly Outputs?: Record<string, { readonly Value: unknown; readonly Export?: { readonly Name: unknown } }>;
}

/** The stacks of an app, by name; those nested in another as `<stack>/<logical id>`. */
export interface AppTemplates {
  readonly account: string;
  readonly region: string;
  readonly stacks: ReadonlyMap<string, Template>;
}

/** Reads the templates of a cloud assembly. */
export function templatesOf(assembly: string): AppTemplates {
  const read = <Content>(file: string) => JSON.parse(readFileSync(join(assembly, file), 'utf8')) as Content;
  const { artifacts } = read<Manifest>('manifest.json');
  const stacks = new Map<string, Template>();
  let [account, region] = ['', ''];
  const add = (name: string, file: string, assets: Assets) => {
    const template = read<Template>(file);
    stacks.set(name, template);
    for (const [id, { Type, Properties }] of Object.entries(template.Resources ?? {})) {
      if (Type === NESTED) {
        const url = JSON.stringify(Properties?.TemplateURL);
        const asset = Object.entries(assets.files).find(([hash]) => url.includes(hash));
        if (!asset) throw new Error(`the template of the nested stack ${name}/${id} is not in ${assembly}`);
        add(`${name}/${id}`, asset[1].source.path, assets);
      }
    }
  };
  for (const [id, { type, environment, properties }] of Object.entries(artifacts)) {
    if (type === 'aws:cloudformation:stack') {
      [account, region] = environment.slice('aws://'.length).split('/');
      add(properties.stackName ?? id, properties.templateFile, read<Assets>(`${id}.assets.json`));
    }
  }
  return { account, region, stacks };
}

/** Resources of all stacks of an app, with references resolved across stacks: to the id of a resource, or to its attribute. */
export class Templates {
  public readonly all: Resource[];

  constructor(public readonly app: AppTemplates) {
    this.all = [...app.stacks].flatMap(([stack, { Resources = {} }]) =>
      Object.entries(Resources).map(([id, { Type, Properties }]) => ({
        id: `${stack}/${id}`,
        type: Type,
        properties: (this.resolve(stack, Properties) ?? {}) as Properties,
      })),
    );
  }

  /** The resources of a type. */
  public of(type: string): Resource[] {
    return this.all.filter((resource) => resource.type === type);
  }

  /** How people find a resource: its path in the app, or its id if the template does not say that. */
  public nameOf(id: string): string {
    const path = this.raw(id)?.Metadata?.['aws:cdk:path'];
    return typeof path === 'string' ? path.replace(/\/(Resource|Default)$/, '') : id;
  }

  private raw(id: string) {
    const end = id.lastIndexOf('/');
    return this.app.stacks.get(id.slice(0, end))?.Resources?.[id.slice(end + 1)];
  }

  private resolve(stack: string, value: unknown): unknown {
    if (Array.isArray(value)) {
      return value.map((each) => this.resolve(stack, each)).filter((each) => each !== undefined);
    }
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value);
    const [[key, given] = ['', undefined]] = entries;
    if (entries.length === 1 && (key === 'Ref' || key.startsWith('Fn::'))) return this.intrinsic(stack, key, given);
    return Object.fromEntries(entries.map(([name, each]) => [name, this.resolve(stack, each)]));
  }

  private intrinsic(stack: string, key: string, given: unknown): unknown {
    const { account, region, stacks } = this.app;
    switch (key) {
      case 'Ref':
        return this.referred(stack, given as string);
      case 'Fn::GetAtt': {
        const [id, ...attribute] = typeof given === 'string' ? given.split('.') : (given as string[]);
        return this.attribute(stack, id, attribute.join('.'));
      }
      case 'Fn::GetStackOutput': {
        const { StackName, OutputName } = given as { StackName: string; OutputName: string };
        const output = stacks.get(StackName)?.Outputs?.[OutputName];
        return output ? this.resolve(StackName, output.Value) : `${StackName}.${OutputName}`;
      }
      case 'Fn::ImportValue': {
        const name = this.resolve(stack, given);
        for (const [exporting, { Outputs = {} }] of stacks) {
          const found = Object.values(Outputs).find(({ Export }) => this.resolve(exporting, Export?.Name) === name);
          if (found) return this.resolve(exporting, found.Value);
        }
        return String(name);
      }
      case 'Fn::Join': {
        const [separator, parts] = given as [string, unknown];
        return ([] as unknown[]).concat(this.resolve(stack, parts)).join(separator);
      }
      case 'Fn::Sub': {
        const [text] = [given].flat() as string[];
        const known: Record<string, string> = { 'AWS::AccountId': account, 'AWS::Region': region, ...PSEUDO };
        return text.replaceAll(/\$\{([^}]+)\}/g, (_, name: string) => known[name] ?? `${stack}/${name}`);
      }
      case 'Fn::Split': {
        const [separator, text] = given as [string, unknown];
        return String(this.resolve(stack, text)).split(separator);
      }
      case 'Fn::Select': {
        const [index, list] = given as [string | number, unknown];
        return (this.resolve(stack, list) as unknown[])[Number(index)];
      }
      default:
        return JSON.stringify({ [key]: given });
    }
  }

  private referred(stack: string, name: string): unknown {
    const { account, region, stacks } = this.app;
    if (name === 'AWS::AccountId') return account;
    if (name === 'AWS::Region') return region;
    if (name.startsWith('AWS::')) return PSEUDO[name];
    const parameter = stacks.get(stack)?.Parameters?.[name];
    if (!parameter) return `${stack}/${name}`;
    const parent = stack.slice(0, Math.max(stack.lastIndexOf('/'), 0));
    const passed = parent && (this.raw(stack)?.Properties?.Parameters as Properties | undefined)?.[name];
    return passed === undefined || passed === '' ? parameter.Default : this.resolve(parent, passed);
  }

  private attribute(stack: string, id: string, attribute: string): unknown {
    const resource = this.raw(`${stack}/${id}`);
    if (resource?.Type === NESTED && attribute.startsWith('Outputs.')) {
      const nested = `${stack}/${id}`;
      return this.resolve(nested, this.app.stacks.get(nested)?.Outputs?.[attribute.slice('Outputs.'.length)]?.Value);
    }
    if (IDENTITY.includes(attribute)) return `${stack}/${id}`;
    const property = attribute.split('.').at(-1)!;
    if (AS_GIVEN.includes(property)) return this.resolve(stack, resource?.Properties?.[property]);
    return `${stack}/${id}.${attribute}`;
  }
}

interface Manifest {
  readonly artifacts: Record<
    string,
    {
      readonly type: string;
      readonly environment: string;
      readonly properties: { readonly stackName?: string; readonly templateFile: string };
    }
  >;
}

interface Assets {
  readonly files: Record<string, { readonly source: { readonly path: string } }>;
}

const NESTED = 'AWS::CloudFormation::Stack';
const PSEUDO: Record<string, string> = { 'AWS::Partition': 'aws', 'AWS::URLSuffix': 'amazonaws.com' };

/** Attributes that are the same as a reference to the resource. */
const IDENTITY = ['GroupId', 'SubnetId', 'VpcId', 'RouteTableId', 'InternetGatewayId', 'NatGatewayId', 'Arn', 'Id'];

/** Attributes that are what the template gave. */
const AS_GIVEN = ['CidrBlock', 'Port'];
