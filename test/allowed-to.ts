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

/** BatchGetSecretValue is not among them: each secret needs GetSecretValue besides. */
const READS_SECRETS = /^(\*|secretsmanager:(\*|Get\*|GetSecretValue))$/;

/** The roles whose policies let them read a secret, by a part of the secret's id in the template. */
export function readersOf({ Resources = {} }: Template, secretId: string): string[] {
  const isOfSecret = (resource: unknown) =>
    JSON.stringify(resource).includes(secretId) || /^(\*|arn:.*:secret:\*)$/.test(String(resource));
  return Object.values(Resources)
    .filter(({ Type }) => Type === 'AWS::IAM::Policy')
    .filter(({ Properties }) =>
      (Properties.PolicyDocument.Statement as Statement[]).some(
        ({ Action, Resource }) =>
          [Action].flat().some((action) => READS_SECRETS.test(action)) && [Resource].flat().some(isOfSecret),
      ),
    )
    .flatMap(({ Properties }) => (Properties.Roles as { readonly Ref: string }[]).map(({ Ref }) => Ref))
    .sort();
}
