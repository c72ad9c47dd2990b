import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { Environment, TenancyModel } from '../../lib/environment/environment';
import { DatabasePerTenantStack } from '../../lib/tenancy/database-per-tenant-stack';
import { SharedRlsStack } from '../../lib/tenancy/shared-rls-stack';
import { Connection, PEOPLE } from '../../local/network/connection';
import { derivedConnections } from '../../local/network/derived';
import { NetworkFindings, judgeNetwork } from '../../local/network/judge';
import { Network } from '../../local/network/network';
import { AppTemplates, templatesOf } from '../../local/network/templates';
import { databaseExample, example, instanceExample, newFleet, userApp } from '../tenancy/environments';
import { Fault, withEach, withoutEach, withoutEachRule, withoutEachStatement } from './faults';
import recorded from './recorded.json';

const ROOT = join(__dirname, '..', '..');
const directories: string[] = [];

afterAll(() => directories.forEach((directory) => rmSync(directory, { recursive: true, force: true })));

function newDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'network-'));
  directories.push(directory);
  return directory;
}

/** The templates of an environment, as the examples deploy them. */
function templates(environment: Environment): AppTemplates {
  const app: App = userApp(newDirectory());
  app.node.setContext('aws:cdk:enable-path-metadata', true);
  const id = 'Superset-demo';
  if (environment.model === TenancyModel.SHARED_RLS) new SharedRlsStack(app, id, { environment });
  else if (environment.model === TenancyModel.DATABASE_PER_TENANT) new DatabasePerTenantStack(app, id, { environment });
  else newFleet(app, environment, id);
  return templatesOf(app.synth().directory);
}

/** What the local run of a model has recorded, and what AWS does besides for each task, in the networks of an app. */
function judged(app: AppTemplates, lines: string[]): NetworkFindings {
  const network = new Network(app);
  const ids = new Map([...network.workloads.keys()].map((id) => [network.nameOf(id), id]));
  const idOf = (name: string) => (name === PEOPLE ? PEOPLE : (ids.get(name) ?? name));
  const seen = lines.map((line): Connection => {
    const [from, to] = line.split(' -> ');
    return { from: idOf(from), to: /^[\w-]+:\w+$/.test(to) ? { action: to } : idOf(to) };
  });
  const families = network.templates.of('AWS::ECS::TaskDefinition').map(({ properties }) => String(properties.Family));
  return judgeNetwork(network, [...seen, ...derivedConnections(network, families)]);
}

/** What was taken away from an app without a sentence that says so. */
function unnoticed(app: AppTemplates, faults: Fault[], lines: string[]): string[] {
  expect(judged(app, lines).problems).toEqual([]);
  expect(faults).not.toEqual([]);
  const { templates: names } = new Network(app);
  return faults
    .filter(({ app: without, of }) => {
      const { problems } = judged(without, lines);
      return !problems.some((problem) => of === undefined || problem.includes(names.nameOf(of)));
    })
    .map(({ missing }) => missing);
}

const MODELS = [
  [TenancyModel.SHARED_RLS, example],
  [TenancyModel.DATABASE_PER_TENANT, databaseExample],
  [TenancyModel.INSTANCE_PER_TENANT, instanceExample],
] as const;

describe.each(MODELS)('%s', (model, environment) => {
  const lines = recorded[model];
  let app: AppTemplates;

  beforeAll(() => {
    app = templates(environment());
  });

  test('allows each connection of the local run, and no other', () => {
    expect(judged(app, lines)).toMatchObject({ problems: [], unused: [], assumed: [] });
  });

  test('needs each rule of its security groups', () => {
    expect(unnoticed(app, withoutEachRule(app), lines)).toEqual([]);
  });

  test('needs each endpoint, its private DNS, each statement of its policy, and its route tables', () => {
    const faults = [
      ...withoutEach(app, /EC2::VPCEndpoint$/),
      ...withoutEachStatement(app),
      ...withEach(app, /EC2::VPCEndpoint$/, { PrivateDnsEnabled: false, RouteTableIds: [] }),
      ...withEach(app, /EC2::VPC$/, { EnableDnsHostnames: false }),
    ];
    expect(unnoticed(app, faults, lines)).toEqual([]);
  });
});

