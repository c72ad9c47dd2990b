import { App, Aspects, CfnResource, Stack } from 'aws-cdk-lib';
import { Template as Assertions, Match } from 'aws-cdk-lib/assertions';
import { Environment, InstancePreset } from '../../lib/environment/environment';
import { InstanceFleet } from '../../lib/tenancy/instance-fleet';
import { Tenant } from '../../lib/tenant/tenant';
import { InstanceSharing, InstanceSize, TenantInstance } from '../../lib/tenant/tenant-instance';
import { allowedTo } from '../allowed-to';
import { instanceExample, newFleet, tenants, userApp } from './environments';
import { Resource, Template } from './templates';

const IMAGE = '000000000000.dkr.ecr.eu-central-1.amazonaws.com/superset:6.1.0';

interface Fleet {
  readonly fleet: InstanceFleet;
  readonly templates: ReadonlyMap<string, Template>;
  readonly dependencies: ReadonlyMap<string, string[]>;
}

/** All stacks of an environment, by the ends of their names. */
function synthesise(environment: Environment): Fleet {
  const app = userApp();
  const fleet = newFleet(app, environment);
  const assembly = app.synth();
  const short = (name: string) => name.replace('Demo-', '');
  return {
    fleet,
    templates: new Map(assembly.stacks.map(({ stackName, template }) => [short(stackName), template])),
    dependencies: new Map(
      assembly.stacks.map(({ stackName, dependencies }) => [
        short(stackName),
        dependencies.flatMap((each) => ('stackName' in each ? short(String(each.stackName)) : [])),
      ]),
    ),
  };
}

function fleetOf(given: Tenant[], overrides: Partial<Environment> = {}): Environment {
  const { superset, instances } = instanceExample();
  return instanceExample({ tenants: given, superset: { ...superset, image: IMAGE }, instances, ...overrides });
}

function only(instance: TenantInstance, overrides?: Partial<Environment>): Fleet {
  return synthesise(fleetOf(tenants(1, { instance }), overrides));
}

function resourcesOf(template: Template | undefined, type: RegExp): Resource[] {
  return Object.values(template!.Resources).filter(({ Type }) => type.test(Type));
}

function typesOf(template: Template | undefined, ...types: string[]): number[] {
  return types.map((type) => resourcesOf(template, new RegExp(`^AWS::${type}$`)).length);
}

