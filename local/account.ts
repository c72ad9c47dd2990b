import {
  CloudFormationClient,
  UpdateTerminationProtectionCommand,
  paginateDescribeStackEvents,
  paginateListStackResources,
  paginateListStacks,
} from '@aws-sdk/client-cloudformation';
import { InvokeCommand, LambdaClient, paginateListFunctions } from '@aws-sdk/client-lambda';
import {
  GetSecretValueCommand,
  ResourceNotFoundException,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { ProvisionerEnvironment, ReconcileAttributes } from '../lib/provisioning/desired-state';
import { Emulator } from './emulator';
import { DatabaseSecret } from './login';

/** A resource that was deployed. */
export interface DeployedResource {
  readonly stack: string;
  readonly logicalId: string;
  readonly type: string;
  readonly physicalId: string;
}

/** What is in the emulated account, asked through the AWS API. */
export class Account {
  private readonly cloudFormation: CloudFormationClient;
  private readonly lambda: LambdaClient;
  private readonly secretsManager: SecretsManagerClient;

  constructor({ sdk }: Emulator) {
    this.cloudFormation = new CloudFormationClient(sdk);
    this.lambda = new LambdaClient(sdk);
    this.secretsManager = new SecretsManagerClient(sdk);
  }

  /** The login in a secret, or undefined when there is no such secret. */
  public async databaseSecret(id: string): Promise<DatabaseSecret | undefined> {
    try {
      const { SecretString } = await this.secretsManager.send(new GetSecretValueCommand({ SecretId: id }));
      return JSON.parse(SecretString ?? '{}') as DatabaseSecret;
    } catch (error) {
      if (error instanceof ResourceNotFoundException) {
        return undefined;
      }
      throw error;
    }
  }

  /** All resources of all stacks but the bootstrap's, nested ones too. */
  public async resources(): Promise<DeployedResource[]> {
    const resources: DeployedResource[] = [];
    for await (const page of paginateListStacks({ client: this.cloudFormation }, {})) {
      for (const { StackName, StackStatus } of page.StackSummaries ?? []) {
        if (StackName && StackName !== 'CDKToolkit' && StackStatus !== 'DELETE_COMPLETE') {
          resources.push(...(await this.resourcesOf(StackName)));
        }
      }
    }
    return resources;
  }

  /** Status of each stack that is not deleted, but for the bootstrap's; those nested in others, too. */
  public async statuses(): Promise<Record<string, string>> {
    const statuses: [string, string][] = [];
    for await (const page of paginateListStacks({ client: this.cloudFormation }, {})) {
      for (const { StackName, StackStatus } of page.StackSummaries ?? []) {
        if (StackName && StackName !== 'CDKToolkit' && StackStatus !== 'DELETE_COMPLETE') {
          statuses.push([StackName, StackStatus ?? '']);
        }
      }
    }
    return Object.fromEntries(statuses);
  }

  /** Why resources and stacks have failed since then, as CloudFormation's events say it. */
  public async failures(since: Date): Promise<string[]> {
    const failures: string[] = [];
    for (const StackName of Object.keys(await this.statuses())) {
      for await (const page of paginateDescribeStackEvents({ client: this.cloudFormation }, { StackName })) {
        for (const { ResourceStatus, LogicalResourceId, ResourceStatusReason, Timestamp } of page.StackEvents ?? []) {
          if (ResourceStatus?.endsWith('_FAILED') && Timestamp && Timestamp >= since) {
            failures.push(`${LogicalResourceId}: ${ResourceStatusReason}`);
          }
        }
      }
    }
    return failures;
  }

  /** Lifts the protection against deletion, as whoever means to delete a stack must. */
  public async allowDeletion(stack: string): Promise<void> {
    await this.cloudFormation.send(
      new UpdateTerminationProtectionCommand({ StackName: stack, EnableTerminationProtection: false }),
    );
  }

  /** Where the provisioner connects, as its function is told. */
  public async provisionerEnvironment(): Promise<ProvisionerEnvironment> {
    return (await this.provisioner()).environment;
  }

  /** Asks the provisioner to reconcile what was deployed last, as its schedule does. */
  public async reconcile(): Promise<ReconcileAttributes> {
    const { name } = await this.provisioner();
    const { FunctionError, Payload } = await this.lambda.send(
      new InvokeCommand({ FunctionName: name, Payload: JSON.stringify({ reconcile: 'stored' }) }),
    );
    const answer = JSON.parse(Buffer.from(Payload ?? []).toString() || '{}') as ReconcileAttributes & {
      errorMessage?: string;
    };
    if (FunctionError) {
      throw new Error(answer.errorMessage ?? FunctionError);
    }
    return answer;
  }

  private async provisioner(): Promise<{ name: string; environment: ProvisionerEnvironment }> {
    for await (const page of paginateListFunctions({ client: this.lambda }, {})) {
      for (const { FunctionName, Environment } of page.Functions ?? []) {
        const variables = Environment?.Variables ?? {};
        if (FunctionName && 'LOADER_SECRET' in variables) {
          return { name: FunctionName, environment: variables as unknown as ProvisionerEnvironment };
        }
      }
    }
    throw new Error('no function of the account is a database provisioner');
  }

  private async resourcesOf(stack: string): Promise<DeployedResource[]> {
    const resources: DeployedResource[] = [];
    for await (const page of paginateListStackResources({ client: this.cloudFormation }, { StackName: stack })) {
      for (const { LogicalResourceId, ResourceType, PhysicalResourceId } of page.StackResourceSummaries ?? []) {
        resources.push({
          stack,
          logicalId: LogicalResourceId ?? '',
          type: ResourceType ?? '',
          physicalId: PhysicalResourceId ?? '',
        });
      }
    }
    return resources;
  }
}
