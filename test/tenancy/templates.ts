import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { App, NestedStack } from 'aws-cdk-lib';
import { Environment, TenancyModel } from '../../lib/environment/environment';
import { DatabasePerTenantStack } from '../../lib/tenancy/database-per-tenant-stack';
import { SharedRlsStack } from '../../lib/tenancy/shared-rls-stack';
import { userApp } from './environments';

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

/** The stack of an environment, by its model. */
export function newStack(app: App, environment: Environment): DatabasePerTenantStack | SharedRlsStack {
  return environment.model === TenancyModel.SHARED_RLS
    ? new SharedRlsStack(app, 'Demo', { environment })
    : new DatabasePerTenantStack(app, 'Demo', { environment });
}

/** Synthesises an environment, once for all that is asked about it. */
export function synthesise(environment: Environment): Templates {
  const app = userApp();
  const stack = newStack(app, environment);
  const assembly = app.synth();
  const artifact = assembly.getStackByName('Demo');
  const nested = stack.tenancy.node.children
    .filter((child) => child instanceof NestedStack)
    .map(({ node, templateFile }): [string, Template] => [
      node.id,
      JSON.parse(readFileSync(join(assembly.directory, templateFile), 'utf8')),
    ]);
  return {
    parent: artifact.template,
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
