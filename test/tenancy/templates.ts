import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { CloudFormationStackArtifact } from 'aws-cdk-lib/cx-api';
import { Environment } from '../../lib/environment/environment';
import { SharedRlsStack } from '../../lib/tenancy/shared-rls-stack';

/** A resource of a template. */
export interface Resource {
  readonly Type: string;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly Properties: Record<string, any>;
  readonly DependsOn?: string[];
  readonly DeletionPolicy?: string;
  readonly Metadata?: Record<string, unknown>;
}

/** A template. */
export interface Template {
  readonly Resources: Record<string, Resource>;
  readonly Outputs?: Record<string, unknown>;
}

/** The template of a stack and those of the stacks nested in it, by name (`Tenants3`), all as they are deployed. */
export interface Templates {
  readonly parent: Template;
  readonly nested: ReadonlyMap<string, Template>;
  readonly messages: string[];
}

/** Synthesises an environment, once for all that is asked about it. */
export function synthesise(environment: Environment): Templates {
  const app = new App();
  new SharedRlsStack(app, 'Demo', { environment });
  const assembly = app.synth();
  const artifact = assembly.getStackByName('Demo') as CloudFormationStackArtifact;
  const parent = artifact.template as Template;
  const nested = Object.entries(parent.Resources).flatMap(([id, { Type, Metadata }]): [string, Template][] => {
    const [name] = /Tenants\d/.exec(id) ?? [];
    if (Type !== 'AWS::CloudFormation::Stack' || !name) return [];
    const file = join(assembly.directory, String(Metadata?.['aws:asset:path']));
    return [[name, JSON.parse(readFileSync(file, 'utf8')) as Template]];
  });
  return {
    parent,
    nested: new Map(nested),
    messages: artifact.messages.map(({ entry }) => String(entry.data)),
  };
}

/** The resources of a type in all templates, by `<template>/<logical id>`. */
export function resourcesOf({ parent, nested }: Templates, type: RegExp): Record<string, Resource> {
  const all = [['', parent] as const, ...nested];
  return Object.fromEntries(
    all.flatMap(([name, { Resources }]) =>
      Object.entries(Resources)
        .filter(([, resource]) => type.test(resource.Type))
        .map(([id, resource]) => [name ? `${name}/${id}` : id, resource]),
    ),
  );
}