describe('the example', () => {
  let made: Fleet;
  let own: Template;
  let inCell: Template;
  let cell: Template;
  beforeAll(() => {
    made = synthesise(instanceExample());
    own = made.templates.get('tk4q9w')!;
    inCell = made.templates.get('tz81mm')!;
    cell = made.templates.get('eu-central-1-cell1')!;
  });

  test('the templates, but for the hashes of assets', () => {
    const all = JSON.stringify(Object.fromEntries(made.templates));

    expect(JSON.parse(all.replaceAll(/[0-9a-f]{64}/g, '<asset>'))).toMatchSnapshot();
  });

  test('is a stack for each tenant and one for what they share, which depends on none of them', () => {
    expect([...made.templates.keys()].sort()).toEqual(['eu-central-1-cell1', 'tk4q9w', 'tz81mm']);
    expect(made.dependencies.get('eu-central-1-cell1')).toEqual([]);
    expect(made.dependencies.get('tk4q9w')).toEqual(['eu-central-1-cell1']);
    expect(made.dependencies.get('tz81mm')).toEqual(['eu-central-1-cell1']);
  });

  test('nothing is exported or imported: a tenant never stands in the way of its cell', () => {
    for (const template of made.templates.values()) {
      expect(JSON.stringify(template)).not.toMatch(/"Fn::ImportValue"|"Export":/);
    }
    expect(JSON.stringify(inCell)).toContain('"Fn::GetStackOutput"');
    expect(JSON.stringify(cell)).not.toContain('"Fn::GetStackOutput"');
    expect(JSON.stringify(cell)).not.toMatch(/tz81mm/);
  });

  test('Superset migrates when its metadata have a database and a way to it, and serves when it has migrated', () => {
    for (const template of [own, inCell]) {
      const idsOf = (type: string) =>
        Object.keys(template.Resources).filter((id) => template.Resources[id].Type === type);
      const [migration] = idsOf('Custom::SupersetMigration');
      const toServer = idsOf('AWS::EC2::SecurityGroupIngress').filter((id) => /Server.*fromDemo.*Superset/.test(id));

      expect(toServer).toHaveLength(1);
      expect(template.Resources[migration].DependsOn).toEqual(
        expect.arrayContaining([...idsOf('Custom::SupersetOwnDatabases'), ...toServer]),
      );
      for (const service of idsOf('AWS::ECS::Service')) {
        expect(template.Resources[service].DependsOn).toContain(migration);
      }
    }
  });

  test('each has cache, key and secrets of its own, and server and load balancer where it says so', () => {
    const parts = [
      'RDS::DBInstance',
      'ElasticLoadBalancingV2::LoadBalancer',
      'ElastiCache::ReplicationGroup',
      'EC2::VPC',
    ];

    expect(typesOf(own, ...parts, 'KMS::Key')).toEqual([1, 1, 1, 0, 1]);
    expect(typesOf(inCell, ...parts, 'KMS::Key')).toEqual([0, 0, 1, 0, 1]);
    expect(typesOf(cell, ...parts)).toEqual([1, 1, 0, 1]);
    for (const template of [own, inCell]) {
      const generated = resourcesOf(template, /^AWS::SecretsManager::Secret$/).map(
        ({ Properties }) => Properties.Description as string,
      );
      expect(generated).toEqual(
        expect.arrayContaining([
          'SECRET_KEY of Superset',
          'Signs guest tokens of Superset',
          'Signs the channel of asynchronous queries',
        ]),
      );
    }
  });

  test("Superset of a tenant may read that tenant's secrets only, and the first login of its administrator for the migration", () => {
    for (const [id, template] of [
      ['tk4q9w', own],
      ['tz81mm', inCell],
    ] as const) {
      const readBy = (role: string) =>
        (allowedTo(template, role)['secretsmanager:GetSecretValue'] as { Ref: string }[])
          .map(({ Ref }) => template.Resources[Ref]?.Properties.Name)
          .sort();

      expect(readBy('SupersetTaskRole')).toEqual([
        `superset/tenant/${id}/db_credentials`,
        `superset/tenant/${id}/metadata_credentials`,
      ]);
      expect(readBy('SupersetMigrationRole')).toEqual([
        `superset/tenant/${id}/admin_login`,
        `superset/tenant/${id}/metadata_credentials`,
      ]);
    }
  });

  test('all tasks log in as the owner of the one tenant whose metadata it is', () => {
    for (const [id, template] of [
      ['tk4q9w', own],
      ['tz81mm', inCell],
    ] as const) {
      const [metadata] = Object.entries(template.Resources).filter(
        ([, { Properties }]) => Properties?.Name === `superset/tenant/${id}/metadata_credentials`,
      );
      const tasks = resourcesOf(template, /^AWS::ECS::TaskDefinition$/);
      expect(tasks).toHaveLength(4);
      for (const { Properties } of tasks) {
        const { Environment: variables } = Properties.ContainerDefinitions[0];
        expect(variables).toContainEqual({ Name: 'SUPERSET_ONE_TENANT', Value: id });
        expect(variables).toContainEqual({ Name: 'SUPERSET_DATABASE_SECRET', Value: { Ref: metadata[0] } });
        expect(JSON.stringify(variables)).not.toContain('SUPERSET_WEB_DATABASE_SECRET');
      }
    }
  });

  test('the provisioner of its own server may read the logins of its tenant only', () => {
    const policies = resourcesOf(own, /^AWS::IAM::Policy$/).filter(({ Properties }) =>
      JSON.stringify(Properties.Roles).includes('ProvisionerHandler'),
    );

    expect(JSON.stringify(policies)).toContain(':secret:superset/tenant/tk4q9w/*_credentials-??????');
    expect(JSON.stringify(policies)).not.toContain('superset/tenant/*');
  });

  test('the server of the cell is opened from the stack of each instance on it', () => {
    const rules = resourcesOf(inCell, /^AWS::EC2::SecurityGroupIngress$/).map(({ Properties }) => Properties);

    expect(rules).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          GroupId: { 'Fn::GetStackOutput': expect.objectContaining({ StackName: 'Demo-eu-central-1-cell1' }) },
          SourceSecurityGroupId: { 'Fn::GetAtt': [expect.stringMatching(/SupersetSecurityGroup/), 'GroupId'] },
        }),
      ]),
    );
  });

  test('the load balancer of the cell is let out to the web servers of its VPC, and each of these lets it in', () => {
    const [{ Properties: group }] = resourcesOf(cell, /SecurityGroup$/).filter(
      ({ Properties }) => Properties.GroupDescription === 'Load balancer of Superset',
    );
    const rules = resourcesOf(inCell, /^AWS::EC2::SecurityGroupIngress$/).map(({ Properties }) => Properties);

    expect(group.SecurityGroupEgress).toEqual([
      expect.objectContaining({
        CidrIp: { 'Fn::GetAtt': [expect.stringMatching(/Vpc/), 'CidrBlock'] },
        FromPort: 8088,
        ToPort: 8088,
      }),
    ]);
    expect(rules).toContainEqual(
      expect.objectContaining({
        GroupId: { 'Fn::GetAtt': [expect.stringMatching(/SupersetSecurityGroup/), 'GroupId'] },
        SourceSecurityGroupId: {
          'Fn::GetStackOutput': expect.objectContaining({ OutputName: expect.stringMatching(/EntranceSecurityGroup/) }),
        },
        FromPort: 8088,
      }),
    );
  });

  test('a host name leads to its tenant, and any other to nobody', () => {
    const [rule] = resourcesOf(inCell, /ListenerRule$/).map(({ Properties }) => Properties);
    const [listener] = resourcesOf(cell, /::Listener$/).map(({ Properties }) => Properties);

    expect(rule.Conditions).toEqual([
      { Field: 'host-header', HostHeaderConfig: { Values: ['tz81mm.superset.example.com'] } },
    ]);
    expect(rule.Priority).toBe(2);
    expect(listener.DefaultActions).toEqual([
      { Type: 'fixed-response', FixedResponseConfig: expect.objectContaining({ StatusCode: '404' }) },
    ]);
    expect(made.templates.get('tk4q9w')!.Outputs).toMatchObject({
      Url: { Value: 'https://analytics.northwind.example' },
    });
  });

  test('what holds data outlives its stack, and the backups are as long as the tenant says', () => {
    const [server] = resourcesOf(own, /DBInstance$/);

    expect(server).toMatchObject({ DeletionPolicy: 'RetainExceptOnCreate', Properties: { BackupRetentionPeriod: 30 } });
    const stateful = resourcesOf(inCell, /^AWS::(SecretsManager::Secret|KMS::Key)$/);
    const lost = stateful
      .filter(({ DeletionPolicy }) => !/^Retain/.test(DeletionPolicy ?? ''))
      // Logins can be made again, and their names must then be free.
      .filter(({ Properties }) => !String(Properties.Name).startsWith('superset/tenant/'));
    expect(lost.map(({ Properties }) => Properties.Description)).toEqual([
      expect.stringContaining('Token of the cache'),
    ]);
  });
});

