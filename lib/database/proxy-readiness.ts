import { createHash } from 'node:crypto';
import { CfnResource, CustomResource, Duration, Validations } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { AwaitedProvider } from '../provisioning/awaited-provider';
import { skipCfnLint } from '../validation/skipped-checks';
import { AwaitedProxy, PROXY_READINESS, PROXY_WAIT_MINUTES, ProxyReadinessProperties } from './server-requests';
import { TenantDatabaseProxy } from './tenant-database-proxy';

/** Props of {@link ProxyReadiness}. */
export interface ProxyReadinessProps {
  readonly proxies: TenantDatabaseProxy[];
  /** What speaks to RDS. */
  readonly provider: AwaitedProvider;
}

/**
 * Waits until each proxy serves, and fails the deployment with what RDS says of one that does not.
 *
 * CloudFormation is done with a target group while its target is still being registered.
 */
export class ProxyReadiness extends Construct {
  constructor(scope: Construct, id: string, props: ProxyReadinessProps) {
    super(scope, id);
    const { provider, proxies } = props;
    // Not in the role's own policy: the function would come after the proxies, and what they wait for needs it.
    const policy = new iam.Policy(this, 'Policy', {
      roles: [provider.watch.role!],
      statements: [
        new iam.PolicyStatement({
          actions: ['rds:DescribeDBProxyTargets'],
          resources: proxies.flatMap(({ proxyArn, targetGroup }) => [proxyArn, targetGroup.attrTargetGroupArn]),
        }),
      ],
    });
    Validations.of(policy).acknowledge({
      id: 'NIST.800.53.R5-IAMNoInlinePolicy',
      reason: 'The policy serves one function of the tenancy, and goes with it.',
    });
    const properties: ProxyReadinessProperties = { Proxies: proxies.map(awaitedProxy) };
    const resource = new CustomResource(this, 'Resource', {
      resourceType: PROXY_READINESS,
      serviceToken: provider.serviceToken,
      serviceTimeout: Duration.minutes(PROXY_WAIT_MINUTES + 3),
      properties: { ...properties },
    });
    resource.node.addDependency(...proxies, policy);
    skipCfnLint(resource.node.defaultChild as CfnResource, 'W3005');
  }
}

function awaitedProxy({ proxyName, proxyArn, server, secrets }: TenantDatabaseProxy): AwaitedProxy {
  const logins = secrets.map(({ node }) => node.addr).sort();
  return {
    Name: proxyName,
    Arn: proxyArn,
    Instance: server.instance.instanceIdentifier,
    Logins: createHash('sha256').update(logins.join()).digest('hex').slice(0, 16),
  };
}
