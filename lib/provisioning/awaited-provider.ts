import { CfnResource, Duration, Stack, Validations } from 'aws-cdk-lib';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import { Provider } from 'aws-cdk-lib/custom-resources';
import { Construct, IConstruct } from 'constructs';
import { skipCfnLint, skipCheckov } from '../validation/skipped-checks';

/** One of the two functions. */
export interface AwaitedFunction {
  /** What of the bundle is called. */
  readonly entry: string;
  readonly description: string;
}

/** Props of {@link AwaitedProvider}. */
export interface AwaitedProviderProps {
  /** Directory of the bundle that has both functions. */
  readonly bundle: string;
  /** Begins what a custom resource asks for. */
  readonly start: AwaitedFunction;
  /** Says whether it is done. */
  readonly watch: AwaitedFunction;
  /** Longest wait, after which CloudFormation is told no more than that: a function that knows why ends the wait before. */
  readonly longest: Duration;
  readonly logGroup: logs.ILogGroup;
  readonly encryptionKey: kms.IKey;
}

/**
 * What CloudFormation calls for a custom resource that takes minutes: a function that begins, and one that is asked every ten
 * seconds whether it is done. Both stand outside of the VPC.
 */
export class AwaitedProvider extends Construct {
  public readonly start: lambda.Function;
  public readonly watch: lambda.Function;
  public readonly serviceToken: string;
  /** For `serviceTimeout`: CloudFormation itself would wait for an hour. */
  public readonly serviceTimeout: Duration;

  constructor(scope: Construct, id: string, props: AwaitedProviderProps) {
    super(scope, id);
    this.start = this.newFunction('OnEvent', props.start, props);
    this.watch = this.newFunction('IsComplete', props.watch, props);
    const provider = new Provider(this, 'Provider', {
      onEventHandler: this.start,
      isCompleteHandler: this.watch,
      queryInterval: Duration.seconds(10),
      totalTimeout: props.longest,
      logGroup: props.logGroup,
      providerFunctionEnvEncryption: props.encryptionKey,
      disableWaiterStateMachineLogging: true,
    });
    this.serviceToken = provider.serviceToken;
    this.serviceTimeout = props.longest.plus(Duration.minutes(6));
    this.acknowledgeFindings(provider, [this.start, this.watch]);
  }

  private newFunction(
    id: string,
    { entry, description }: AwaitedFunction,
    props: AwaitedProviderProps,
  ): lambda.Function {
    return new lambda.Function(this, id, {
      description,
      runtime: lambda.Runtime.NODEJS_24_X,
      architecture: lambda.Architecture.ARM_64,
      code: lambda.Code.fromAsset(props.bundle),
      handler: `index.${entry}`,
      // It asks again for three minutes while IAM denies it.
      timeout: Duration.minutes(5),
      memorySize: 256,
      logGroup: props.logGroup,
      environmentEncryption: props.encryptionKey,
    });
  }

  private acknowledgeFindings(provider: Provider, functions: lambda.Function[]): void {
    const once = 'CloudFormation calls it once a deployment, and gets its failure as the answer.';
    const outside = 'It speaks to AWS only, and CloudFormation must get an answer even when the VPC reaches nothing.';
    const stack = Stack.of(this);
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
    skipCfnLint(provider.node.findChild('waiter-state-machine').node.defaultChild as CfnResource, 'W3005');
  }
}
