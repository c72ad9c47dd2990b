import { join } from 'node:path';
import Table from 'cli-table3';
import { DeployedResource } from './account';
import { DemoUser } from './demo-users';
import { connectionUri } from './login';
import { InstanceProof } from './instance-isolation';
import { RunFindings } from './network/judged-run';
import { PlatformAdministrator } from './platform-administrator';
import { TenantProof } from './proof';
import { Superset } from './superset';
import { PersonProof, WAYS } from './superset-proof';

/** Resource types that do here what they do on AWS. */
const ACTING = [
  'AWS::CloudFormation::Stack',
  'AWS::ECS::Cluster',
  'AWS::ECS::Service',
  'AWS::ECS::TaskDefinition',
  'AWS::Lambda::Function',
  'AWS::SecretsManager::Secret',
  'AWS::StepFunctions::StateMachine',
];

/** What a run has to tell. */
export interface Findings {
  readonly resources: DeployedResource[];
  /** `<stack>/<logical id>` of the RDS instances and caches that are servers of this machine. */
  readonly servers: string[];
  readonly proofs: TenantProof[];
  readonly supersetProofs: PersonProof[];
  /** What the emulator does not know, and took for granted. */
  readonly pretended: string[];
  readonly network: RunFindings;
  readonly instanceProofs: InstanceProof[];
  readonly users: DemoUser[];
  /** Of each Superset. */
  readonly platforms: ReadonlyMap<Superset, PlatformAdministrator>;
  readonly supersetOf: (tenant: string) => Superset;
  /** Where the logs are. */
  readonly directory: string;
}

/** What the run ends with. */
export function report(findings: Findings): string {
  const sections = [
    deployed(findings),
    connections(findings),
    proved(findings),
    provedThroughSuperset(findings),
    ...(findings.instanceProofs.length > 0 ? [provedApart(findings)] : []),
    networks(findings),
    standIns(findings),
    supersetOf(findings),
  ];
  return sections.map((lines) => `\n${lines.join('\n')}`).join('\n');
}

function deployed({ resources, servers }: Findings): string[] {
  const stacks = new Set(resources.map(({ stack }) => stack)).size;
  const acts = ({ type, stack, logicalId }: DeployedResource) =>
    ACTING.includes(type) || type.startsWith('Custom::') || servers.includes(`${stack}/${logicalId}`);
  const idle = resources.filter((resource) => !acts(resource) && resource.type !== 'AWS::CDK::Metadata');
  return [
    `Deployed with the CDK CLI: ${resources.length} resources in ${stacks} stacks.`,
    wrapped(`Real here: ${counted(resources.filter(acts).map(({ type }) => type.replace('AWS::', '')))}.`),
    wrapped(`Only written down by the emulator: ${counted(idle.map(({ type }) => type.split('::')[1]))}.`),
  ];
}

function connections({ proofs }: Findings): string[] {
  return [
    'Connect as a tenant (the password is that of its secret, superset/tenant/<id>/db_credentials):',
    ...proofs.map(({ login }) => `  psql '${connectionUri(login)}'`),
  ];
}

function supersetOf({ users, platforms, supersetOf: ofTenant, directory }: Findings): string[] {
  const lines = [...platforms].flatMap(([superset, platform]) => {
    const table = new Table({ head: ['tenant', 'may', 'user name', 'password'], style: { head: [], border: [] } });
    users
      .filter(({ tenant }) => ofTenant(tenant) === superset)
      .forEach(({ tenant, role, username, password }) => table.push([tenant, role, username, password]));
    table.push(['-', 'administrator', platform.username, platform.password]);
    return [
      `Superset: ${superset.url}`,
      `The authority of its certificate is new in each run: ${superset.caFile}. A browser asks once.`,
      table.toString(),
    ];
  });
  return [...lines, `Logs of its tasks: ${join(directory, platforms.size > 1 ? '*' : '', 'superset-*.log')}`];
}

function provedApart({ instanceProofs }: Findings): string[] {
  const table = new Table({ head: ['instance of', 'tried at that of', 'attempts'], style: { head: [], border: [] } });
  for (const { tenant, victim, attempts, failures } of instanceProofs) {
    table.push([tenant.id, victim.id, outcomeOf(attempts, failures)]);
  }
  return [
    'Proved between the instances, each of which was shown to work at home first:',
    table.toString(),
    wrapped(`Attempted: ${[...new Set(instanceProofs.flatMap(({ attempts }) => attempts))].join('; ')}.`),
    ...instanceProofs.flatMap(({ tenant, victim, failures }) =>
      failures.map((failure) => `PROBLEM: instance of ${tenant.id} at that of ${victim.id}: ${failure}`),
    ),
  ];
}

