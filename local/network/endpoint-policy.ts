import { Properties } from './templates';

/** A call of the AWS API, as the policy of an endpoint sees it. */
export interface AwsRequest {
  readonly action: string;
  /** ARN. @default - any of the account that only a policy for all resources is sure to hold */
  readonly resource?: string;
  /** Keys of conditions, in lower case. One that is missing fulfils no condition. */
  readonly context: Readonly<Record<string, string>>;
}

/** Whether the policy of an endpoint lets a call through; an endpoint without one lets all through. */
export function letsThrough(policy: Properties | undefined, request: AwsRequest): boolean {
  if (!policy) return true;
  const statements = [policy.Statement].flat() as Statement[];
  const applies = statements.filter((statement) => applicable(statement, request));
  return applies.some(({ Effect }) => Effect === 'Allow') && !applies.some(({ Effect }) => Effect === 'Deny');
}

interface Statement {
  readonly Effect: string;
  readonly Principal?: unknown;
  readonly Action?: string | string[];
  readonly Resource?: string | string[];
  readonly Condition?: Record<string, Record<string, string | string[]>>;
  readonly [other: string]: unknown;
}

/** What is not understood (NotAction, another operator, a named principal) allows nothing, and denies all. */
function applicable(statement: Statement, { action, resource, context }: AwsRequest): boolean {
  const { Effect, Principal, Action, Resource, Condition = {}, Sid, ...others } = statement;
  void Sid;
  const unknown = Effect !== 'Allow';
  if (Object.keys(others).length > 0 || !Action || !Resource) return unknown;
  if (Principal !== '*' && (Principal as { AWS?: unknown } | undefined)?.AWS !== '*') return unknown;
  const matches = (patterns: string | string[], text: string) =>
    [patterns].flat().some((pattern) => like(pattern.toLowerCase(), text.toLowerCase()));
  return (
    matches(Action, action) &&
    (resource === undefined ? [Resource].flat().includes('*') || unknown : matches(Resource, resource)) &&
    Object.entries(Condition).every(([operator, keys]) =>
      Object.entries(keys).every(([key, wanted]) => {
        const given = context[key.toLowerCase()];
        if (!['StringEquals', 'ArnEquals', 'StringLike', 'ArnLike'].includes(operator)) return unknown;
        return given !== undefined && [wanted].flat().some((pattern) => like(pattern, given));
      }),
    )
  );
}

/** Whether a text is like a pattern with `*` and `?`. */
function like(pattern: string, text: string): boolean {
  const escaped = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${escaped}$`, 's').test(text);
}
