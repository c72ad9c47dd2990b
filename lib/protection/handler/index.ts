import {
  CloudFormationClient,
  DescribeStacksCommand,
  UpdateTerminationProtectionCommand,
} from '@aws-sdk/client-cloudformation';
import { untilAllowed } from '../../provisioning/handler/until-allowed';
import { BUSY_MINUTES, DeletionProtectionProperties, TERMINATION_PROTECTION } from '../protection-requests';
import { setDeletionProtection } from './deletion-protection';

/** A request of CloudFormation, to which aws-cdk-lib sends what the handler returns or throws. */
export interface ProtectionEvent {
  readonly RequestType: 'Create' | 'Update' | 'Delete';
  readonly ResourceType: string;
  readonly StackId: string;
  readonly LogicalResourceId: string;
  readonly PhysicalResourceId?: string;
  readonly ResourceProperties: DeletionProtectionProperties;
}

/** Handles both custom resources. */
export async function handler(event: ProtectionEvent): Promise<{ PhysicalResourceId: string }> {
  return event.ResourceType === TERMINATION_PROTECTION ? ofStack(event) : ofResource(event);
}

/** Does nothing until the first deployment is rolled back. */
async function ofStack({ RequestType, StackId, LogicalResourceId }: ProtectionEvent) {
  if (RequestType === 'Delete') {
    try {
      const cloudFormation = untilAllowed(new CloudFormationClient());
      if ((await statusOf(StackId)) === 'ROLLBACK_IN_PROGRESS') {
        await cloudFormation.send(
          new UpdateTerminationProtectionCommand({ StackName: StackId, EnableTerminationProtection: false }),
        );
      }
    } catch (error) {
      // The rollback must not fail of it: a stack that is still protected is one command away from being deleted.
      console.error(JSON.stringify({ step: 'termination protection', failed: (error as Error).message }));
    }
  }
  return { PhysicalResourceId: LogicalResourceId };
}

async function ofResource({ RequestType, StackId, PhysicalResourceId, ResourceProperties }: ProtectionEvent) {
  const { Server, LoadBalancer, Retained } = ResourceProperties;
  const deadline = Date.now() + BUSY_MINUTES * 60_000;
  if (RequestType !== 'Delete') {
    await setDeletionProtection(ResourceProperties, true, deadline);
  } else if (Retained === 'false' || UNDOES_CREATION.includes(await statusOf(StackId))) {
    await setDeletionProtection(ResourceProperties, false, deadline);
  }
  return { PhysicalResourceId: Server ?? LoadBalancer ?? PhysicalResourceId ?? '' };
}

/** Status of a stack while CloudFormation takes away what the failed deployment has made. */
const UNDOES_CREATION: string[] = [
  'ROLLBACK_IN_PROGRESS',
  'UPDATE_ROLLBACK_IN_PROGRESS',
  'UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS',
];

async function statusOf(stackId: string): Promise<string> {
  const { Stacks } = await untilAllowed(new CloudFormationClient()).send(
    new DescribeStacksCommand({ StackName: stackId }),
  );
  return Stacks?.[0]?.StackStatus ?? '';
}
