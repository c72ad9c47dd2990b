import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { App, CfnElement, CfnMapping, CfnOutput, CfnParameter, CfnResource, SecretValue, Stack } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import { CloudAssembly } from 'aws-cdk-lib/cx-api';
import {
  DatabasePerTenantStack,
  EnvironmentShard,
  InstanceCellStack,
  InstancePerTenantStack,
  InstanceSharing,
  InstanceSize,
  ProxyAuthentication,
  SharedRlsStack,
  Tenant,
} from '../../lib';
import { environmentProblems } from '../../lib/environment/environment-rules';
import { checkStackQuotas } from '../../lib/validation/stack-quotas';
import { databaseExample, example, instanceExample, tenants, userApp } from './environments';

const KEYS = { limits: { connections: 1 }, ownKey: true, loader: true };

/** Everything on, which makes the most resources of each shard. */
function largest(shardCount: number, authentication: ProxyAuthentication) {
  const base = databaseExample();
  const all = tenants(60, KEYS).map((each, index): Tenant => ({ ...each, ownKey: index < shardCount - 1 }));
  const shards = Array.from({ length: shardCount }, (_, index): EnvironmentShard => {
    const onlyFor = index < shardCount - 1 ? all[index].id : undefined;
    return { name: `s${String.fromCharCode(97 + index)}`, instanceClass: 'm7g.4xlarge', onlyFor };
  });
  const zones = ['a', 'b', 'c'].map((zone) => base.region + zone);
  return {
    ...base,
    network: { internetEgress: true, availabilityZones: zones },
    domain: { ...base.domain, internetFacing: true },
    proxy: { authentication },
    ...{ shards, defaultShards: undefined, tenants: all },
  };
}

describe('the largest environment that is allowed is within the quotas', () => {
  test.each(Object.values(ProxyAuthentication))(
    'of shards with everything on (%s), and one shard more is refused',
    (authentication) => {
      const app = userApp();
      new DatabasePerTenantStack(app, 'Demo', { environment: largest(8, authentication) });
      const [most] = resourcesOf(app.synth());

      expect(most).toBeGreaterThan(450);
      expect(most).toBeLessThanOrEqual(500);
      expect(environmentProblems(largest(9, authentication))).toMatchObject([
        { path: ['shards'], code: 'LIST_LENGTH', allowed: 'a list of 1 to 8' },
      ]);
    },
  );

  test('of tenants who share tables', () => {
    const app = userApp();
    const environment = example({ tenants: tenants(1_100, { limits: { connections: 1 } }) });
    new SharedRlsStack(app, 'Demo', { environment });

    expect(resourcesOf(app.synth())[0]).toBeLessThanOrEqual(500);
  });

  test('of a cell: 95 tenants behind its load balancer, 55 of them on its server', () => {
    const app = userApp();
    const environment = cell(95, (index) => [`10.${index % 50}.0.0/16`]);
    new InstanceCellStack(app, 'Demo', { environment, region: environment.region, tenantIds: idsOf(environment) });

    expect(resourcesOf(app.synth())[0]).toBeLessThanOrEqual(500);
  });

  test('of an instance with everything for itself', () => {
    const app = userApp();
    const base = instanceExample();
    const instance = { size: InstanceSize.LARGE, network: OWN, loadBalancer: OWN, database: OWN };
    const environment = {
      ...base,
      network: { internetEgress: true },
      domain: { ...base.domain, internetFacing: true },
      tenants: [{ ...base.tenants[0], loader: true, instance }],
    };
    new InstancePerTenantStack(app, 'Demo', { environment, tenantId: base.tenants[0].id });

    expect(resourcesOf(app.synth())[0]).toBeLessThanOrEqual(500);
  });
});

test('more networks than a security group has rules are refused, with the group and the way out', () => {
  const app = userApp();
  const environment = cell(95, (index) => [`10.${index}.0.0/16`]);
  new InstanceCellStack(app, 'Demo', { environment, region: environment.region, tenantIds: idsOf(environment) });

  expect(() => app.synth()).toThrow(/Demo: security group \w+ has 96 rules.*has 60 .*Join networks/);
});

const bodies: [what: string, limit: number, add: (stack: Stack, index: number) => CfnElement][] = [
  ['resources in one stack', 500, (stack, index) => resource(stack, index)],
  ['outputs of one stack', 200, (stack, index) => new CfnOutput(stack, `O${index}`, { value: 'x' })],
  ['parameters of one stack', 200, (stack, index) => new CfnParameter(stack, `P${index}`, { default: '' })],
  ['mappings of one stack', 200, (stack, index) => new CfnMapping(stack, `M${index}`, { mapping: { a: { b: 'c' } } })],
  [
    'dynamic references in one template',
    60,
    (stack, index) => resource(stack, index, SecretValue.secretsManager(`s${index}`).unsafeUnwrap()),
  ],
];

