import { join } from 'node:path';
import { CfnResource, CustomResource, Duration, Stack, Validations } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { TenancyNetwork } from '../network/tenancy-network';
import { AwaitedProvider } from '../provisioning/awaited-provider';
import { arnInRules } from '../validation/arn-in-rules';
import { skipCfnLint } from '../validation/skipped-checks';

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
    // Without a part of its own in the ids of what is in it.
    const provider = new AwaitedProvider(this, 'Default', {
      bundle: join(__dirname, 'handler.bundle'),
      start: { entry: 'onEvent', description: 'Starts the migration of Superset' },
      watch: { entry: 'isComplete', description: 'Waits for the migration of Superset' },
      longest: LONGEST,
      logGroup: props.functionLogGroup,
      encryptionKey: props.encryptionKey,
    });
    this.letRun(provider.start, props);
    this.letWatch(provider.watch, props);
    this.resource = new CustomResource(provider, 'Resource', {
      resourceType: 'Custom::SupersetMigration',
      serviceToken: provider.serviceToken,
      serviceTimeout: provider.serviceTimeout,
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
    this.acknowledgeFindings(props.cluster);
    skipCfnLint(this.resource.node.defaultChild as CfnResource, 'W3005');
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
    isComplete.addToRolePolicy(
      new iam.PolicyStatement({ actions: ['logs:GetLogEvents'], resources: [props.taskLogGroup.logGroupArn] }),
    );
  }

  private acknowledgeFindings(cluster: ecs.ICluster): void {
    const stack = Stack.of(this);
    const clusterId = stack.getLogicalId(cluster.node.defaultChild as CfnResource);
    Validations.of(this).acknowledge({
      id: `AwsSolutions-IAM5[Resource::${arnInRules(stack, 'ecs', `task/<${clusterId}>/*`)}]`,
      reason: 'The id of a task is not known before it runs; the cluster is.',
    });
  }
}

/** A migration of a large metadata database takes minutes; CloudFormation itself gives up after an hour. */
const LONGEST = Duration.minutes(30);
