import { CfnResource } from 'aws-cdk-lib';

/** Tells checkov to leave out checks of a resource, for a reason that ends up in the template beside it. */
export function skipCheckov(resource: CfnResource, comment: string, ...ids: string[]): void {
  const earlier = resource.getMetadata('checkov')?.skip ?? [];
  resource.addMetadata('checkov', { skip: [...earlier, ...ids.map((id) => ({ id, comment }))] });
}

/** Tells cfn-lint to leave out rules for a resource. */
export function skipCfnLint(resource: CfnResource, ...rules: string[]): void {
  resource.addMetadata('cfn-lint', { config: { ignore_checks: rules } });
}
