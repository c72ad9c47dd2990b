import { App, InjectionContext, IPropertyInjector, Lazy, PropertyInjectors, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import * as acm from 'aws-cdk-lib/aws-certificatemanager';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import * as elbv2 from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { SupersetCache } from '../../lib/cache/superset-cache';
import { IMetadataDatabase, MetadataDatabase } from '../../lib/database/metadata-database';
import { TenancyNetwork, TenancyNetworkProps } from '../../lib/network/tenancy-network';
import { SupersetImage } from '../../lib/superset/superset-image';
import { SupersetService, SupersetServiceProps } from '../../lib/superset/superset-service';
import { AdminLoginSecret } from '../../lib/tenant/admin-login-secret';
import { allowedTo } from '../allowed-to';
import { policyFindings } from '../policy-findings';

const TENANT = { id: 'tk4q9w', value: '1', displayName: 'Northwind', adminEmail: 'ada@northwind.example' };

function synthesise(
  props: Partial<SupersetServiceProps> = {},
  networkProps: TenancyNetworkProps = {},
  app = new App(),
  metadataOf: (metadata: MetadataDatabase) => IMetadataDatabase = (metadata) => metadata,
) {
  const stack = new Stack(app, 'Demo', { env: { account: '000000000000', region: 'eu-central-1' } });
  const network = new TenancyNetwork(stack, 'Network', {
    availabilityZones: ['eu-central-1a', 'eu-central-1b'],
    publicSubnets: props.internetFacing,
    ...networkProps,
  });
  const service = new SupersetService(stack, 'Superset', {
    tenants: [{ tenant: TENANT, adminLogin: new AdminLoginSecret(stack, 'Admin', { tenant: TENANT }) }],
    network,
    metadataDatabase: metadataOf(new MetadataDatabase(stack, 'Metadata', { network })),
    cache: new SupersetCache(stack, 'Cache', { network }),
    domainName: 'superset.example.com',
    certificate: acm.Certificate.fromCertificateArn(
      stack,
      'Certificate',
      'arn:aws:acm:eu-central-1:000000000000:certificate/0f0f0f0f-0f0f-0f0f-0f0f-0f0f0f0f0f0f',
    ),
    ...props,
  });
  return { stack, service, template: Template.fromStack(stack) };
}

/** Metadata without a login for the services, as a Superset of one tenant has it. */
function ownedByOne(metadata: MetadataDatabase): IMetadataDatabase {
  return Object.create(metadata, { webSecret: { value: undefined } }) as IMetadataDatabase;
}

const MASTER = { 'Fn::GetAtt': [expect.stringMatching(/^MetadataServerInstance/), 'MasterUserSecret.SecretArn'] };
const WEB_LOGIN = { Ref: expect.stringMatching(/^MetadataWebLogin/) };

/** Policies of web, worker and beat. */
function servicePolicies(template: Template) {
  return Object.entries(template.findResources('AWS::IAM::Policy')).filter(([, { Properties }]) =>
    JSON.stringify(Properties.Roles).includes('SupersetTaskRole'),
  );
}

/** The containers of all task definitions. */
function containers(template: Template) {
  return Object.values(template.findResources('AWS::ECS::TaskDefinition')).flatMap(
    ({ Properties }) =>
      Properties.ContainerDefinitions as {
        Name: string;
        Environment: { Name: string; Value: unknown }[];
        Secrets: { Name: string }[];
        ReadonlyRootFilesystem: boolean;
        User: string;
        StopTimeout: number;
        Command: string[];
        HealthCheck?: { Command: string[] };
      }[],
  );
}

describe('Superset as a service', () => {
  const { template, stack, service } = synthesise();

  test('runs in private subnets, without a public address', () => {
    const services = Object.values(template.findResources('AWS::ECS::Service'));
    expect(services).toHaveLength(3);
    for (const { Properties } of services) {
      expect(Properties.NetworkConfiguration.AwsvpcConfiguration.AssignPublicIp).toBe('DISABLED');
    }
    template.resourceCountIs('AWS::EC2::InternetGateway', 0);
  });

  test('is reached by TLS only, from the VPC only', () => {
    template.resourceCountIs('AWS::ElasticLoadBalancingV2::Listener', 1);
    template.hasResourceProperties('AWS::ElasticLoadBalancingV2::Listener', {
      Port: 443,
      Protocol: 'HTTPS',
      SslPolicy: Match.stringLikeRegexp('TLS13-1-2'),
    });
    template.hasResourceProperties('AWS::ElasticLoadBalancingV2::LoadBalancer', { Scheme: 'internal' });
    template.hasResourceProperties('AWS::EC2::SecurityGroup', {
      GroupDescription: 'Load balancer of Superset',
      SecurityGroupIngress: [
        Match.objectLike({ CidrIp: { 'Fn::GetAtt': [Match.anyValue(), 'CidrBlock'] }, FromPort: 443 }),
      ],
    });
    template.resourceCountIs('AWS::WAFv2::WebACL', 0);
  });

  test('keeps the load balancer and its logs from an accident', () => {
    template.hasResourceProperties('AWS::ElasticLoadBalancingV2::LoadBalancer', {
      LoadBalancerAttributes: Match.arrayWith([
        { Key: 'routing.http.drop_invalid_header_fields.enabled', Value: 'true' },
        { Key: 'access_logs.s3.enabled', Value: 'true' },
      ]),
    });
    template.hasResourceProperties('Custom::SupersetDeletionProtection', {
      LoadBalancer: { Ref: Match.stringLikeRegexp('LoadBalancer') },
    });
    template.hasResource('AWS::S3::Bucket', { DeletionPolicy: 'Retain' });
    template.resourceCountIs('Custom::S3AutoDeleteObjects', 0);
  });

  test('runs as a user that is not root, and has time to end what it does', () => {
    for (const { User, StopTimeout } of containers(template)) {
      expect([User, StopTimeout]).toEqual(['superset', 110]);
    }
  });

  test('gets what is secret from Secrets Manager, and never as a plain variable', () => {
    for (const { Name, Environment, Secrets, ReadonlyRootFilesystem } of containers(template)) {
      expect(Secrets.map((secret) => secret.Name)).toEqual([
        'SUPERSET_CACHE_TOKEN',
        'SUPERSET_SECRET_KEY',
        'SUPERSET_GUEST_TOKEN_SECRET',
        'SUPERSET_ASYNC_QUERIES_SECRET',
      ]);
      expect([Name, Environment.map((variable) => variable.Name)]).toEqual([
        Name,
        [
          'SUPERSET_URL',
          'SUPERSET_DATABASE_HOST',
          'SUPERSET_DATABASE_PORT',
          'SUPERSET_DATABASE_NAME',
          'SUPERSET_DATABASE_SECRET',
          'SUPERSET_CACHE_HOST',
          'SUPERSET_CACHE_PORT',
          'SUPERSET_TENANT_SECRET',
          'AWS_REGION',
          ...(Name === 'migration'
            ? [
                'SUPERSET_WEB_DATABASE_SECRET',
                // Each tenant that comes or goes changes these: a service that had them would roll.
                'SUPERSET_DESIRED_STATE',
                'SUPERSET_TENANT_ADMIN_SECRET',
                'SUPERSET_LOADER_SECRET',
              ]
            : []),
        ],
      ]);
      expect(ReadonlyRootFilesystem).toBe(true);
    }
  });

  test('tells each task which functions tenants may call', () => {
    const { template: allowing } = synthesise({ allowedFunctions: ['analytics.margin', 'fiscal_year'] });
    for (const { Environment } of containers(allowing)) {
      expect(Environment).toContainEqual({
        Name: 'SUPERSET_ALLOWED_SQL_FUNCTIONS',
        Value: 'analytics.margin,fiscal_year',
      });
    }
  });

  test('logs in to its metadata as a role that owns nothing, and migrates as the owner, which makes that role', () => {
    const logins = containers(template).map(({ Name, Environment }) => [
      Name,
      Environment.filter((variable) => /(DATABASE_SECRET|ONE_TENANT)$/.test(variable.Name)).map(({ Value }) => Value),
    ]);

    expect(Object.fromEntries(logins)).toEqual({
      migration: [MASTER, WEB_LOGIN],
      web: [WEB_LOGIN],
      worker: [WEB_LOGIN],
      beat: [WEB_LOGIN],
    });
    const [{ Properties, DeletionPolicy }] = Object.values(
      template.findResources('AWS::SecretsManager::Secret', {
        Properties: { Description: Match.stringLikeRegexp('web, workers and beat') },
      }),
    );
    expect(DeletionPolicy).toBe('RetainExceptOnCreate');
    expect(Properties.KmsKeyId).toEqual({ 'Fn::GetAtt': [expect.stringMatching(/^MetadataServerKey/), 'Arn'] });
    expect(Properties.GenerateSecretString.GenerateStringKey).toBe('password');
    const [, [before, ...rest]] = Properties.GenerateSecretString.SecretStringTemplate['Fn::Join'];
    expect(before).toBe('{"username":"superset_web","host":"');
    expect(rest.at(-1)).toBe('","database":"superset"}');
  });

  test('its services cannot read what the owner of the metadata logs in with, nor what is for the migration', () => {
    const service = allowedTo(template.toJSON(), 'SupersetTaskRole');
    const migration = allowedTo(template.toJSON(), 'SupersetMigrationRole');

    expect(service['secretsmanager:GetSecretValue']).toEqual([WEB_LOGIN]);
    expect(service).not.toHaveProperty('s3:GetObject');
    expect(migration['secretsmanager:GetSecretValue']).toEqual([MASTER, WEB_LOGIN]);
    expect(migration['s3:GetObject']).toHaveLength(1);
    const roles = Object.values(template.findResources('AWS::ECS::TaskDefinition')).map(({ Properties }) => [
      Properties.ContainerDefinitions[0].Name,
      Properties.TaskRoleArn['Fn::GetAtt'][0],
    ]);
    expect(Object.fromEntries(roles)).toEqual({
      migration: expect.stringMatching(/^SupersetMigrationRole/),
      web: expect.stringMatching(/^SupersetTaskRole/),
      worker: expect.stringMatching(/^SupersetTaskRole/),
      beat: expect.stringMatching(/^SupersetTaskRole/),
    });
  });

  test('takes rights from running services only after a migration that succeeded', () => {
    const [migration] = Object.keys(template.findResources('Custom::SupersetMigration'));
    const [[, { DependsOn }]] = servicePolicies(template);

    expect(DependsOn).toContain(migration);
  });

  test("takes the owner's secret from services of an earlier version only when they are replaced", () => {
    const policies = servicePolicies(template);

    // CloudFormation deletes a policy of another id, and name, after all updates; it would change one of the same id before them.
    expect(policies).toHaveLength(1);
    const [[id, { Properties }]] = policies;
    expect(id).not.toContain('TaskRoleDefaultPolicy');
    expect(Properties.PolicyName).not.toContain('TaskRoleDefaultPolicy');
    for (const { DependsOn } of Object.values(template.findResources('AWS::ECS::Service'))) {
      expect(DependsOn).toContain(id);
    }
  });

  test('migrates when its role may read the secrets, and not before', () => {
    const [{ DependsOn }] = Object.values(template.findResources('Custom::SupersetMigration'));

    expect(DependsOn).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^SupersetMigrationRoleDefaultPolicy/),
        expect.stringMatching(/^MetadataWebLogin/),
      ]),
    );
  });

  test('of one tenant logs in as the owner of its metadata; without a login of the services it is never that of several', () => {
    const { template: own } = synthesise({}, {}, new App(), ownedByOne);

    for (const { Name, Environment } of containers(own)) {
      const login = Environment.filter(({ Name: name }) => /(DATABASE_SECRET|ONE_TENANT)$/.test(name));
      expect([Name, login]).toEqual([
        Name,
        [
          { Name: 'SUPERSET_DATABASE_SECRET', Value: MASTER },
          { Name: 'SUPERSET_ONE_TENANT', Value: 'tk4q9w' },
        ],
      ]);
    }
    expect(allowedTo(own.toJSON(), 'SupersetTaskRole')['secretsmanager:GetSecretValue']).toEqual([MASTER]);
    expect(() => synthesise({ tenants: [] }, {}, new App(), ownedByOne)).toThrow(
      'Demo/Superset: metadataDatabase has no webSecret, so that it holds the metadata of one tenant, and there are 0 tenants.',
    );
  });

  test('has keys of its own, which outlive the stack', () => {
    const keys = Object.values(
      template.findResources('AWS::SecretsManager::Secret', {
        Properties: { Description: Match.stringLikeRegexp('SECRET_KEY|guest tokens|asynchronous') },
      }),
    );
    expect(keys).toHaveLength(3);
    keys.forEach(({ DeletionPolicy }) => expect(DeletionPolicy).toBe('RetainExceptOnCreate'));
  });

  test('never runs two clocks', () => {
    template.hasResourceProperties('AWS::ECS::Service', {
      DesiredCount: 1,
      DeploymentConfiguration: Match.objectLike({ MinimumHealthyPercent: 0, MaximumPercent: 100 }),
    });
    template.resourceCountIs('AWS::ApplicationAutoScaling::ScalableTarget', 2);
  });

  test('uses Spot only where it was asked for, which ECS takes from an associated cluster only', () => {
    const type = 'AWS::ECS::ClusterCapacityProviderAssociations';
    template.resourceCountIs(type, 0);

    const made = synthesise({ spotWorkers: true }).template;
    const [[association, { Properties }]] = Object.entries(made.findResources(type));
    expect(Properties).toEqual({
      Cluster: { Ref: expect.stringMatching(/^SupersetCluster/) },
      CapacityProviders: ['FARGATE', 'FARGATE_SPOT'],
      DefaultCapacityProviderStrategy: [],
    });
    for (const { DependsOn } of Object.values(made.findResources('AWS::ECS::Service'))) {
      expect(DependsOn).toContain(association);
    }
  });

  test('rolls back a version that does not start', () => {
    for (const { Properties } of Object.values(template.findResources('AWS::ECS::Service'))) {
      expect(Properties.DeploymentConfiguration.DeploymentCircuitBreaker).toEqual({ Enable: true, Rollback: true });
    }
  });

  test('migrates before a service rolls, and again with each new task definition', () => {
    const [migration] = Object.keys(template.findResources('Custom::SupersetMigration'));
    for (const { DependsOn } of Object.values(template.findResources('AWS::ECS::Service'))) {
      expect(DependsOn).toContain(migration);
    }
    template.hasResourceProperties('Custom::SupersetMigration', {
      TaskDefinition: { Ref: Match.stringLikeRegexp('MigrationTask') },
      ServiceTimeout: '2160',
    });
  });

  test('makes its tenants once its metadata is migrated and their logins are there, in the time that the deployment waits', () => {
    const [{ DependsOn }] = Object.values(template.findResources('Custom::SupersetMigration'));
    const [secret] = Object.keys(
      template.findResources('AWS::SecretsManager::Secret', {
        Properties: { Name: 'superset/tenant/tk4q9w/admin_login' },
      }),
    );

    expect(containers(template).find(({ Name }) => Name === 'migration')?.Command).toEqual([
      'timeout',
      '1500',
      'sh',
      '-c',
      'superset tenancy migrate "$SUPERSET_DESIRED_STATE"',
    ]);
    expect(DependsOn).toContain(secret);
  });

  test('starts anew a clock that has not written its schedule for ten minutes, and a worker without a heartbeat for two', () => {
    const checks = containers(template).map(({ Name, HealthCheck }) => [Name, HealthCheck?.Command.at(-1)]);

    expect(Object.fromEntries(checks)).toEqual({
      web: undefined,
      worker: expect.stringContaining('-mmin -2'),
      beat: expect.stringContaining('-mmin -10'),
      migration: undefined,
    });
  });

  test('migrates when its task may reach metadata and cache, and not before', () => {
    const [{ DependsOn }] = Object.values(template.findResources('Custom::SupersetMigration'));
    const rules = [
      ...Object.keys(template.findResources('AWS::EC2::SecurityGroupIngress')),
      ...Object.keys(template.findResources('AWS::EC2::SecurityGroupEgress')),
    ].filter((id) => /(Metadata|Cache)/.test(id));
    expect(rules).toHaveLength(4);
    expect(DependsOn).toEqual(expect.arrayContaining(rules));
  });

  test.each([
    ['endpoints', {}, /^NetworkVpc(S3|SecretsManager|Logs|EcrApi|EcrDocker)/, 5],
    ['a NAT gateway', { internetEgress: true }, /^NetworkVpcserviceSubnet\dDefaultRoute/, 2],
  ])('migrates when its task may fetch image and secrets by %s, and not before', (_, egress, wayOut, ways) => {
    const [{ DependsOn }] = Object.values(synthesise({}, egress).template.findResources('Custom::SupersetMigration'));
    expect((DependsOn as string[]).filter((id) => wayOut.test(id))).toHaveLength(ways);
  });

  test('may start the migration in its own cluster only', () => {
    template.hasResourceProperties('AWS::IAM::Policy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          {
            Action: 'ecs:RunTask',
            Effect: 'Allow',
            Resource: { Ref: Match.stringLikeRegexp('MigrationTask') },
            Condition: { ArnEquals: { 'ecs:cluster': Match.anyValue() } },
          },
        ]),
      },
    });
  });

  test('scales between what was asked for', () => {
    const scaled = synthesise({ minWebTasks: 3, maxWebTasks: 9, minWorkerTasks: 2, maxWorkerTasks: 2 }).template;
    for (const bounds of [
      { MinCapacity: 3, MaxCapacity: 9 },
      { MinCapacity: 2, MaxCapacity: 2 },
    ]) {
      scaled.hasResourceProperties('AWS::ApplicationAutoScaling::ScalableTarget', bounds);
    }
  });

  test('keeps in a deployment the number of tasks that autoscaling chose', () => {
    const counts = Object.values(template.findResources('AWS::ECS::Service')).map(
      ({ Properties }) => Properties.DesiredCount,
    );
    expect(counts.sort()).toEqual([1, undefined, undefined]);
  });

  test.each([
    ['Web', { minWebTasks: 7 }, 'minWebTasks is 7 and maxWebTasks 6'],
    ['Worker', { minWorkerTasks: 0 }, 'minWorkerTasks is 0; allowed: a whole number from 1 to 100'],
    ['Worker', { maxWorkerTasks: 2.5 }, 'maxWorkerTasks is 2.5; allowed: a whole number from 1 to 100'],
  ])('refuses bounds of %s tasks that cannot be', (_, props, message) => {
    expect(() => synthesise(props)).toThrow(`Demo/Superset: ${message}`);
  });

  test('takes bounds that are known at deployment only', () => {
    expect(() => synthesise({ minWebTasks: Lazy.number({ produce: () => 3 }) })).not.toThrow();
  });

  test('faces the internet only when asked to, behind a web ACL that logs', () => {
    const { template: facing } = synthesise({ internetFacing: true });
    facing.hasResourceProperties('AWS::ElasticLoadBalancingV2::LoadBalancer', { Scheme: 'internet-facing' });
    facing.resourceCountIs('AWS::WAFv2::WebACLAssociation', 1);
    facing.resourceCountIs('AWS::WAFv2::LoggingConfiguration', 1);
    facing.hasResourceProperties('AWS::WAFv2::WebACL', {
      Rules: [
        Match.objectLike({ Statement: { RateBasedStatement: Match.anyValue() } }),
        ...['AWSManagedRulesAmazonIpReputationList', 'AWSManagedRulesKnownBadInputsRuleSet'].map((Name) =>
          Match.objectLike({ Statement: { ManagedRuleGroupStatement: { VendorName: 'AWS', Name } } }),
        ),
      ],
    });
  });

  test('refuses to face the internet without public subnets, with the way out', () => {
    const bare = new Stack(new App(), 'Bare', { env: { account: '000000000000', region: 'eu-central-1' } });
    const network = new TenancyNetwork(bare, 'Network', { availabilityZones: ['eu-central-1a', 'eu-central-1b'] });
    const parts = { tenants: [], network, domainName: 'a.example.com', internetFacing: true };
    const certificate = acm.Certificate.fromCertificateArn(
      bare,
      'C',
      'arn:aws:acm:eu-central-1:000000000000:certificate/0f',
    );
    const metadataDatabase = new MetadataDatabase(bare, 'Metadata', { network });
    const cache = new SupersetCache(bare, 'Cache', { network });
    expect(() => new SupersetService(bare, 'S', { ...parts, certificate, metadataDatabase, cache })).toThrow(
      'Set publicSubnets of the network, or leave internetFacing out',
    );
  });

  test('refuses a stack without a region, with the way out', () => {
    const bare = new Stack(new App(), 'Bare');
    const network = new TenancyNetwork(bare, 'Network');
    const metadataDatabase = new MetadataDatabase(bare, 'Metadata', { network });
    const cache = new SupersetCache(bare, 'Cache', { network });
    const certificate = acm.Certificate.fromCertificateArn(
      bare,
      'C',
      'arn:aws:acm:eu-central-1:000000000000:certificate/0f',
    );
    const parts = { tenants: [], network, metadataDatabase, cache };
    expect(() => new SupersetService(bare, 'S', { ...parts, certificate, domainName: 'a.example.com' })).toThrow(
      "the region of stack 'Bare' is not known",
    );
  });

  test('lets a property injector reach its cluster, services and load balancer', () => {
    const reached: string[] = [];
    class Recorder implements IPropertyInjector {
      constructor(public readonly constructUniqueId: string) {}
      public inject<T>(props: T, { id }: InjectionContext): T {
        reached.push(id);
        return props;
      }
    }
    const app = new App();
    const kinds = [ecs.Cluster, ecs.FargateService, elbv2.ApplicationLoadBalancer, lambda.Function];
    PropertyInjectors.of(app).add(...kinds.map((kind) => new Recorder(kind.PROPERTY_INJECTION_ID)));
    synthesise({}, {}, app);
    expect(reached).toEqual(
      expect.arrayContaining(['Cluster', 'Web', 'Worker', 'Beat', 'LoadBalancer', 'OnEvent', 'IsComplete']),
    );
  });

  test('takes a ready-made image, and then needs no Docker', () => {
    const image = SupersetImage.fromRegistry('registry.example.com/superset@sha256:abc');
    const ready = synthesise({ image }).template;
    const images = Object.values(ready.findResources('AWS::ECS::TaskDefinition')).map(
      ({ Properties }) => Properties.ContainerDefinitions[0].Image,
    );
    expect(new Set(images)).toEqual(new Set(['registry.example.com/superset@sha256:abc']));
  });

  test('goes without a trace if its data is to be destroyed: its logs are emptied when nothing writes them any more', () => {
    const gone = synthesise({ removalPolicy: RemovalPolicy.DESTROY }).template;
    const [emptying] = Object.keys(gone.findResources('Custom::S3AutoDeleteObjects'));
    gone.hasResource('AWS::S3::Bucket', { DeletionPolicy: 'Delete' });
    gone.hasResource('AWS::ElasticLoadBalancingV2::LoadBalancer', {
      Properties: {
        LoadBalancerAttributes: Match.arrayWith([{ Key: 'deletion_protection.enabled', Value: 'false' }]),
      },
      DependsOn: Match.arrayWith([emptying]),
    });
  });

  test('has metrics where an operator looks for them', () => {
    expect(stack.resolve(service.metricResponseTime().toMetricConfig().metricStat)).toMatchObject({
      metricName: 'TargetResponseTime',
      statistic: 'p99',
    });
    expect(service.metricRunningTasks(service.beatService).metricName).toBe('RunningTaskCount');
    Annotations.fromStack(stack).hasNoWarning('*', Match.anyValue());
  });

  test.each([false, true])('has no finding that nobody explained (internet-facing: %s)', (internetFacing) => {
    expect(policyFindings(synthesise({ internetFacing }).stack)).toEqual([]);
  });
});
