import { RawTemplates, Value } from './deployed';
import { MODELS, deployment } from './models';
import { serviceCalls } from './service-calls';

const callsOf = (templates: RawTemplates) => serviceCalls(deployment(templates));
const refused = (templates: RawTemplates) => callsOf(templates).filter(({ allowed }) => !allowed);
const pairsOf = (calls: { pair: string }[]) => [...new Set(calls.map(({ pair }) => pair))].sort();

const EVERYWHERE = [
  'ECS -> CloudWatch Logs, Secrets Manager, ECR',
  'EventBridge -> Lambda',
  'RDS -> CloudWatch Logs, enhanced monitoring',
  'Step Functions -> Lambda',
  'VPC flow logs -> CloudWatch Logs',
  'CloudWatch Logs -> KMS',
  'Lambda -> CloudWatch Logs, VPC',
  'alarm -> KMS, for SNS',
  'alarm -> SNS',
  'load balancer -> S3',
].sort();

test.each(Object.entries(MODELS))('in %s, each service may call those that it needs', (model, synthesise) => {
  const templates = synthesise();
  const pairs = /^database/.test(model)
    ? [...EVERYWHERE, 'RDS Proxy -> Secrets Manager, PostgreSQL'].sort()
    : EVERYWHERE;

  expect(pairsOf(callsOf(templates))).toEqual(pairs);
  expect(refused(templates)).toEqual([]);
});

/** A resource of a type in templates, the first unless its path is said. */
function find(templates: RawTemplates, type: string, path = /./): Value {
  for (const [stack, { Resources }] of Object.entries(templates)) {
    for (const [id, resource] of Object.entries(Resources)) {
      if (resource.Type === type && path.test(`${stack}/${id}`)) return resource.Properties;
    }
  }
  throw new Error(`no ${type}`);
}

/** Takes statements out of a policy. */
function drop(document: Value, isOne: (statement: Value) => boolean): void {
  const kept = document.Statement.filter((statement: Value) => !isOne(statement));
  expect(kept.length).toBeLessThan(document.Statement.length);
  document.Statement = kept;
}

const has = (text: string) => (statement: Value) => JSON.stringify(statement).includes(text);
const keyPolicy = (templates: RawTemplates) => find(templates, 'AWS::KMS::Key', /Demo\/Key/).KeyPolicy;
const policyOf = (templates: RawTemplates, role: RegExp) => find(templates, 'AWS::IAM::Policy', role).PolicyDocument;

