import { Deployed, Deployment, Value } from './deployed';

/** A call: who asks for what, on what, and the keys of its context. */
export interface Call {
  /** A service, as `events.amazonaws.com`; an account, as its root; or the path of a role. */
  readonly by: string;
  readonly action: string;
  readonly on: string;
  /** By the names of the condition keys. */
  readonly context?: Record<string, string>;
}

interface Statement {
  readonly Effect: 'Allow' | 'Deny';
  readonly Principal?: '*' | Record<string, string | string[]>;
  readonly Action?: string | string[];
  readonly Resource?: string | string[];
  readonly Condition?: Record<string, Record<string, string | string[]>>;
}

/** Whether a policy of a resource allows the call by itself. */
export function resourcePolicyAllows(document: Value | undefined, call: Call): boolean {
  return decide(
    ((document?.Statement ?? []) as Statement[]).filter(({ Principal }) => names(Principal, call.by)),
    call,
  );
}

/** Whether the policies of a role allow the call, those of AWS included. */
export function roleAllows(deployment: Deployment, role: Deployed, call: Omit<Call, 'by'>): boolean {
  const attached = deployment
    .of('AWS::IAM::Policy')
    .filter(({ properties }) => (properties.Roles as string[]).includes(`<${role.path}>`))
    .map(({ properties }) => properties.PolicyDocument);
  const inline = (role.properties.Policies ?? []).map(({ PolicyDocument }: Value) => PolicyDocument);
  const managed = ((role.properties.ManagedPolicyArns ?? []) as string[]).map((arn) => ({
    Statement: [{ Effect: 'Allow', Action: OF_AWS[arn.split('/').at(-1)!] ?? [], Resource: '*' }],
  }));
  const statements = [...attached, ...inline, ...managed].flatMap(({ Statement }) => Statement as Statement[]);
  return decide(statements, { ...call, by: role.path });
}

/** What AWS's policies allow (AWS Managed Policy Reference). */
const OF_AWS: Record<string, string[]> = {
  AWSLambdaBasicExecutionRole: ['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:PutLogEvents'],
  AWSLambdaVPCAccessExecutionRole: [
    'logs:CreateLogGroup',
    'logs:CreateLogStream',
    'logs:PutLogEvents',
    'ec2:CreateNetworkInterface',
    'ec2:DescribeNetworkInterfaces',
    'ec2:DescribeSubnets',
    'ec2:DeleteNetworkInterface',
    'ec2:AssignPrivateIpAddresses',
    'ec2:UnassignPrivateIpAddresses',
  ],
  AmazonRDSEnhancedMonitoringRole: [
    'logs:CreateLogGroup',
    'logs:PutRetentionPolicy',
    'logs:CreateLogStream',
    'logs:PutLogEvents',
    'logs:DescribeLogStreams',
    'logs:GetLogEvents',
  ],
};

function decide(statements: Statement[], call: Call): boolean {
  const matching = statements.filter((statement) => matches(statement, call));
  return matching.length > 0 && matching.every(({ Effect }) => Effect === 'Allow');
}

function matches({ Action, Resource, Condition = {} }: Statement, { action, on, context = {} }: Call): boolean {
  return (
    [Action ?? []].flat().some((pattern) => like(action.toLowerCase(), pattern.toLowerCase())) &&
    [Resource ?? '*'].flat().some((pattern) => like(on, pattern)) &&
    Object.entries(Condition).every(([operator, keys]) =>
      Object.entries(keys).every(([key, values]) => holds(operator, context[key], [values].flat())),
    )
  );
}

/** A key that a call does not have, or an operator that is not known here, does not hold. */
function holds(operator: string, actual: string | undefined, values: string[]): boolean {
  if (actual === undefined) return false;
  switch (operator) {
    case 'StringEquals':
      return values.includes(actual);
    case 'Bool':
      return values.map((value) => value.toLowerCase()).includes(actual);
    case 'StringLike':
    case 'ArnLike':
    case 'ArnEquals':
      return values.some((pattern) => like(actual, pattern));
    default:
      return false;
  }
}

function names(principal: Statement['Principal'], by: string): boolean {
  if (principal === undefined) return false;
  if (principal === '*') return true;
  const root = /^arn:aws:iam::\d+:root$/;
  return Object.entries(principal).some(([kind, values]) =>
    [values]
      .flat()
      .some((value) => value === '*' || value === (root.test(by) || kind === 'Service' ? by : `<${by}.Arn>`)),
  );
}

function like(text: string, pattern: string): boolean {
  const parts = pattern.split(/([*?])/).map((part) => ({ '*': '.*', '?': '.' })[part] ?? escaped(part));
  return new RegExp(`^${parts.join('')}$`, 's').test(text);
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}
