import { Aspects, CfnResource, CustomResource, Duration, Stack } from 'aws-cdk-lib';
import { Construct, IConstruct } from 'constructs';
import { protectionProvider } from './protection-provider';
import { TERMINATION_PROTECTION } from './protection-requests';

/**
 * Lifts the termination protection of its stack when the first deployment is rolled back, so that the same command begins anew.
 *
 * The CDK turns the protection on before CloudFormation makes anything, and cannot delete a protected stack in `ROLLBACK_COMPLETE`.
 * All other resources of the stack wait for this one: whichever of them fails, CloudFormation deletes it then, and calls the function.
 */
export class TerminationProtection extends Construct {
  constructor(scope: Construct, id: string) {
    super(scope, id);
    const stack = Stack.of(this);
    const provider = protectionProvider(this);
    const resource = new CustomResource(this, 'Resource', {
      resourceType: TERMINATION_PROTECTION,
      serviceToken: provider.serviceToken,
      serviceTimeout: Duration.minutes(5),
    });
    const first = [this, provider].flatMap(({ node }) => node.findAll());
    const released = resource.node.defaultChild as CfnResource;
    Aspects.of(stack).add({
      visit(node: IConstruct) {
        if (CfnResource.isCfnResource(node) && node.stack === stack && !first.includes(node)) {
          node.addResourceDependency(released);
        }
      },
    });
  }
}