const FAULTS: [fault: string, pair: string, put: (templates: RawTemplates) => void][] = [
  [
    'a schedule that may call another function',
    'EventBridge -> Lambda',
    (made) => (find(made, 'AWS::Lambda::Permission').FunctionName = { Ref: 'Other' }),
  ],
  [
    'a schedule of which account ever',
    'EventBridge -> Lambda',
    (made) => delete find(made, 'AWS::Lambda::Permission').SourceArn,
  ],
  [
    'a topic that CloudWatch may not publish to',
    'alarm -> SNS',
    (made) => drop(find(made, 'AWS::SNS::TopicPolicy').PolicyDocument, has('cloudwatch')),
  ],
  [
    'a topic that alarms of other accounts may publish to',
    'alarm -> SNS',
    (made) => find(made, 'AWS::SNS::TopicPolicy').PolicyDocument.Statement.forEach((it: Value) => delete it.Condition),
  ],
  [
    'a key that CloudWatch may not use for a topic',
    'alarm -> KMS, for SNS',
    (made) => drop(keyPolicy(made), has('cloudwatch')),
  ],
  [
    'a topic under the key of AWS',
    'alarm -> KMS, for SNS',
    (made) => (find(made, 'AWS::SNS::Topic').KmsMasterKeyId = 'alias/aws/sns'),
  ],
  [
    'a key that logs may not be encrypted with',
    'CloudWatch Logs -> KMS',
    (made) => drop(keyPolicy(made), has('"logs.')),
  ],
  [
    "a key for another region's logs",
    'CloudWatch Logs -> KMS',
    (made) =>
      keyPolicy(made)
        .Statement.filter(has('"logs.'))
        .forEach((it: Value) => (it.Principal.Service = 'logs.eu-west-1.amazonaws.com')),
  ],
  [
    'a bucket that ELB may not write to',
    'load balancer -> S3',
    (made) => drop(find(made, 'AWS::S3::BucketPolicy').PolicyDocument, has('054676820928')),
  ],
  [
    'access logs under a prefix that the policy does not name',
    'load balancer -> S3',
    (made) =>
      (find(made, 'AWS::ElasticLoadBalancingV2::LoadBalancer').LoadBalancerAttributes.find(
        ({ Key }: Value) => Key === 'access_logs.s3.prefix',
      ).Value = 'elsewhere'),
  ],
  [
    'access logs under a KMS key',
    'load balancer -> S3',
    (made) =>
      (find(made, 'AWS::S3::Bucket').BucketEncryption.ServerSideEncryptionConfiguration = [
        { ServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms' } },
      ]),
  ],
  [
    'a state machine that may not call its function',
    'Step Functions -> Lambda',
    (made) => drop(policyOf(made, /waiterstatemachine/), has('lambda:')),
  ],
  [
    'a role that Step Functions may not take',
    'Step Functions -> Lambda',
    (made) =>
      (find(made, 'AWS::IAM::Role', /waiterstatemachine/).AssumeRolePolicyDocument.Statement[0].Principal.Service =
        'lambda.amazonaws.com'),
  ],
  [
    'a function in the VPC without the right to join it',
    'Lambda -> CloudWatch Logs, VPC',
    (made) => find(made, 'AWS::IAM::Role', /ProvisionerHandler/).ManagedPolicyArns.pop(),
  ],
  [
    'tasks without the right to write their log',
    'ECS -> CloudWatch Logs, Secrets Manager, ECR',
    (made) => drop(policyOf(made, /ExecutionRole/), has('logs:')),
  ],
  [
    'tasks whose image may not be pulled',
    'ECS -> CloudWatch Logs, Secrets Manager, ECR',
    (made) => drop(policyOf(made, /ExecutionRole/), has('ecr:BatchGetImage')),
  ],
  [
    'tasks without a secret of theirs',
    'ECS -> CloudWatch Logs, Secrets Manager, ECR',
    (made) =>
      policyOf(made, /ExecutionRole/)
        .Statement.find(has('secretsmanager:'))
        .Resource.pop(),
  ],
  [
    'tasks whose secrets may not be decrypted',
    'ECS -> CloudWatch Logs, Secrets Manager, ECR',
    (made) => {
      const { Principal } = keyPolicy(made).Statement.find(has('ExecutionRole'));
      Principal.AWS = Principal.AWS.filter((role: Value) => !has('ExecutionRole')(role));
    },
  ],
  [
    'a proxy that may read no secret',
    'RDS Proxy -> Secrets Manager, PostgreSQL',
    (made) => drop(policyOf(made, /ProxyaRole/), has('secretsmanager:')),
  ],
  [
    'a proxy whose secrets are of another environment',
    'RDS Proxy -> Secrets Manager, PostgreSQL',
    (made) =>
      find(made, 'AWS::SecretsManager::Secret', /tq7b3x.*Secret/).Tags.forEach((tag: Value) => (tag.Value = 'Other')),
  ],
  [
    "a proxy that the key of a tenant's secrets does not name",
    'RDS Proxy -> Secrets Manager, PostgreSQL',
    (made) => drop(find(made, 'AWS::KMS::Key', /tk4q9w/).KeyPolicy, has('Proxyb')),
  ],
  [
    'monitoring in a role without rights',
    'RDS -> CloudWatch Logs, enhanced monitoring',
    (made) => (find(made, 'AWS::IAM::Role', /MonitoringRole/).ManagedPolicyArns = []),
  ],
  [
    'flow logs that may not be written',
    'VPC flow logs -> CloudWatch Logs',
    (made) => drop(policyOf(made, /FlowLog/), has('logs:')),
  ],
];

let sound: RawTemplates;
beforeAll(() => (sound = MODELS['database-per-tenant']()));

test.each(FAULTS)('%s is found', (_, pair, put) => {
  const templates = structuredClone(sound);
  put(templates);

  expect(pairsOf(refused(templates))).toEqual([pair]);
});

test('a proxy that may not log in to its server with tokens is found', () => {
  const templates = MODELS['database-per-tenant with tokens']();
  drop(policyOf(templates, /ProxyaRole/), has('rds-db:connect'));

  expect(pairsOf(refused(templates))).toEqual(['RDS Proxy -> Secrets Manager, PostgreSQL']);
});
