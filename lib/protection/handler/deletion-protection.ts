import { setTimeout as pause } from 'node:timers/promises';
import {
  ElasticLoadBalancingV2Client,
  ModifyLoadBalancerAttributesCommand,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { ModifyDBInstanceCommand, RDSClient } from '@aws-sdk/client-rds';
import { untilAllowed } from '../../provisioning/handler/until-allowed';
import { DeletionProtectionProperties } from '../protection-requests';

/** What passes: a server that is being changed. */
const PASSES = /^InvalidDBInstanceState(Fault)?$/;

/** Nothing is left to lift the protection of. */
const GONE = /^(DBInstanceNotFound(Fault)?|LoadBalancerNotFound(Exception)?)$/;

const RETRY_MILLISECONDS = 5_000;

/** Turns the protection of a server or a load balancer on or off, until a deadline in milliseconds of time. */
export async function setDeletionProtection(
  resource: DeletionProtectionProperties,
  isProtected: boolean,
  deadline: number,
): Promise<void> {
  for (;;) {
    try {
      return await change(resource, isProtected);
    } catch (error) {
      const { name } = error as Error;
      if (!isProtected && GONE.test(name)) return;
      if (!PASSES.test(name) || Date.now() > deadline) throw error;
    }
    await pause(RETRY_MILLISECONDS);
  }
}

async function change({ Server, LoadBalancer }: DeletionProtectionProperties, isProtected: boolean): Promise<void> {
  if (Server) {
    await untilAllowed(new RDSClient()).send(
      new ModifyDBInstanceCommand({ DBInstanceIdentifier: Server, DeletionProtection: isProtected }),
    );
  } else {
    await untilAllowed(new ElasticLoadBalancingV2Client()).send(
      new ModifyLoadBalancerAttributesCommand({
        LoadBalancerArn: LoadBalancer,
        Attributes: [{ Key: 'deletion_protection.enabled', Value: String(isProtected) }],
      }),
    );
  }
}
