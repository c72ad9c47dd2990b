import { CfnResource, CustomResource, CustomResourceProvider, Duration, Validations } from 'aws-cdk-lib';
import * as elbv2 from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as rds from 'aws-cdk-lib/aws-rds';
import { Construct } from 'constructs';
import { skipCfnLint } from '../validation/skipped-checks';
import { protectionProvider } from './protection-provider';
import { BUSY_MINUTES, DELETION_PROTECTION, DeletionProtectionProperties } from './protection-requests';

/** Why no template turns deletion protection on. */
export const PROTECTED_AFTERWARDS =
  'A custom resource turns it on when the resource is there; in the template, it would stop CloudFormation from rolling back the deployment that makes it.';

/** Props of {@link DeletionProtection}. */
export interface DeletionProtectionProps {
  readonly properties: DeletionProtectionProperties;
  /** What the function must be allowed to do. */
  readonly action: string;
  readonly arn: string;
}

/** Those of a server. */
export function serverProtection(instance: rds.IDatabaseInstance, isRetained: boolean): DeletionProtectionProps {
  return {
    properties: { Server: instance.instanceIdentifier, Retained: isRetained ? 'true' : 'false' },
    action: 'rds:ModifyDBInstance',
    arn: instance.instanceArn,
  };
}

/** Those of a load balancer, which never is retained. */
export function loadBalancerProtection({ loadBalancerArn }: elbv2.IApplicationLoadBalancer): DeletionProtectionProps {
  return {
    properties: { LoadBalancer: loadBalancerArn, Retained: 'false' },
    action: 'elasticloadbalancing:ModifyLoadBalancerAttributes',
    arn: loadBalancerArn,
  };
}

/**
 * Deletion protection of a server or a load balancer, from when it is there until the deployment that made it is rolled back.
 *
 * No template names the property, so that CloudFormation leaves it as it is. What CloudFormation deletes when it leaves the stack
 * loses it before; what is retained keeps it.
 */
export class DeletionProtection extends Construct {
  constructor(scope: Construct, id: string, props: DeletionProtectionProps) {
    super(scope, id);
    const provider = protectionProvider(this);
    const policy = policyOf(provider);
    policy.addStatements(new iam.PolicyStatement({ actions: [props.action], resources: [props.arn] }));
    const resource = new CustomResource(this, 'Resource', {
      resourceType: DELETION_PROTECTION,
      serviceToken: provider.serviceToken,
      serviceTimeout: Duration.minutes(BUSY_MINUTES + 3),
      properties: { ...props.properties },
    });
    resource.node.addDependency(policy);
    skipCfnLint(resource.node.defaultChild as CfnResource, 'W3005');
  }
}

/** One policy for all that the stack protects. It is not the role's own, which is made before all of that. */
function policyOf(provider: CustomResourceProvider): iam.Policy {
  const made = provider.node.tryFindChild('Policy');
  if (made) return made as iam.Policy;
  const roles = [iam.Role.fromRoleArn(provider, 'GivenRole', provider.roleArn)];
  const policy = new iam.Policy(provider, 'Policy', { roles });
  Validations.of(policy).acknowledge({
    id: 'NIST.800.53.R5-IAMNoInlinePolicy',
    reason: 'The policy serves one function of the stack, and is deleted with what that protects.',
  });
  return policy;
}
