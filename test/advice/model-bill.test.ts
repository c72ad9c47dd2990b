import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { billsOf } from '../../lib/advice/model-bill';
import { Environment, InstancePreset, TenancyModel } from '../../lib/environment/environment';
import { InstanceSharing } from '../../lib/tenant/tenant-instance';
import { databaseExample, example, instanceExample, newFleet, tenants, userApp } from '../tenancy/environments';
import { Resource, newStack } from '../tenancy/templates';

/** Resources of all templates of an environment. */
function synthesised(environment: Environment): Resource[] {
  const outdir = mkdtempSync(join(tmpdir(), 'superset-tenancy-bill-'));
  try {
    const app = userApp(outdir);
    if (environment.model === TenancyModel.INSTANCE_PER_TENANT) newFleet(app, environment);
    else newStack(app, environment);
    app.synth();
    return readdirSync(outdir)
      .filter((name) => name.endsWith('.template.json'))
      .flatMap((name) => Object.values<Resource>(JSON.parse(readFileSync(join(outdir, name), 'utf8')).Resources));
  } finally {
    rmSync(outdir, { recursive: true });
  }
}

/** What of them AWS charges for, by what the bill calls it. */
function chargedFor(resources: Resource[]): Record<string, number> {
  const counts: Record<string, number> = {};
  const add = (part: string, count: number) => {
    if (count > 0) counts[part] = (counts[part] ?? 0) + count;
  };
  for (const { Type, Properties: p } of resources) {
    if (Type === 'AWS::RDS::DBInstance') {
      add(`${p.DBInstanceClass}${p.MultiAZ ? ', with a standby' : ''}`, 1);
      add('GiB', Number(p.AllocatedStorage));
      add("secrets of servers' masters, which RDS makes", p.ManageMasterUserPassword ? 1 : 0);
    }
    if (Type === 'AWS::RDS::DBProxy') add('RDS Proxy', 1);
    if (Type === 'AWS::ElastiCache::ReplicationGroup') {
      add(`Valkey ${p.CacheNodeType}`, p.NumCacheClusters ?? p.ReplicasPerNodeGroup + 1);
    }
    if (Type === 'AWS::ElasticLoadBalancingV2::LoadBalancer') add('application load balancers', 1);
    if (Type === 'AWS::WAFv2::WebACL') {
      add('web ACLs', 1);
      add('rules of web ACLs', p.Rules.length);
    }
    if (Type === 'AWS::EC2::NatGateway') add('NAT gateways', 1);
    if (Type === 'AWS::EC2::VPCEndpoint' && p.VpcEndpointType === 'Interface') {
      add('interface endpoints, in each zone', p.SubnetIds.length);
    }
    if (Type === 'AWS::SecretsManager::Secret') add('secrets', 1);
    if (Type === 'AWS::KMS::Key') add('KMS keys', 1);
    if (Type === 'AWS::CloudWatch::Alarm') add('alarms', 1);
  }
  const floors = resources
    .filter(({ Type }) => Type === 'AWS::ApplicationAutoScaling::ScalableTarget')
    .map(({ Properties: p }) => Number(p.MinCapacity));
  const fixed = resources
    .filter(({ Type, Properties: p }) => Type === 'AWS::ECS::Service' && p.DesiredCount)
    .map(({ Properties: p }) => Number(p.DesiredCount));
  for (const tasks of [...floors, ...fixed]) add('Superset', tasks);
  return counts;
}

/** The same from the bills. */
function billed(environment: Environment): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { part, count } of billsOf(environment, environment.model).flatMap(({ items }) => items)) {
    const gib = /: (\d+) GiB gp3/.exec(part);
    const name = gib
      ? 'GiB'
      : part
          .replace(/^Superset .*/, 'Superset')
          .replace(/^.*: (?=db\.)/, '')
          .replace(/, \d+ vCPU/, '');
    counts[name] = (counts[name] ?? 0) + count * Number(gib?.[1] ?? 1);
  }
  return counts;
}

const zones = ['eu-central-1a', 'eu-central-1b'];
const { domain } = example();
const fleet = (instances: Environment['instances'], overrides: Partial<Environment> = {}) =>
  instanceExample({ instances, tenants: tenants(3, { value: undefined }), ...overrides });
const ownValues = { value: undefined };

test.each<[string, Environment]>([
  ['shared-rls', example()],
  ['shared-rls with 12 tenants', example({ tenants: tenants(12) })],
  [
    'shared-rls that faces the internet',
    example({
      network: { internetEgress: true, availabilityZones: zones },
      domain: { ...domain, internetFacing: true },
    }),
  ],
  [
    'shared-rls without standby and with more tasks',
    example({
      database: { multiAz: false },
      cache: { replicas: 0 },
      superset: { version: '6.1.0', minWebTasks: 3, minWorkerTasks: 2 },
    }),
  ],
  ['database-per-tenant', databaseExample()],
  [
    'database-per-tenant over two servers',
    databaseExample({
      shards: [{ name: 'a' }, { name: 'b' }],
      defaultShards: ['a', 'b'],
      tenants: tenants(9, ownValues),
    }),
  ],
  [
    'database-per-tenant with a server that is still empty',
    databaseExample({ shards: [{ name: 'a' }, { name: 'b' }], tenants: tenants(2, { ...ownValues, loader: true }) }),
  ],
  ['instance-per-tenant', instanceExample()],
  ['a standard fleet', fleet({ preset: InstancePreset.STANDARD })],
  ['an economy fleet', fleet({ preset: InstancePreset.ECONOMY })],
  ['a fleet over two cells', fleet({ preset: InstancePreset.ECONOMY, tenantsPerCell: 2 })],
  ['a fleet with networks of their own', fleet({ network: InstanceSharing.OWN, spotWorkers: true })],
  [
    'a fleet that faces the internet',
    fleet({ loadBalancer: InstanceSharing.CELL }, { domain: { ...domain, internetFacing: true } }),
  ],
])('the bill counts what the templates have: %s', (_name, environment) => {
  expect(billed(environment)).toEqual(chargedFor(synthesised(environment)));
});
