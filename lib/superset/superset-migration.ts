import { join } from 'node:path';
import { CfnResource, CustomResource, Duration, Stack, Validations } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import { Provider } from 'aws-cdk-lib/custom-resources';
import { Construct, IConstruct } from 'constructs';
import { TenancyNetwork } from '../network/tenancy-network';
import { arnInRules } from '../validation/arn-in-rules';
import { skipCfnLint, skipCheckov } from '../validation/skipped-checks';

/** Props of {@link SupersetMigration}. */
export interface SupersetMigrationProps {
  readonly cluster: ecs.ICluster;
  readonly taskDefinition: ecs.ITaskDefinition;
  readonly container: string;
  readonly roles: iam.IRole[];
  readonly network: TenancyNetwork;
  readonly securityGroup: ec2.ISecurityGroup;
  readonly taskLogGroup: logs.ILogGroup;
  readonly taskLogStreamPrefix: string;
  readonly functionLogGroup: logs.ILogGroup;
  readonly encryptionKey: kms.IKey;
}

/**
 * One task that brings Superset's metadata to the version of the image, and its tenants to the desired state, awaited before the
 * services roll. It runs again whenever its task definition changes, and its failure fails the deployment with the last lines of
 * its log.
 */
export class SupersetMigration extends Construct {
  /** What the services wait for, and what waits for all that the task needs. */
  public readonly resource: CustomResource;

  constructor(scope: Construct, id: string, props: SupersetMigrationProps) {
    super(scope, id);
    const onEvent = this.newFunction('OnEvent', 'onEvent', 'Starts the migration of Superset', props);
    this.letRun(onEvent, props);
    const isComplete = this.newFunction('IsComplete', 'isComplete', 'Waits for the migration of Superset', props);
    this.letWatch(isComplete, props);
    const provider = new Provider(this, 'Provider', {
      onEventHandler: onEvent,
      isCompleteHandler: isComplete,
      queryInterval: Duration.seconds(10),
      totalTimeout: LONGEST,
      logGroup: props.functionLogGroup,
      providerFunctionEnvEncryption: props.encryptionKey,
      disableWaiterStateMachineLogging: true,
    });
    this.resource = new CustomResource(this, 'Resource', {
      resourceType: 'Custom::SupersetMigration',
      serviceToken: provider.serviceToken,
      serviceTimeout: LONGEST.plus(Duration.minutes(2)),
      properties: {
        Cluster: props.cluster.clusterName,
        TaskDefinition: props.taskDefinition.taskDefinitionArn,
        Container: props.container,
        Subnets: props.network.vpc.selectSubnets(props.network.serviceSubnets).subnetIds,
        SecurityGroups: [props.securityGroup.securityGroupId],
        LogGroup: props.taskLogGroup.logGroupName,
        LogStreamPrefix: props.taskLogStreamPrefix,
      },
    });
    this.acknowledgeFindings(provider, [onEvent, isComplete], props.cluster);
    skipCfnLint(this.resource.node.defaultChild as CfnResource, 'W3005');
    skipCfnLint(provider.node.findChild('waiter-state-machine').node.defaultChild as CfnResource, 'W3005');
  }

  private newFunction(
    id: string,
    handler: string,
    description: string,
    props: SupersetMigrationProps,
  ): lambda.Function {
    return new lambda.Function(this, id, {
      description,
      runtime: lambda.Runtime.NODEJS_24_X,
      architecture: lambda.Architecture.ARM_64,
      code: lambda.Code.fromAsset(join(__dirname, 'handler.bundle')),
      handler: `index.${handler}`,
      timeout: Duration.minutes(1),
      memorySize: 256,
      logGroup: props.functionLogGroup,
      environmentEncryption: props.encryptionKey,
    });
  }

  private letRun(onEvent: lambda.Function, props: SupersetMigrationProps): void {
    onEvent.addToRolePolicy(
      new iam.PolicyStatement({
        actions: ['ecs:RunTask'],
        resources: [props.taskDefinition.taskDefinitionArn],
        conditions: { ArnEquals: { 'ecs:cluster': props.cluster.clusterArn } },
      }),
    );
    props.roles.forEach((role) => role.grantPassRole(onEvent.grantPrincipal));
  }

  private letWatch(isComplete: lambda.Function, props: SupersetMigrationProps): void {
    isComplete.addToRolePolicy(
      new iam.PolicyStatement({
        actions: ['ecs:DescribeTasks'],
        resources: [
          Stack.of(this).formatArn({
            service: 'ecs',
            resource: 'task',
            resourceName: `${props.cluster.clusterName}/*`,
          }),
        ],
      }),
    );
    props.taskLogGroup.grantRead(isComplete);
  }

  private acknowledgeFindings(provider: Provider, functions: lambda.Function[], cluster: ecs.ICluster): void {
    const once = 'CloudFormation calls it once a deployment, and gets its failure as the answer.';
    const outside = 'It speaks to AWS only, and CloudFormation must get an answer even when the VPC reaches nothing.';
    const stack = Stack.of(this);
    const clusterId = stack.getLogicalId(cluster.node.defaultChild as CfnResource);
    const tasksForRules = arnInRules(stack, 'ecs', `task/<${clusterId}>/*`);
    const arnOf = (fn: IConstruct) => `<${stack.getLogicalId(fn.node.defaultChild as CfnResource)}.Arn>:*`;
    const called = [
      ...functions,
      ...['framework-isComplete', 'framework-onTimeout'].map((id) => provider.node.findChild(id)),
    ];
    Validations.of(this).acknowledge(
      {
        id: 'AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole]',
        reason: 'Lambda asks for this policy, which allows writing logs.',
      },
      ...called.map((fn) => ({
        id: `AwsSolutions-IAM5[Resource::${arnOf(fn)}]`,
        reason: 'aws-cdk-lib lets it call any version of this one function.',
      })),
      {
        id: `AwsSolutions-IAM5[Resource::${tasksForRules}]`,
        reason: 'The id of a task is not known before it runs; the cluster is.',
      },
      { id: 'AwsSolutions-SF1', reason: 'The state machine of the provider framework only waits; the functions log.' },
      { id: 'AwsSolutions-SF2', reason: 'The state machine of the provider framework only waits; the functions log.' },
      {
        id: 'NIST.800.53.R5-IAMNoInlinePolicy',
        reason: 'Each policy serves one function of this construct, and goes with it.',
      },
      { id: 'NIST.800.53.R5-LambdaConcurrency', reason: once },
      { id: 'NIST.800.53.R5-LambdaDLQ', reason: once },
      { id: 'NIST.800.53.R5-LambdaInsideVPC', reason: outside },
      { id: 'NIST.800.53.R5-StepFunctionStateMachineAllLogsToCloudWatch', reason: once },
      { id: 'NIST.800.53.R5-StepFunctionStateMachineXray', reason: once },
    );
    const framework = ['framework-onEvent', 'framework-isComplete', 'framework-onTimeout'].map(
      (name) => provider.node.findChild(name).node.defaultChild as CfnResource,
    );
    for (const resource of [...functions.map(({ node }) => node.defaultChild as CfnResource), ...framework]) {
      skipCheckov(resource, once, 'CKV_AWS_115', 'CKV_AWS_116');
      skipCheckov(resource, outside, 'CKV_AWS_117');
      skipCfnLint(resource, 'W3005');
    }
  }
}

/** A migration of a large metadata database takes minutes; CloudFormation itself gives up after an hour. */
const LONGEST = Duration.minutes(30);
