import { DBProxyTarget, DescribeDBProxyTargetsCommand, RDSClient } from '@aws-sdk/client-rds';
import { AwaitedProxy, PROXY_WAIT_MINUTES, ProxyReadinessProperties } from '../server-requests';
import { untilAllowed } from '../../provisioning/handler/until-allowed';
import { ResourceEvent, minutesFromNow } from './resource-event';

/** What {@link onProxiesEvent} answered, beside the request. */
interface Wait {
  /** When it ends, in milliseconds. */
  readonly Until?: number;
}

const rds = untilAllowed(new RDSClient({ maxAttempts: 6 }));

/** Begins the wait for the proxies; nobody waits for those that go. */
export async function onProxiesEvent(event: ResourceEvent<ProxyReadinessProperties>) {
  const PhysicalResourceId = event.PhysicalResourceId ?? 'superset-tenancy/proxies';
  return event.RequestType === 'Delete'
    ? { PhysicalResourceId }
    : { PhysicalResourceId, Until: minutesFromNow(PROXY_WAIT_MINUTES) };
}

/** Whether all proxies serve; after the wait, the deployment fails with what RDS says of each that does not. */
export async function areProxiesAvailable({
  ResourceProperties,
  Until,
}: ResourceEvent<ProxyReadinessProperties> & Wait) {
  if (Until === undefined) {
    return { IsComplete: true };
  }
  const problems = (await Promise.all(ResourceProperties.Proxies.map(problemOf))).filter(
    (problem) => problem !== undefined,
  );
  if (problems.length > 0 && Date.now() > Until) {
    throw new Error(`After ${PROXY_WAIT_MINUTES} minutes:\n${problems.join('\n')}`.slice(0, MAX_REASON));
  }
  console.log(JSON.stringify({ step: 'proxies', waitsFor: problems }));
  return { IsComplete: problems.length === 0 };
}

/** What hinders a proxy from serving. */
async function problemOf(proxy: AwaitedProxy): Promise<string | undefined> {
  const { Name, Instance } = proxy;
  try {
    const { Targets = [] } = await rds.send(new DescribeDBProxyTargetsCommand({ DBProxyName: Name }));
    const target = Targets.find(({ TargetHealth }) => TargetHealth?.State !== 'AVAILABLE');
    if (Targets.length > 0 && !target) {
      return undefined;
    }
    return `proxy ${Name} does not serve: ${stateOf(target, Instance)}. ${adviceFor(proxy, target)}`;
  } catch (error) {
    throw new Error(`proxy ${Name}: ${(error as Error).message}`);
  }
}

function stateOf(target: DBProxyTarget | undefined, instance: string): string {
  const { State, Reason, Description } = target?.TargetHealth ?? {};
  const why = [Reason, Description].filter(Boolean).join(', ');
  return target
    ? `its target ${target.RdsResourceId ?? instance} is ${State ?? 'in no state'}${why ? ` (${why})` : ''}`
    : `it has no target yet; ${instance} is to be one`;
}

function adviceFor({ Name, Instance }: AwaitedProxy, target?: DBProxyTarget): string {
  const log = `Its log is /aws/rds/proxy/${Name}.`;
  return `${ADVICE[target?.TargetHealth?.Reason ?? '']?.(Instance) ?? 'Deploy again when it is AVAILABLE.'} ${log}`;
}

/** By the reasons of RDS (RDS API Reference, "TargetHealth"). */
const ADVICE: { readonly [reason: string]: (instance: string) => string } = {
  AUTH_FAILURE: () =>
    "Look which login it names: the role of the proxy must be allowed to read that secret and to decrypt it with its key, and the secret's password must be the role's own in PostgreSQL, which the provisioner sets.",
  UNREACHABLE: (instance) =>
    `See that ${instance} is available, and that its security group lets the proxy's in, as the template says.`,
  CONNECTION_FAILED: (instance) =>
    `See that ${instance} is available and has connections to spare: the alarms say how many are in use.`,
  PENDING_PROXY_CAPACITY: () =>
    'RDS is still making room for it: deploy again. If that does not help, see that the database subnets have free addresses.',
};

/** CloudFormation takes an answer of 4 KB. */
const MAX_REASON = 3_000;