describe('a tenant overrides', () => {
  test('its size', () => {
    const large = only({ size: InstanceSize.LARGE }, { instances: {} }).templates.get('t00000')!;

    expect(resourcesOf(large, /DBInstance$/)[0].Properties.DBInstanceClass).toBe('db.r7g.xlarge');
    expect(resourcesOf(large, /ReplicationGroup$/)[0].Properties).toMatchObject({
      CacheNodeType: 'cache.m7g.large',
      NumCacheClusters: 2,
    });
  });

  test('who may reach it, by its own load balancer or by the rule at a shared one', () => {
    const allowedNetworks = ['203.0.113.0/24', '198.51.100.7/32'];
    const own = only({ allowedNetworks, loadBalancer: InstanceSharing.OWN }).templates.get('t00000');
    const shared = only({ allowedNetworks });

    const ingress = resourcesOf(own, /SecurityGroup$/).flatMap(
      ({ Properties }) => Properties.SecurityGroupIngress ?? [],
    );
    expect(ingress.map(({ CidrIp }) => CidrIp).sort()).toEqual([...allowedNetworks].sort());
    expect(resourcesOf(shared.templates.get('t00000'), /ListenerRule$/)[0].Properties.Conditions).toContainEqual({
      Field: 'source-ip',
      SourceIpConfig: { Values: allowedNetworks },
    });
    expect(JSON.stringify(shared.templates.get('eu-central-1-cell1'))).toContain('203.0.113.0/24');
  });

  test('its network: then it has a VPC, and no cell', () => {
    const own = { network: InstanceSharing.OWN, loadBalancer: InstanceSharing.OWN, database: InstanceSharing.OWN };
    const { templates } = only(own);

    expect([...templates.keys()]).toEqual(['t00000']);
    expect(typesOf(templates.get('t00000'), 'EC2::VPC')).toEqual([1]);
  });

  test('its ring, which changes nothing of its template', () => {
    const [early, late] = ['early', 'all'].map((ring) => only({ ring }).templates.get('t00000'));

    expect(early).toEqual(late);
  });

  test('its version of Superset, with the image of it', () => {
    const image = '000000000000.dkr.ecr.eu-central-1.amazonaws.com/superset:6.2.0';
    const template = only({ supersetVersion: '6.2.0', image }).templates.get('t00000')!;

    expect(JSON.stringify(template)).toContain('superset:6.2.0');
    expect(JSON.stringify(template)).not.toContain('superset:6.1.0');
    expect(template.Outputs).toMatchObject({ SupersetVersion: { Value: '6.2.0' } });
  });
});