function proved({ proofs }: Findings): string[] {
  const tables = Object.keys(proofs[0].counted);
  const table = new Table({
    head: ['tenant', ...tables.map((name) => `own ${name}`), "attempts on another's rows"],
    style: { head: [], border: [] },
  });
  for (const { tenant, counted: rows, attempts, failures } of proofs) {
    table.push([tenant.id, ...tables.map((name) => String(rows[name])), outcomeOf(attempts, failures)]);
  }
  return [
    'Proved just now, each tenant with its own secret and login:',
    table.toString(),
    wrapped(`Attempted: ${[...new Set(proofs.flatMap(({ attempts }) => attempts))].join('; ')}.`),
    ...proofs.flatMap(({ tenant, failures }) => failures.map((failure) => `PROBLEM: tenant ${tenant.id} ${failure}`)),
  ];
}

function provedThroughSuperset({ supersetProofs }: Findings): string[] {
  const table = new Table({
    head: ['tenant', 'person', ...WAYS.map((way) => `by ${way}`), "attempts on another's"],
    style: { head: [], border: [] },
  });
  for (const { tenant, person, read, attempts, failures } of supersetProofs) {
    table.push([tenant.id, person, ...WAYS.map((way) => String(read[way] ?? '-')), outcomeOf(attempts, failures)]);
  }
  return [
    "Proved through Superset's own API, with the rows of all tables together:",
    table.toString(),
    ...attempted(supersetProofs.flatMap(({ attempts }) => attempts)),
    ...supersetProofs.flatMap(({ tenant, person, failures }) =>
      failures.map((failure) => `PROBLEM: tenant ${tenant.id}, ${person}: ${failure}`),
    ),
  ];
}

function attempted(attempts: string[]): string[] {
  return attempts.length === 0 ? [] : [wrapped(`Attempted: ${[...new Set(attempts)].join('; ')}.`)];
}

function outcomeOf(attempts: string[], failures: string[]): string {
  if (attempts.length + failures.length === 0) return 'no other is here';
  return failures.length === 0 ? `all ${attempts.length} failed` : `${failures.length} PROBLEMS`;
}

function networks({ network: { connections, observed, problems, unused, assumed } }: Findings): string[] {
  const sum = `${connections.length} kinds of connections, ${observed.length} seen in this run and the rest from its task definitions (image, log)`;
  const list = (title: string, lines: string[]) =>
    lines.length > 0 ? [title, ...lines.map((line) => `  ${line}`)] : [];
  return [
    wrapped(
      `Traced through security groups, routes, endpoints, their policies and private DNS of the templates: ${sum}. ` +
        `${problems.length === 0 ? 'Each is possible.' : `${problems.length} PROBLEMS.`}`,
    ),
    ...list('Open in the templates, and used by none of them:', unused),
    ...list('For the owner of the given VPC to see to:', assumed),
  ];
}

function standIns({ pretended, resources, platforms }: Findings): string[] {
  const names = platforms.size > 1 ? ', where host names end in .localhost' : '';
  const proxies = resources.some(({ type }) => type === 'AWS::RDS::DBProxy') ? 'PgBouncer stands for RDS Proxy. ' : '';
  return [
    wrapped(
      'Pretended: what is only written down does nothing. The containers of Superset are processes of this machine, from the lock of its image, which ' +
        'is not built: their port is another one on 127.0.0.1, their volumes are directories of the run, and neither their user nor a read-only root is ' +
        `applied. ${proxies}A proxy with a certificate of its own stands for each load balancer${names}, and one with TLS before Valkey. Encryption keys ` +
        `and quotas are not enforced. Taken for granted, as the emulator does not know it: ${pretended.join(', ')}.`,
    ),
    'docs/local.md says what this proves, and what it cannot.',
  ];
}

function wrapped(text: string): string {
  return text.replaceAll(/(.{1,110})(?:\s+|$)/g, '$1\n').trimEnd();
}

function counted(kinds: string[]): string {
  const counts = new Map<string, number>();
  kinds.forEach((kind) => counts.set(kind, (counts.get(kind) ?? 0) + 1));
  const sorted = [...counts].sort(([a], [b]) => a.localeCompare(b));
  return sorted.map(([kind, count]) => `${count} ${kind}`).join(', ');
}
