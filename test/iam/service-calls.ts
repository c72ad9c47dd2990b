import { Call, resourcePolicyAllows, roleAllows } from './allowing';
import { Deployed, Deployment, Value } from './deployed';

/** A call that a service of AWS makes for a resource, and whether the templates allow it. */
export interface ServiceCall {
  /** Kind of the call: `EventBridge -> Lambda`. */
  readonly pair: string;
  /** `<path>: <action> on <what>`. */
  readonly call: string;
  readonly allowed: boolean;
}

/** All calls that services make to each other for the resources of a deployment; no run sees one of them. */
export function serviceCalls(deployment: Deployment): ServiceCall[] {
  return Object.entries(PAIRS).flatMap(([pair, asked]) =>
    asked(deployment).map(({ of, action, on, allowed }) => ({ pair, call: `${of.path}: ${action} on ${on}`, allowed })),
  );
}

interface Asked {
  readonly of: Deployed;
  readonly action: string;
  readonly on: string;
  readonly allowed: boolean;
}

const PAIRS: Record<string, (deployment: Deployment) => Asked[]> = {
  'EventBridge -> Lambda': (deployment) =>
    deployment.of('AWS::Events::Rule').flatMap((rule) =>
      (rule.properties.Targets as { Arn: string }[]).map(({ Arn }) => {
        const call = { by: 'events.amazonaws.com', action: 'lambda:InvokeFunction', on: Arn };
        const permissions = deployment.of('AWS::Lambda::Permission').map(({ properties }) => properties);
        return asked(
          rule,
          call,
          permissions.some(
            ({ Action, FunctionName, Principal, SourceArn }) =>
              Action === call.action &&
              FunctionName === Arn &&
              Principal === call.by &&
              // Without it, rules of other accounts may call.
              SourceArn === `<${rule.path}.Arn>`,
          ),
        );
      }),
    ),

  'alarm -> SNS': (deployment) =>
    alarmTopics(deployment).map(([alarm, topic]) => {
      const policies = deployment
        .of('AWS::SNS::TopicPolicy')
        .filter(({ properties }) => (properties.Topics as string[]).includes(topic))
        .map(({ properties }) => properties.PolicyDocument);
      const call = { ...ofCloudWatch(deployment), action: 'sns:Publish', on: topic };
      return asked(alarm, call, allowsOwnAccountOnly(policies, call));
    }),

  // SNS User Guide, "Encrypting messages published to SNS": the publisher uses the key.
  'alarm -> KMS, for SNS': (deployment) =>
    alarmTopics(deployment).flatMap(([alarm, topic]) => {
      const key = deployment.named(topic, 'AWS::SNS::Topic')?.properties.KmsMasterKeyId as string | undefined;
      const actions = key ? ['kms:Decrypt', 'kms:GenerateDataKey'] : [];
      return actions.map((action) => {
        const call = { ...ofCloudWatch(deployment), action, on: key! };
        return asked(alarm, call, allowsOwnAccountOnly([policyOf(deployment, key!)], call));
      });
    }),

  // CloudWatch Logs User Guide, "Encrypt log data": with the ARN of the group in the context.
  'CloudWatch Logs -> KMS': (deployment) =>
    deployment.of('AWS::Logs::LogGroup').flatMap((group) => {
      const { KmsKeyId: key, LogGroupName: name = `<${group.path}>` } = group.properties;
      const { region, account } = deployment;
      const context = { 'kms:EncryptionContext:aws:logs:arn': `arn:aws:logs:${region}:${account}:log-group:${name}` };
      const actions = ['Encrypt', 'Decrypt', 'ReEncryptFrom', 'ReEncryptTo', 'GenerateDataKey', 'DescribeKey'];
      return (key ? actions : []).map((action) => {
        const call = { by: `logs.${region}.amazonaws.com`, action: `kms:${action}`, on: key as string, context };
        const other = { ...call, context: { [Object.keys(context)[0]]: 'arn:aws:logs:x:000000000001:log-group:x' } };
        const policy = policyOf(deployment, key);
        return asked(group, call, resourcePolicyAllows(policy, call) && !resourcePolicyAllows(policy, other));
      });
    }),

  // ELB User Guide, "Access logs": the account of ELB in the region, into a bucket that S3 encrypts with its own keys.
  'load balancer -> S3': (deployment) =>
    deployment.of('AWS::ElasticLoadBalancingV2::LoadBalancer').map((balancer) => {
      const attributes = new Map(
        (balancer.properties.LoadBalancerAttributes as { Key: string; Value: string }[]).map(({ Key, Value }) => [
          Key.replace('access_logs.s3.', ''),
          Value,
        ]),
      );
      const bucket = deployment.named(attributes.get('bucket') ?? '', 'AWS::S3::Bucket');
      const prefix = attributes.get('prefix');
      const on = `arn:aws:s3:::${attributes.get('bucket')}/${prefix ? `${prefix}/` : ''}AWSLogs/${deployment.account}/x`;
      const call = { by: ELB_ACCOUNT, action: 's3:PutObject', on, context: { 'aws:SecureTransport': 'true' } };
      const policies = deployment
        .of('AWS::S3::BucketPolicy')
        .filter(({ properties }) => properties.Bucket === attributes.get('bucket'))
        .map(({ properties }) => properties.PolicyDocument);
      const sseS3 = JSON.stringify(bucket?.properties.BucketEncryption ?? '').includes('"SSEAlgorithm":"AES256"');
      return asked(balancer, call, sseS3 && policies.some((policy) => resourcePolicyAllows(policy, call)));
    }),

  'Step Functions -> Lambda': (deployment) =>
    deployment.of('AWS::StepFunctions::StateMachine').flatMap((machine) => {
      const functions = String(machine.properties.DefinitionString).match(/<[^">]+\.Arn>/g) ?? [];
      const calls = functions.map((on) => ({ action: 'lambda:InvokeFunction', on }));
      return asRole(deployment, machine, machine.properties.RoleArn, 'states', calls);
    }),

  'Lambda -> CloudWatch Logs, VPC': (deployment) =>
    deployment.of('AWS::Lambda::Function').flatMap((each) => {
      const calls = ['logs:CreateLogStream', 'logs:PutLogEvents', ...(each.properties.VpcConfig ? IN_VPC : [])];
      const group = (each.properties.LoggingConfig?.LogGroup as string) ?? 'the group of the function';
      return asRole(deployment, each, each.properties.Role, 'lambda', on(group, calls));
    }),

  'ECS -> CloudWatch Logs, Secrets Manager, ECR': (deployment) =>
    deployment.of('AWS::ECS::TaskDefinition').flatMap((definition) => {
      const { ExecutionRoleArn, ContainerDefinitions } = definition.properties;
      const calls = (ContainerDefinitions as Value[]).flatMap(({ Image, Secrets = [], LogConfiguration }) => [
        ...pullOf(Image as string),
        ...on(groupArn(deployment, LogConfiguration.Options['awslogs-group']), [
          'logs:CreateLogStream',
          'logs:PutLogEvents',
        ]),
        ...(Secrets as { ValueFrom: string }[]).map(({ ValueFrom }) => readOf(secretArn(ValueFrom))),
      ]);
      return asRole(deployment, definition, ExecutionRoleArn, 'ecs-tasks', calls);
    }),

  // RDS User Guide, "Configuring IAM authentication for RDS Proxy": by the secrets of the logins, or by tokens.
  'RDS Proxy -> Secrets Manager, PostgreSQL': (deployment) =>
    deployment.of('AWS::RDS::DBProxy').flatMap((proxy) => {
      const { Auth = [], DefaultAuthScheme: scheme, RoleArn: role } = proxy.properties;
      const secrets = (Auth as { SecretArn?: string }[]).flatMap(({ SecretArn }) => SecretArn ?? []);
      const servers = scheme === 'IAM_AUTH' ? serversBehind(deployment, proxy) : [];
      const logins = servers.map((server) => `${userArn(deployment)}:<${server}.DbiResourceId>/tenant_x`);
      return asRole(deployment, proxy, role, 'rds', [
        ...secrets.map(readOf),
        ...logins.map((login) => ({ action: 'rds-db:connect', on: login })),
      ]);
    }),

  'RDS -> CloudWatch Logs, enhanced monitoring': (deployment) =>
    deployment
      .of('AWS::RDS::DBInstance')
      .filter(({ properties }) => properties.MonitoringInterval)
      .flatMap((instance) =>
        asRole(
          deployment,
          instance,
          instance.properties.MonitoringRoleArn,
          'monitoring.rds',
          on('RDSOSMetrics', ['logs:CreateLogStream', 'logs:PutLogEvents', 'logs:CreateLogGroup']),
        ),
      ),

  'VPC flow logs -> CloudWatch Logs': (deployment) =>
    deployment.of('AWS::EC2::FlowLog').flatMap((log) => {
      const { DeliverLogsPermissionArn: role, LogGroupName: group } = log.properties;
      const calls = on(groupArn(deployment, group), [
        'logs:CreateLogStream',
        'logs:PutLogEvents',
        'logs:DescribeLogStreams',
      ]);
      return asRole(deployment, log, role, 'vpc-flow-logs', calls);
    }),
};

/** ELB's account in eu-central-1 (ELB User Guide, "Enable access logs"). */
const ELB_ACCOUNT = 'arn:aws:iam::054676820928:root';

/** Lambda Developer Guide, "Configuring VPC access". */
const IN_VPC = ['ec2:CreateNetworkInterface', 'ec2:DescribeNetworkInterfaces', 'ec2:DeleteNetworkInterface'];

type RoleCall = Omit<Call, 'by'>;

/** Calls that a service makes in a role: it must let the service in, and allow each; a secret's key must let the role decrypt. */
function asRole(deployment: Deployment, of: Deployed, roleArn: string, service: string, calls: RoleCall[]): Asked[] {
  const role = deployment.named(roleArn ?? '', 'AWS::IAM::Role');
  const trust = { by: `${service}.amazonaws.com`, action: 'sts:AssumeRole', on: roleArn };
  return [
    asked(of, trust, resourcePolicyAllows(role?.properties.AssumeRolePolicyDocument, { ...trust, on: '*' })),
    ...calls
      .flatMap((call) => [{ ...call, context: tagsOf(deployment, call) }, ...decryptionFor(deployment, call)])
      .map((call) => {
        const byKey = () => resourcePolicyAllows(policyOf(deployment, call.on), { ...call, by: role?.path ?? '' });
        return asked(of, call, role !== undefined && (roleAllows(deployment, role, call) || byKey()));
      }),
  ];
}

/** The tags of a secret, which a policy may ask for (Secrets Manager User Guide, "Control access to secrets using ABAC"). */
function tagsOf(deployment: Deployment, { on: secret, context }: RoleCall): RoleCall['context'] {
  const tags = (deployment.named(secret, 'AWS::SecretsManager::Secret')?.properties.Tags ?? []) as Value[];
  return {
    ...context,
    ...Object.fromEntries(tags.map(({ Key, Value }) => [`secretsmanager:ResourceTag/${Key}`, Value])),
  };
}

/** The call to KMS that reading a secret implies. */
function decryptionFor(deployment: Deployment, { action, on: secret }: RoleCall): RoleCall[] {
  const key = deployment.named(secret, 'AWS::SecretsManager::Secret')?.properties.KmsKeyId as string | undefined;
  if (action !== 'secretsmanager:GetSecretValue' || !key) return [];
  const via = `secretsmanager.${deployment.region}.amazonaws.com`;
  return [{ action: 'kms:Decrypt', on: key, context: { 'kms:ViaService': via } }];
}

function on(resource: string, actions: string[]): RoleCall[] {
  return actions.map((action) => ({ action, on: resource }));
}

function readOf(secret: string): RoleCall {
  return { action: 'secretsmanager:GetSecretValue', on: secret };
}

function pullOf(image: string): RoleCall[] {
  const [, account, region, name] = /^(\d{12})\.dkr\.ecr\.([\w-]+)\.amazonaws\.com\/([^:@]+)/.exec(image) ?? [];
  if (!account) return [];
  const layers = ['ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer', 'ecr:BatchCheckLayerAvailability'];
  return [
    ...on('*', ['ecr:GetAuthorizationToken']),
    ...on(`arn:aws:ecr:${region}:${account}:repository/${name}`, layers),
  ];
}

/** A secret's ARN, without the field that a task takes of it. */
function secretArn(valueFrom: string): string {
  return valueFrom.replace(/:[\w-]+::$/, '');
}

/** Paths of the servers that a proxy stands before. */
function serversBehind(deployment: Deployment, proxy: Deployed): string[] {
  return deployment
    .of('AWS::RDS::DBProxyTargetGroup')
    .filter(({ properties }) => properties.DBProxyName === `<${proxy.path}>`)
    .flatMap(({ properties }) => properties.DBInstanceIdentifiers as string[])
    .map((reference) => reference.slice(1, -1));
}

function userArn({ region, account }: Deployment): string {
  return `arn:aws:rds-db:${region}:${account}:dbuser`;
}

function groupArn(deployment: Deployment, name: string): string {
  return `arn:aws:logs:${deployment.region}:${deployment.account}:log-group:${name}:*`;
}

function alarmTopics(deployment: Deployment): [Deployed, string][] {
  return deployment
    .of('AWS::CloudWatch::Alarm')
    .flatMap((alarm) =>
      ['AlarmActions', 'OKActions', 'InsufficientDataActions'].flatMap((kind) =>
        ((alarm.properties[kind] ?? []) as string[]).map((topic): [Deployed, string] => [alarm, topic]),
      ),
    );
}

function ofCloudWatch({ account }: Deployment) {
  return { by: 'cloudwatch.amazonaws.com', context: { 'aws:SourceAccount': account, 'aws:SecureTransport': 'true' } };
}

/** Whether one of the policies allows it, and not for another account, too. */
function allowsOwnAccountOnly(policies: Value[], call: Call): boolean {
  const other = { ...call, context: { ...call.context, 'aws:SourceAccount': '000000000001' } };
  return policies.some((policy) => resourcePolicyAllows(policy, call) && !resourcePolicyAllows(policy, other));
}

function policyOf(deployment: Deployment, key: string): Value {
  return deployment.named(key, 'AWS::KMS::Key')?.properties.KeyPolicy;
}

function asked(of: Deployed, call: RoleCall, allowed: boolean): Asked {
  return { of, action: call.action, on: call.on, allowed };
}