test('says in a sentence what is missing', () => {
  const app = templates(example());
  const of = (faults: Fault[], missing: RegExp) => {
    const [{ app: without }] = faults.filter((fault) => missing.test(fault.missing));
    return judged(without, recorded[TenancyModel.SHARED_RLS]).problems[0];
  };
  const rules = withoutEachRule(app);

  expect([
    of(rules, /MetadataServerSecurityGroupfrom/),
    of(rules, /TenancySupersetSecurityGroupto.*Cache/),
    of(withoutEach(app, /EC2::VPCEndpoint$/), /SecretsManager/),
    of(withEach(app, /EC2::VPCEndpoint$/, { PrivateDnsEnabled: false }), /EcrApi/),
    of(withEach(app, /EC2::VPCEndpoint$/, { RouteTableIds: [] }), /S3/),
    of(withEach(app, /EC2::VPC$/, { EnableDnsSupport: false }), /Vpc/),
    of(withoutEachStatement(app), /S3.* s3:GetObject/),
    of(withoutEachStatement(app), /Logs/),
  ]).toMatchInlineSnapshot(`
   [
     "Superset-demo/Tenancy/Superset/BeatTask -> Superset-demo/Metadata/Server/Instance: No ingress rule of Superset-demo/Metadata/Server/SecurityGroup lets it in to Superset-demo/Metadata/Server/Instance on tcp 5433: it needs one from Superset-demo/Tenancy/Superset/SecurityGroup.",
     "Superset-demo/Tenancy/Superset/BeatTask -> Superset-demo/Cache/Nodes: No egress rule of Superset-demo/Tenancy/Superset/SecurityGroup lets it out to tcp 6380 of Superset-demo/Cache/Nodes: it needs one to Superset-demo/Cache/SecurityGroup.",
     "Superset-demo/Tenancy/Provisioner/Default/Handler -> secretsmanager:BatchGetSecretValue: Superset-demo/Network/Vpc/serviceSubnet1/Subnet does not lead to secretsmanager: the VPC has no endpoint for it, and its route table has no route to a NAT gateway.",
     "Superset-demo/Tenancy/Superset/BeatTask -> ecr:GetAuthorizationToken: Superset-demo/Network/Vpc/serviceSubnet1/Subnet does not lead to ecr.api: private DNS of the endpoint Superset-demo/Network/Vpc/EcrApi is off, so that ecr.api resolves to an address outside of the VPC, and its route table has no route to a NAT gateway.",
     "Superset-demo/Tenancy/Superset/BeatTask -> s3:GetObject: Superset-demo/Network/Vpc/serviceSubnet1/Subnet does not lead to s3: the gateway endpoint Superset-demo/Network/Vpc/S3 is not in its route table, which has no route to a NAT gateway either.",
     "Superset-demo/Tenancy/Provisioner/Default/Handler -> secretsmanager:BatchGetSecretValue: Superset-demo/Network/Vpc/serviceSubnet1/Subnet does not lead to secretsmanager: Superset-demo/Network/Vpc has DNS support or DNS host names off, which private DNS of the endpoint Superset-demo/Network/Vpc/SecretsManager needs, and its route table has no route to a NAT gateway.",
     "Superset-demo/Tenancy/Superset/BeatTask -> s3:GetObject: The policy of the endpoint Superset-demo/Network/Vpc/S3 has no statement that allows s3:GetObject of arn:aws:s3:::prod-eu-central-1-starport-layer-bucket/layer.",
     "Superset-demo/Tenancy/Superset/BeatTask -> logs:CreateLogStream: The policy of the endpoint Superset-demo/Network/Vpc/Logs has no statement that allows logs:CreateLogStream.",
   ]
  `);
});

describe('with a NAT gateway and a load balancer on the internet', () => {
  const lines = recorded[TenancyModel.DATABASE_PER_TENANT];
  let app: AppTemplates;

  beforeAll(() => {
    const { network, domain } = databaseExample();
    app = templates(
      databaseExample({ network: { ...network, internetEgress: true }, domain: { ...domain, internetFacing: true } }),
    );
  });

  test('allows each connection of the local run', () => {
    expect(judged(app, lines)).toMatchObject({ problems: [], unused: [], assumed: [] });
  });

  test('needs each route, each gateway, and the route table of each subnet that leads to one', () => {
    const faults = [
      ...withoutEach(app, /EC2::(Route|NatGateway|VPCGatewayAttachment)$/),
      ...withoutEach(app, /EC2::SubnetRouteTableAssociation$/).filter(({ missing }) => !missing.includes('database')),
    ];
    expect(unnoticed(app, faults, lines)).toEqual([]);
  });
});

test('in a given VPC, its owner is told what the subnets must reach, and the rules are judged', () => {
  const outdir = newDirectory();
  const env = {
    ...process.env,
    CDK_OUTDIR: outdir,
    CDK_CONTEXT_JSON: JSON.stringify({ 'aws:cdk:enable-path-metadata': true }),
  };
  const args = ['--require', 'ts-node/register', 'app.ts'];
  execFileSync(process.execPath, args, { cwd: join(ROOT, 'examples', 'compose'), env, stdio: 'pipe' });
  const app = templatesOf(outdir);
  const lines = recorded[TenancyModel.SHARED_RLS].map((line) =>
    line
      .replaceAll('Superset-demo/Tenancy/', 'Analytics/Superset/')
      .replaceAll('Superset-demo/Database/', 'Analytics/Tenants/')
      .replaceAll('Superset-demo/', 'Analytics/Superset/'),
  );

  expect(judged(app, lines)).toMatchObject({ problems: [], unused: [] });
  expect(judged(app, lines).assumed).toEqual(
    ['ecr.api', 'ecr.dkr', 'logs', 's3', 'secretsmanager'].map(
      (service) => `subnet-0a, subnet-0b reach ${service}: by an endpoint with private DNS, or a NAT gateway`,
    ),
  );
  expect(unnoticed(app, withoutEachRule(app), lines)).toEqual([]);
});
