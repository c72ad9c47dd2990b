import { join } from 'node:path';
import { Duration, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as customResources from 'aws-cdk-lib/custom-resources';
import { Construct } from 'constructs';
import { TenantDatabaseServer } from '../database/tenant-database-server';
import { letLogsUse } from '../encryption/own-key';
import { EnvironmentNames } from '../naming/environment-names';
import { claimPart } from '../naming/name-claims';
import { TenancyNetwork } from '../network/tenancy-network';
import { OwnerEnvironment } from './desired-state';
import { skipCfnLint, skipCheckov } from '../validation/skipped-checks';
import { neverRetry } from './no-retries';
import { refuseWithoutRoot } from '../database/rds-authorities';

/** Props of {@link ProvisionerFunction}. */
export interface ProvisionerFunctionProps {
  readonly network: TenancyNetwork;
  readonly servers: TenantDatabaseServer[];
  readonly description: string;
  /** What of the bundle is called. */
  readonly entry: 'onEvent' | 'onDatabasesEvent';
  readonly environment: { readonly [name: string]: string };
  readonly encryptionKey: kms.IKey;
  readonly logRetention: logs.RetentionDays;
}

/**
 * A function that speaks to PostgreSQL from inside of the VPC, and the provider outside of it that CloudFormation calls, so that
 * it gets an answer whatever the network does.
 */
export class ProvisionerFunction extends Construct {
  public readonly handler: lambda.Function;
  public readonly serviceToken: string;

  constructor(scope: Construct, id: string, props: ProvisionerFunctionProps) {
    super(scope, id);
    refuseWithoutRoot(this);
    const logGroup = this.newLogGroup(props.encryptionKey, props.logRetention);
    this.handler = this.newHandler(props, logGroup);
    for (const server of props.servers) {
      claimPart(scope, 'server', server);
      server.connections.allowDefaultPortFrom(this.handler, 'Database provisioner');
      server.grantMasterSecretRead(this.handler);
    }
    this.letReadBatches();
    const provider = this.newProvider(props, logGroup);
    neverRetry(this.handler);
    neverRetry(provider.node.findChild('framework-onEvent') as lambda.Function);
    this.serviceToken = provider.serviceToken;
    this.acknowledgeFindings(provider);
  }

  private newLogGroup(key: kms.IKey, retention: logs.RetentionDays): logs.LogGroup {
    letLogsUse(key, this);
    return new logs.LogGroup(this, 'Log', { encryptionKey: key, retention, removalPolicy: RemovalPolicy.DESTROY });
  }

  private newHandler(props: ProvisionerFunctionProps, logGroup: logs.ILogGroup): lambda.Function {
    const { network } = props;
    const securityGroup = new ec2.SecurityGroup(this, 'SecurityGroup', {
      vpc: network.vpc,
      description: 'Database provisioner: PostgreSQL and Secrets Manager',
      allowAllOutbound: false,
    });
    securityGroup.addEgressRule(ec2.Peer.anyIpv4(), ec2.Port.HTTPS, 'Secrets Manager');
    return new lambda.Function(this, 'Handler', {
      description: props.description,
      runtime: lambda.Runtime.NODEJS_24_X,
      architecture: lambda.Architecture.ARM_64,
      code: lambda.Code.fromAsset(join(__dirname, 'handler.bundle')),
      handler: `index.${props.entry}`,
      // The most that Lambda allows (Lambda quotas).
      timeout: Duration.minutes(15),
      memorySize: 1024,
      vpc: network.vpc,
      vpcSubnets: network.serviceSubnets,
      securityGroups: [securityGroup],
      logGroup,
      environment: { ...props.environment, ...this.owner() },
      environmentEncryption: props.encryptionKey,
    });
  }

  private owner(): OwnerEnvironment {
    const { account, region } = Stack.of(this);
    return { TENANCY_ENVIRONMENT: `${account}/${region}/${EnvironmentNames.of(this).environment}` };
  }

  /** Secrets are read twenty at a time. It takes no resource, and gives only what GetSecretValue would give of each. */
  private letReadBatches(): void {
    this.handler.addToRolePolicy(
      new iam.PolicyStatement({ actions: ['secretsmanager:BatchGetSecretValue'], resources: ['*'] }),
    );
    Validations.of(this.handler).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::*]',
      reason:
        'secretsmanager:BatchGetSecretValue takes no resource (Service Authorization Reference); each secret needs GetSecretValue besides.',
    });
  }

  private newProvider(props: ProvisionerFunctionProps, logGroup: logs.ILogGroup): customResources.Provider {
    const provider = new customResources.Provider(this, 'Provider', {
      onEventHandler: this.handler,
      logGroup,
      providerFunctionEnvEncryption: props.encryptionKey,
    });
    // What the function needs to reach server and secrets, from the first tenant made to the last one removed.
    const endpoints = props.network.node.findAll().filter((child) => child instanceof ec2.InterfaceVpcEndpoint);
    const securityGroups = [this.handler, ...props.servers].flatMap(({ connections }) => connections.securityGroups);
    frameworkFunction(provider).node.addDependency(...endpoints, ...securityGroups);
    return provider;
  }

  private acknowledgeFindings(provider: customResources.Provider): void {
    const handler = this.handler.node.defaultChild as lambda.CfnFunction;
    const managed = 'Lambda asks for this policy: writing logs and, inside of the VPC, network interfaces.';
    const concurrency =
      'A lock in PostgreSQL lets one run at a time act; a reservation fails in accounts with the initial quota of 10.';
    const deadLetters =
      'CloudFormation gets each failure as the answer, and the schedule comes again; both count as errors of the function.';
    const outside =
      'It stands outside of the VPC so that CloudFormation gets an answer even when the VPC reaches nothing.';
    const policy = 'AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role';
    Validations.of(this).acknowledge(
      { id: `${policy}/AWSLambdaBasicExecutionRole]`, reason: managed },
      { id: `${policy}/AWSLambdaVPCAccessExecutionRole]`, reason: managed },
      {
        id: 'NIST.800.53.R5-IAMNoInlinePolicy',
        reason: 'Each policy serves one function of this construct, and goes with it.',
      },
      { id: 'NIST.800.53.R5-LambdaConcurrency', reason: concurrency },
      { id: 'NIST.800.53.R5-LambdaDLQ', reason: deadLetters },
    );
    Validations.of(provider).acknowledge(
      { id: 'NIST.800.53.R5-LambdaInsideVPC', reason: outside },
      {
        id: `AwsSolutions-IAM5[Resource::<${Stack.of(this).getLogicalId(handler)}.Arn>:*]`,
        reason: 'aws-cdk-lib lets it call any version of this one function.',
      },
    );
    for (const resource of [handler, frameworkFunction(provider)]) {
      skipCheckov(resource, concurrency, 'CKV_AWS_115');
      skipCheckov(resource, deadLetters, 'CKV_AWS_116');
      skipCfnLint(resource, 'W3005');
    }
    skipCheckov(frameworkFunction(provider), outside, 'CKV_AWS_117');
  }
}

function frameworkFunction(provider: customResources.Provider): lambda.CfnFunction {
  return provider.node.findChild('framework-onEvent').node.defaultChild as lambda.CfnFunction;
}
