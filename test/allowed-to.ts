interface Statement {
  readonly Action: string | string[];
  readonly Resource: unknown;
}

interface Template {
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly Resources?: Record<string, { readonly Type: string; readonly Properties: Record<string, any> }>;
}

/** What the policies of a role of a template allow: resources by action. */
export function allowedTo({ Resources = {} }: Template, roleId: string): Record<string, unknown[]> {
  const statements = Object.values(Resources)
    .filter(({ Type, Properties }) => Type === 'AWS::IAM::Policy' && JSON.stringify(Properties.Roles).includes(roleId))
    .flatMap(({ Properties }) => Properties.PolicyDocument.Statement as Statement[]);
  const allowed: Record<string, unknown[]> = {};
  for (const { Action, Resource } of statements) {
    for (const action of [Action].flat()) (allowed[action] ??= []).push(...[Resource].flat());
  }
  return allowed;
}
