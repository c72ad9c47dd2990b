import { CfnResource, Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { EnvironmentQuotas } from '../environment/environment';
import { ConfigurationError } from '../validation/configuration-error';

/** A quota that AWS raises on request; the docstrings of {@link EnvironmentQuotas} name the sources. */
interface AccountQuota {
  readonly key: keyof EnvironmentQuotas;
  readonly type: string;
  readonly what: string;
  readonly limit: number;
  /** Whether all regions count together. */
  readonly global?: boolean;
  readonly remedy: string;
}

const QUOTAS: AccountQuota[] = [
  {
    key: 'vpcs',
    type: 'AWS::EC2::VPC',
    what: 'VPCs',
    limit: 5,
    remedy:
      'let tenants have the network of their cell (instances.network: cell), more of them in each (instances.tenantsPerCell)',
  },
  {
    key: 'elasticIps',
    type: 'AWS::EC2::EIP',
    what: 'Elastic IP addresses',
    limit: 5,
    remedy: 'take network.internetEgress out, or let tenants have the network of their cell (instances.network: cell)',
  },
  {
    key: 'rdsInstances',
    type: 'AWS::RDS::DBInstance',
    what: 'RDS instances',
    limit: 40,
    remedy: 'let tenants have their databases on the server of their cell (instances.database: cell)',
  },
  {
    key: 'loadBalancers',
    type: 'AWS::ElasticLoadBalancingV2::LoadBalancer',
    what: 'application load balancers',
    limit: 50,
    remedy: 'let tenants have the load balancer of their cell (instances.loadBalancer: cell)',
  },
  {
    key: 'alarms',
    type: 'AWS::CloudWatch::Alarm',
    what: 'CloudWatch alarms',
    limit: 5000,
    remedy: 'let tenants have their databases on the server of their cell (instances.database: cell)',
  },
  {
    key: 'iamRoles',
    type: 'AWS::IAM::Role',
    what: 'IAM roles',
    limit: 1000,
    global: true,
    remedy: 'let tenants have their databases on the server of their cell (instances.database: cell)',
  },
];

/** Refuses stacks that together take more of an account than it has; what else is in the account is not seen. */
export function checkAccountQuotas(scope: Construct, stacks: Stack[], raised: EnvironmentQuotas = {}): void {
  const counts = new Map<string, number>();
  const count = (type: string, region: string) => {
    const key = `${type} ${region}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  };
  for (const stack of stacks) {
    for (const child of stack.node.findAll()) {
      if (!CfnResource.isCfnResource(child)) continue;
      count(child.cfnResourceType, stack.region);
      count(child.cfnResourceType, '');
    }
  }
  const regions = [...new Set(stacks.map(({ region }) => region))];
  const problems = QUOTAS.flatMap(({ key, type, what, limit, global, remedy }) =>
    (global ? [''] : regions).flatMap((region) => {
      const taken = counts.get(`${type} ${region}`) ?? 0;
      const quota = raised[key] ?? limit;
      if (taken <= quota) return [];
      const place = region ? `in ${region}` : 'in the account';
      return `The fleet takes ${taken} ${what} ${place}; the quota is ${quota}, which AWS raises on request (Service Quotas). To mend: ${remedy}, put tenants into another environment with an account of its own, or have it raised and set instances.raisedQuotas.${key}.`;
    }),
  );
  if (problems.length > 0) throw new ConfigurationError(scope, 'ACCOUNT_QUOTA_EXCEEDED', problems.join('\n'));
}
