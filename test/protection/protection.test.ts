import { App, CfnResource, Stack } from 'aws-cdk-lib';
import { UNPROTECTED } from '../../lib/protection/protection';
import { Environment } from '../../lib/environment/environment';
import { policyFindings } from '../policy-findings';
import { databaseExample, example, instanceExample, newFleet, userApp } from '../tenancy/environments';
import { newStack } from '../tenancy/templates';

type Build = (app: App) => Stack[];

const oneStack =
  (environment: Environment): Build =>
  (app) => [newStack(app, environment)];

const MODELS: [string, Build][] = [
  ['shared-rls', oneStack(example())],
  ['database-per-tenant', oneStack(databaseExample())],
  [
    'instance-per-tenant',
    (app) => {
      const { cells, instances } = newFleet(app, instanceExample());
      return [...cells, ...instances];
    },
  ],
];

interface Resource {
  readonly Type: string;
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly Properties: any;
}

/** All resources of a model, those of nested stacks too. */
function built(build: Build, unprotected?: string) {
  const app = userApp();
  if (unprotected !== undefined) app.node.setContext(UNPROTECTED, unprotected);
  const stacks = build(app);
  app.synth();
  const resources = stacks
    .flatMap((stack) => stack.node.findAll())
    .filter(CfnResource.isCfnResource)
    .map((resource) => {
      const template = Stack.of(resource).resolve(resource._toCloudFormation()) as {
        Resources: Record<string, Resource>;
      };
      return Object.values(template.Resources)[0];
    });
  return { stacks, resources, messages: stacks.flatMap(({ node }) => node.metadata.map(({ data }) => String(data))) };
}

function protection({ stacks, resources }: ReturnType<typeof built>) {
  const loadBalancers = resources.filter(({ Type }) => Type === 'AWS::ElasticLoadBalancingV2::LoadBalancer');
  const attributes = loadBalancers.flatMap(
    ({ Properties }) => Properties.LoadBalancerAttributes as { Key: string; Value: string }[],
  );
  return {
    stacks: new Set(stacks.map(({ terminationProtection }) => terminationProtection)),
    servers: new Set(
      resources
        .filter(({ Type }) => Type === 'AWS::RDS::DBInstance')
        .map(({ Properties }) => Properties.DeletionProtection as boolean),
    ),
    loadBalancers: new Set(
      attributes.filter(({ Key }) => Key === 'deletion_protection.enabled').map(({ Value }) => Value === 'true'),
    ),
  };
}

describe.each(MODELS)('%s', (_, build) => {
  test('what is kept does not stay when the deployment that makes it fails, so that its name is free for the next', () => {
    const { resources } = built(build);

    const stays = resources.filter(({ DeletionPolicy }) => DeletionPolicy === 'Retain').map(({ Type }) => Type);
    // Load balancers have written to them, and their names are CloudFormation's.
    expect(new Set(stays)).toEqual(new Set(['AWS::S3::Bucket']));
    for (const { Type, DeletionPolicy, UpdateReplacePolicy } of resources) {
      if (DeletionPolicy === 'RetainExceptOnCreate') expect([Type, UpdateReplacePolicy]).toEqual([Type, 'Retain']);
    }
  });

  test('servers, load balancers and stacks are protected from deletion', () => {
    const made = built(build);

    const all = new Set([true]);
    expect(protection(made)).toEqual({ stacks: all, servers: all, loadBalancers: all });
    expect(made.messages.join()).not.toContain(UNPROTECTED);
  });

  test('nothing is where a first deployment may have to be rolled back, which is warned of, and data is kept all the same', () => {
    const made = built(build, 'true');

    const none = new Set([false]);
    expect(protection(made)).toEqual({ stacks: none, servers: none, loadBalancers: none });
    expect(made.messages.join()).toContain(UNPROTECTED);
    const servers = made.resources.filter(({ Type }) => Type === 'AWS::RDS::DBInstance');
    expect(new Set(servers.map(({ DeletionPolicy }) => DeletionPolicy))).toEqual(new Set(['RetainExceptOnCreate']));
    expect(made.stacks.flatMap(policyFindings)).toEqual([]);
  });
});

test('a value that says neither yes nor no is refused', () => {
  expect(() => built(MODELS[0][1], 'maybe')).toThrow(
    /superset-tenancy:unprotected is "maybe"; it must be true or false/,
  );
});
