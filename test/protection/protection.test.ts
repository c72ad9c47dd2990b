import { App, CfnResource, Stack } from 'aws-cdk-lib';
import { DELETION_PROTECTION, TERMINATION_PROTECTION } from '../../lib/protection/protection-requests';
import { Environment } from '../../lib/environment/environment';
import { databaseExample, example, instanceExample, newFleet, userApp } from '../tenancy/environments';
import { newStack } from '../tenancy/templates';

type Build = (app: App) => Stack[];

const oneStack =
  (environment: Environment): Build =>
  (app) => [newStack(app, environment)];

const MODELS: [string, (overrides: Partial<Environment>) => Build][] = [
  ['shared-rls', (overrides) => oneStack(example(overrides))],
  ['database-per-tenant', (overrides) => oneStack(databaseExample(overrides))],
  [
    'instance-per-tenant',
    (overrides) => (app) => {
      const { cells, instances } = newFleet(app, instanceExample(overrides));
      return [...cells, ...instances];
    },
  ],
];

interface Resource {
  readonly Type: string;
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
  readonly DependsOn?: string | string[];
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly Properties: any;
}

/** All resources of a model, those of nested stacks too. */
function built(build: Build) {
  const app = userApp();
  const stacks = build(app);
  app.synth();
  const resources = stacks
    .flatMap((stack) => stack.node.findAll())
    .filter(CfnResource.isCfnResource)
    .map((resource) => {
      const stack = Stack.of(resource);
      const template = stack.resolve(resource._toCloudFormation()) as { Resources: Record<string, Resource> };
      return { stack, path: resource.node.path, ...Object.values(template.Resources)[0] };
    });
  const ofType = (type: string) => resources.filter(({ Type }) => Type === type);
  return { stacks, resources, ofType };
}

describe.each(MODELS)('%s', (_, build) => {
  test('what is kept does not stay when the deployment that makes it fails, so that its name is free for the next', () => {
    const { resources } = built(build({}));

    const stays = resources.filter(({ DeletionPolicy }) => DeletionPolicy === 'Retain').map(({ Type }) => Type);
    // Load balancers have written to them, and their names are CloudFormation's.
    expect(new Set(stays)).toEqual(new Set(['AWS::S3::Bucket']));
    for (const { Type, DeletionPolicy, UpdateReplacePolicy } of resources) {
      if (DeletionPolicy === 'RetainExceptOnCreate') expect([Type, UpdateReplacePolicy]).toEqual([Type, 'Retain']);
    }
  });

  test('each server and load balancer is protected when it is there, and in no template, so that a deployment can be rolled back', () => {
    const { ofType } = built(build({}));
    const servers = ofType('AWS::RDS::DBInstance');
    const loadBalancers = ofType('AWS::ElasticLoadBalancingV2::LoadBalancer');

    expect(ofType(DELETION_PROTECTION)).toHaveLength(servers.length + loadBalancers.length);
    expect(ofType(DELETION_PROTECTION).filter(({ Properties }) => Properties.Retained === 'true')).toHaveLength(
      servers.length,
    );
    for (const { Properties } of servers) expect(Properties.DeletionProtection).toBeUndefined();
    for (const { Properties } of loadBalancers) {
      expect(JSON.stringify(Properties.LoadBalancerAttributes)).not.toContain('deletion_protection');
    }
  });

  test('each stack is protected, and whatever fails first in it comes after what lifts that', () => {
    const { stacks, resources, ofType } = built(build({}));

    expect(stacks.map(({ terminationProtection }) => terminationProtection)).toEqual(stacks.map(() => true));
    for (const stack of stacks) {
      const [{ path }] = ofType(TERMINATION_PROTECTION).filter((resource) => resource.stack === stack);
      const released = stack.getLogicalId(stack.node.findAll().find(({ node }) => node.path === path) as CfnResource);
      const early = resources
        .filter((resource) => resource.stack === stack && ![resource.DependsOn ?? []].flat().includes(released))
        .map((resource) => resource.path.replace(`${stack.node.path}/`, ''));
      expect(early.sort()).toEqual([
        'Custom::SupersetProtectionCustomResourceProvider/Handler',
        'Custom::SupersetProtectionCustomResourceProvider/Log/Resource',
        'Custom::SupersetProtectionCustomResourceProvider/Role',
        'TerminationProtection/Resource/Default',
      ]);
    }
  });

  test('what is to go with its stack is not protected', () => {
    const { stacks, ofType } = built(build({ destroyDataWithStack: true }));

    expect(stacks.map(({ terminationProtection }) => terminationProtection)).toEqual(stacks.map(() => false));
    expect([...ofType(DELETION_PROTECTION), ...ofType(TERMINATION_PROTECTION)]).toEqual([]);
    // Said, because it may have been deployed before with all that protects it.
    for (const { Properties } of ofType('AWS::RDS::DBInstance')) expect(Properties.DeletionProtection).toBe(false);
    for (const { Properties } of ofType('AWS::ElasticLoadBalancingV2::LoadBalancer')) {
      const off = { Key: 'deletion_protection.enabled', Value: 'false' };
      expect(Properties.LoadBalancerAttributes).toContainEqual(off);
    }
  });
});