test('the preset standard has a server and a load balancer for each, economy Spot and one task', () => {
  const [standard, economy] = [InstancePreset.STANDARD, InstancePreset.ECONOMY].map((preset) =>
    Assertions.fromJSON(only({}, { instances: { preset } }).templates.get('t00000')!),
  );

  standard.resourceCountIs('AWS::RDS::DBInstance', 1);
  standard.resourceCountIs('AWS::ElasticLoadBalancingV2::LoadBalancer', 1);
  standard.hasResourceProperties('AWS::RDS::DBInstance', { MultiAZ: true });
  standard.resourcePropertiesCountIs('AWS::ApplicationAutoScaling::ScalableTarget', { MinCapacity: 2 }, 1);
  economy.resourceCountIs('AWS::RDS::DBInstance', 0);
  economy.hasResourceProperties('AWS::ECS::Service', {
    CapacityProviderStrategy: [{ CapacityProvider: 'FARGATE_SPOT', Weight: 1 }],
    LaunchType: Match.absent(),
  });
  economy.resourceCountIs('AWS::ECS::ClusterCapacityProviderAssociations', 1);
  economy.resourcePropertiesCountIs('AWS::ApplicationAutoScaling::ScalableTarget', { MinCapacity: 1 }, 2);
});

describe('40 tenants over three regions', () => {
  const REGIONS = ['eu-central-1', 'us-east-1', 'ap-southeast-2'];
  const forty = tenants(40).map((tenant, index) => ({ ...tenant, instance: { region: REGIONS[index % 3] } }));
  const regions = REGIONS.slice(1).map((name) => ({
    name,
    certificateArn: `arn:aws:acm:${name}:000000000000:certificate/5b0d6e0c-7f7f-4c55-9b0d-6a8f3c1c2d4e`,
    network: { availabilityZones: [`${name}a`, `${name}b`] },
  }));

  test('synthesise, each stack within the quotas, and nothing of a tenant is in another region', () => {
    const { fleet, templates } = synthesise(fleetOf(forty, { regions }));

    expect(fleet.cells.map(({ stackName }) => stackName).sort()).toEqual(
      REGIONS.flatMap((region) => [`Demo-${region}-cell1`, `Demo-${region}-cell2`]).sort(),
    );
    expect(templates.size).toBe(46);
    for (const [name, template] of templates) {
      expect(Object.keys(template.Resources).length).toBeLessThan(250);
      expect(Object.keys(template.Outputs ?? {}).length).toBeLessThan(60);
      expect(JSON.stringify(template).length).toBeLessThan(1_000_000);
      const region = fleet.instances.find(({ stackName }) => stackName === `Demo-${name}`)?.region;
      for (const other of region ? REGIONS.filter((each) => each !== region) : []) {
        // The image is nobody's data.
        expect(
          JSON.stringify(template)
            .replaceAll(IMAGE, '')
            .replaceAll(/ecr[^"]*/g, ''),
        ).not.toContain(other);
      }
    }
  }, 120_000);

  test('are refused with a network, a server and a load balancer each, until AWS has raised the quotas', () => {
    const own = { network: InstanceSharing.OWN, loadBalancer: InstanceSharing.OWN, database: InstanceSharing.OWN };
    const six = tenants(6);

    expect(() => synthesise(fleetOf(six, { instances: own }))).toThrow(
      /The fleet takes 6 VPCs in eu-central-1; the quota is 5, which AWS raises on request \(Service Quotas\)\. To mend: let tenants have the network of their cell \(instances\.network: cell\), more of them in each \(instances\.tenantsPerCell\), put tenants into another environment with an account of its own, or have it raised and set instances\.raisedQuotas\.vpcs\./,
    );
    expect(() => synthesise(fleetOf(six, { instances: { ...own, raisedQuotas: { vpcs: 6 } } }))).not.toThrow();
  }, 120_000);
});

test('a cell with more instances than its server has connections for is refused with the arithmetic', () => {
  const instances = { preset: InstancePreset.ECONOMY, cellDatabase: { instanceClass: 't4g.medium' } };

  expect(() => synthesise(fleetOf(tenants(15), { instances }))).toThrow(
    /12 instances need \d+ connections .* The server takes \d+\. Choose a larger instance class/,
  );
});

test('a server of a cell is opened to no more instances than its security group has rules for', () => {
  const cellDatabase = { instanceClass: 'r7g.4xlarge' };
  const instances = { preset: InstancePreset.ECONOMY, tenantsPerCell: 60, cellDatabase };

  expect(() => synthesise(fleetOf(tenants(56), { instances }))).toThrow(
    /^Demo\/eu-central-1-cell1: 56 tenants have their databases on the server of cell .* which has 60 .* Let at most 55 do so/,
  );
});

test('an aspect of a user reaches all stacks', () => {
  const app = new App();
  const fleet = newFleet(app, fleetOf(tenants(2)));
  const seen = new Set<string>();
  Aspects.of(fleet).add({
    visit: (node) => {
      if (CfnResource.isCfnResource(node)) seen.add(Stack.of(node).stackName);
    },
  });
  app.synth();

  expect([...seen].sort()).toEqual(['Demo-eu-central-1-cell1', 'Demo-t00000', 'Demo-t00001']);
});
