import { RawTemplates, Value } from './deployed';
import { MODELS, deployment } from './models';
import { wrongForms } from './resource-forms';

/** For PostgreSQL there is no such snapshot; editions of the reference asked for it, and it allows nothing more. */
const ONCE_ASKED_FOR =
  /rds:CreateDBSnapshot: arn:aws:rds:[\w-]+:\d+:snapshot-tenant-database:demo-tenancy-\w+-\* is none of/;

const found = async (templates: RawTemplates) =>
  (await wrongForms(deployment(templates))).filter((problem) => !ONCE_ASKED_FOR.test(problem));

test.each(Object.entries(MODELS))('in %s, roles have rights in the form that AWS asks for', async (_, synthesise) => {
  expect(await found(synthesise())).toEqual([]);
});

let sound: RawTemplates;
beforeAll(() => (sound = MODELS['database-per-tenant']()));

/** The statements of a template that have an action. */
function statementsWith(templates: RawTemplates, action: string): Value[] {
  return Object.values(templates)
    .flatMap(({ Resources }) => Object.values(Resources))
    .filter(({ Type }) => Type === 'AWS::IAM::Policy')
    .flatMap(({ Properties }) => Properties?.PolicyDocument.Statement as Value[])
    .filter(({ Action }) => [Action].flat().includes(action));
}

const SNAPSHOT = /:snapshot:/;

test.each<[string, string, (statement: Value) => void, RegExp]>([
  [
    'an action that AWS does not have',
    'ecs:RunTask',
    (it) => (it.Action = 'ecs:RunTasks'),
    /there is no action ecs:RunTasks/,
  ],
  [
    'a snapshot of a server, without the name of the snapshot',
    'rds:CreateDBSnapshot',
    (it) => (it.Resource = it.Resource.filter((arn: Value) => !SNAPSHOT.test(JSON.stringify(arn)))),
    /rds:CreateDBSnapshot: it needs a snapshot besides/,
  ],
  [
    'a snapshot, without its server',
    'rds:CreateDBSnapshot',
    (it) => (it.Resource = it.Resource.filter((arn: Value) => SNAPSHOT.test(JSON.stringify(arn)))),
    /rds:CreateDBSnapshot: it needs a db besides/,
  ],
  [
    'targets of a proxy, without their group',
    'rds:DescribeDBProxyTargets',
    (it) => (it.Resource = it.Resource.filter((arn: Value) => !/TargetGroupArn/.test(JSON.stringify(arn)))),
    /rds:DescribeDBProxyTargets: it needs a target-group besides/,
  ],
  [
    'a task instead of its definition',
    'ecs:RunTask',
    (it) => (it.Resource = 'arn:aws:ecs:eu-central-1:000000000000:task/cluster/*'),
    /task\/cluster\/\* is none of task-definition/,
  ],
  [
    'a log group without its streams',
    'logs:GetLogEvents',
    (it) => (it.Resource = 'arn:aws:logs:eu-central-1:000000000000:log-group:superset'),
    /logs:GetLogEvents: .* is none of log-stream/,
  ],
  ['any role for a task', 'iam:PassRole', (it) => (it.Resource = '*'), /iam:PassRole: \* is none of role/],
  [
    'a resource of an action that takes none',
    'secretsmanager:BatchGetSecretValue',
    (it) => (it.Resource = 'arn:aws:secretsmanager:eu-central-1:000000000000:secret:superset/*'),
    /BatchGetSecretValue: it takes no resource but \*/,
  ],
  [
    'a condition on what a request does not say',
    'ecs:RunTask',
    (it) => (it.Condition = { ArnEquals: { 'ecs:cluster-arn': 'x' } }),
    /ecs:RunTask: ecs:cluster-arn is no key of its requests/,
  ],
])('%s is found', async (_, action, put, problem) => {
  const templates = structuredClone(sound);
  const statements = statementsWith(templates, action);
  expect(statements).not.toEqual([]);
  statements.forEach(put);

  expect(await found(templates)).toContainEqual(expect.stringMatching(problem));
});
