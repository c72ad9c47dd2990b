import { Stack, Token } from 'aws-cdk-lib';
import { RegionInfo } from 'aws-cdk-lib/region-info';
import { CheckedResource, Json } from './checked-resource';

/** The statements of all policies in a resource: its own, inline ones, and those that say who may assume or use it. */
export function statementsOf({ properties }: CheckedResource): Json[] {
  return statementsIn(properties);
}

/** Principals of a statement that are services, with region and domain filled in. */
export function servicesOf({ Principal }: Json, stack: Stack): string[] {
  return [Principal?.Service ?? []].flat().map((service: Json) => textOf(service, stack));
}

/** Actions or resources of a statement as texts; what is not known at synthesis is left out of them. */
export function textsOf(values: Json, stack: Stack): string[] {
  return [values ?? []].flat().map((value: Json) => textOf(value, stack));
}

function statementsIn(value: Json): Json[] {
  if (typeof value !== 'object' || value === null) return [];
  const own = 'Statement' in value ? [value.Statement].flat().filter((it: Json) => it && typeof it === 'object') : [];
  return [...own, ...Object.values(value).flatMap(statementsIn)];
}

function textOf(value: Json, stack: Stack): string {
  if (typeof value === 'string') return value;
  if (value?.Ref) return pseudo(value.Ref, stack);
  if (value?.['Fn::Join']) {
    const [separator, parts] = value['Fn::Join'];
    return [parts]
      .flat()
      .map((part: Json) => textOf(part, stack))
      .join(separator);
  }
  if (typeof value?.['Fn::Sub'] === 'string') {
    return value['Fn::Sub'].replace(/\$\{([^}]+)\}/g, (_: string, name: string) => pseudo(name, stack));
  }
  return '';
}

function pseudo(name: string, { region, urlSuffix }: Stack): string {
  const known = Token.isUnresolved(region) ? undefined : RegionInfo.get(region);
  const values: Record<string, string | undefined> = {
    'AWS::Region': known?.name ?? '<region>',
    'AWS::URLSuffix': known?.domainSuffix ?? urlSuffix,
    'AWS::Partition': known?.partition ?? '<partition>',
  };
  return values[name] ?? '';
}