test.each(bodies)('%s: %d and not one more', (what, limit, add) => {
  const stackOf = (count: number) => {
    const stack = bare();
    for (let index = 0; index < count; index++) add(stack, index);
    return stack.node.root as App;
  };

  expect(() => stackOf(limit).synth()).not.toThrow();
  expect(() => stackOf(limit + 1).synth()).toThrow(
    new RegExp(`Prod: ${limit + 1} ${what}; the limit is ${limit}, and AWS cannot raise it`),
  );
});

test.each([true, false])(
  'a template of one megabyte, as it is written (without indentation: %s), and not more',
  (suppressTemplateIndentation) => {
    const template = (bytes: number) => {
      const stack = bare({ suppressTemplateIndentation });
      resource(stack, 0, 'x'.repeat(bytes));
      return stack.node.root as App;
    };
    const assembly = template(990_000).synth();
    expect(readFileSync(join(assembly.directory, 'Prod.template.json')).length).toBeLessThan(1_000_000);

    expect(() => template(1_000_000).synth()).toThrow(/\d{7} bytes of one template; the limit is 1000000/);
  },
);

test('rules in a security group and apart from it count together', () => {
  const rules = (apart: number) => {
    const stack = bare();
    const vpc = ec2.Vpc.fromVpcAttributes(stack, 'Vpc', { vpcId: 'vpc-1', availabilityZones: ['a'] });
    const group = new ec2.SecurityGroup(stack, 'Group', { vpc });
    for (let index = 0; index < 30; index++) group.addIngressRule(ec2.Peer.ipv4(`10.0.${index}.0/24`), ec2.Port.HTTPS);
    for (let index = 0; index < apart; index++) {
      new ec2.CfnSecurityGroupIngress(stack, `R${index}`, { groupId: group.securityGroupId, ipProtocol: 'tcp' });
    }
    return stack.node.root as App;
  };

  expect(() => rules(30).synth()).not.toThrow();
  expect(() => rules(31).synth()).toThrow(/security group Group\w+ has 61 rules of SecurityGroupIngress/);
});

const OWN = InstanceSharing.OWN;

function cell(count: number, networksOf: (index: number) => string[]) {
  const base = instanceExample();
  return {
    ...base,
    domain: { ...base.domain, internetFacing: false },
    instances: {
      ...base.instances,
      ...{ tenantsPerCell: 95, loadBalancer: InstanceSharing.CELL, database: InstanceSharing.CELL },
      cellDatabase: { instanceClass: 'r7g.16xlarge' },
    },
    tenants: tenants(count, { limits: { connections: 1 } }).map((tenant, index): Tenant => ({
      ...tenant,
      instance: { allowedNetworks: networksOf(index), ...(index >= 55 && { database: OWN }) },
    })),
  };
}

function idsOf(environment: { readonly tenants: Tenant[] }): string[] {
  return environment.tenants.map(({ id }) => id);
}

/** A stack that a construct of ours is in. */
function bare(props: { readonly suppressTemplateIndentation?: boolean } = {}): Stack {
  const app = new App({ analyticsReporting: false, context: { '@aws-cdk/core:stackResourceLimit': 10_000 } });
  const stack = new Stack(app, 'Prod', props);
  checkStackQuotas(stack);
  return stack;
}

function resource(stack: Stack, index: number, name = 'x'): CfnResource {
  return new CfnResource(stack, `R${index}`, {
    type: 'AWS::CloudFormation::WaitConditionHandle',
    properties: { name },
  });
}

/** Resources of each template that would be deployed, the most first. */
function resourcesOf({ directory }: CloudAssembly): number[] {
  const files = (JSON.parse(readFileSync(join(directory, 'Demo.assets.json'), 'utf8')) as Assets).files;
  const templates = Object.values(files)
    .map(({ source }) => source.path)
    .filter((path) => path.endsWith('.template.json'));
  return templates
    .map((path) => JSON.parse(readFileSync(join(directory, path), 'utf8')) as { Resources: object })
    .map(({ Resources }) => Object.keys(Resources).length)
    .sort((a, b) => b - a);
}

interface Assets {
  readonly files: Record<string, { readonly source: { readonly path: string } }>;
}
