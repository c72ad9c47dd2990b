import { CfnResource, Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import {
  DYNAMIC_REFERENCES_PER_STACK,
  MAPPINGS_PER_STACK,
  OUTPUTS_PER_STACK,
  PARAMETERS_PER_STACK,
  Quota,
  RESOURCES_PER_OPERATION,
  RESOURCES_PER_STACK,
  TEMPLATE_BYTES,
  exceeds,
} from './quotas';

/**
 * Has the synthesis refuse the stack of a construct, and those nested in it, where their templates are over a quota of CloudFormation,
 * or a security group over one of the VPC.
 */
export function checkStackQuotas(scope: Construct): void {
  const stack = Stack.of(scope);
  if (CHECKED.has(stack)) return;
  CHECKED.add(stack);
  stack.node.addValidation({ validate: () => problemsOf(stack) });
}

const CHECKED = new WeakSet<Stack>();

function problemsOf(top: Stack): string[] {
  const constructs = top.node.findAll();
  const resources = constructs.filter(CfnResource.isCfnResource);
  const over = (count: number, quota: Quota, remedy: string) =>
    count > quota.limit ? [`${exceeds(count, quota)}. ${remedy}`] : [];
  return [
    ...over(resources.length, RESOURCES_PER_OPERATION, 'Put some of the tenants into another environment.'),
    ...constructs.filter(Stack.isStack).flatMap((stack) => {
      const own = resources.filter((resource) => resource.stack === stack).length;
      const problems = over(own, RESOURCES_PER_STACK, FEWER);
      return (problems.length > 0 ? problems : templateProblems(stack)).map((text) => `${stack.node.path}: ${text}`);
    }),
  ];

  function templateProblems(stack: Stack): string[] {
    const template = templateOf(stack);
    const text = JSON.stringify(template, undefined, isIndented(stack) ? 1 : undefined);
    const compact = isIndented(stack)
      ? 'Set suppressTemplateIndentation of the stack, which makes its template a quarter smaller, or put some of the tenants into another environment.'
      : FEWER;
    return [
      ...over(Object.keys(template.Outputs ?? {}).length, OUTPUTS_PER_STACK, FEWER),
      ...over(Object.keys(template.Parameters ?? {}).length, PARAMETERS_PER_STACK, FEWER),
      ...over(Object.keys(template.Mappings ?? {}).length, MAPPINGS_PER_STACK, FEWER),
      ...over(text.split('{{resolve:').length - 1, DYNAMIC_REFERENCES_PER_STACK, 'Put some of it into another stack.'),
      ...over(Buffer.byteLength(text), TEMPLATE_BYTES, compact),
      ...securityGroupProblems(template.Resources ?? {}),
    ];
  }
}

const FEWER =
  'Take fewer shards or fewer tenants with workers of their own, or put some of the tenants into another environment or stack.';

/** Amazon VPC User Guide, "Amazon VPC quotas", Inbound or outbound rules per security group. */
const RULES_PER_SECURITY_GROUP = 60;

function securityGroupProblems(resources: Record<string, TemplateResource>): string[] {
  const groups = Object.entries(resources).filter(([, { Type }]) => Type === 'AWS::EC2::SecurityGroup');
  return groups.flatMap(([id, { Properties = {} }]) =>
    ['SecurityGroupIngress', 'SecurityGroupEgress'].flatMap((kind) => {
      const inline = Properties[kind];
      const apart = Object.values(resources).filter(
        (rule) => rule.Type === `AWS::EC2::${kind}` && JSON.stringify(rule.Properties?.GroupId)?.includes(`"${id}"`),
      );
      const count = (Array.isArray(inline) ? inline.length : 0) + apart.length;
      return count > RULES_PER_SECURITY_GROUP
        ? [
            `security group ${id} has ${count} rules of ${kind}; a security group has ${RULES_PER_SECURITY_GROUP} (Amazon VPC quotas, "Inbound or outbound rules per security group"). Join networks, or let some tenants have their own load balancer or server.`,
          ]
        : [];
    }),
  );
}

interface TemplateResource {
  readonly Type: string;
  readonly Properties?: Record<string, unknown>;
}

interface Template {
  readonly Resources?: Record<string, TemplateResource>;
  readonly Outputs?: object;
  readonly Parameters?: object;
  readonly Mappings?: object;
}

/** As the synthesis writes it; what aws-cdk-lib offers for it writes files. */
function templateOf(stack: Stack): Template {
  const { _toCloudFormation } = stack as unknown as { _toCloudFormation(): object };
  return stack.resolve(_toCloudFormation.call(stack)) as Template;
}

function isIndented(stack: Stack): boolean {
  return !(stack as unknown as { readonly _suppressTemplateIndentation: boolean })._suppressTemplateIndentation;
}
