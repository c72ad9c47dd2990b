import { createHash } from 'node:crypto';
import {
  CreateDBSnapshotCommand,
  DBInstanceNotFoundFault,
  DBSnapshot,
  DBSnapshotAlreadyExistsFault,
  DBSnapshotNotFoundFault,
  DescribeDBSnapshotsCommand,
  InvalidDBInstanceStateFault,
  RDSClient,
} from '@aws-sdk/client-rds';
import { SNAPSHOT_WAIT_MINUTES, SnapshotProperties } from '../server-requests';
import { untilAllowed } from '../../provisioning/handler/until-allowed';
import { ResourceEvent, minutesFromNow } from './resource-event';

/** A snapshot that must be there before the databases of tenants are dropped. */
interface Wanted {
  readonly Shard: string;
  readonly Instance: string;
  readonly Tenants: string[];
  readonly Name: string;
}

/** What {@link onSnapshotsEvent} answered. */
interface Plan {
  readonly RequestType: ResourceEvent<unknown>['RequestType'];
  readonly Tenancy: string;
  readonly Snapshots: Wanted[];
  /** When the wait ends, in milliseconds. */
  readonly Until: number;
}

const rds = untilAllowed(new RDSClient({ maxAttempts: 6 }));

/** Says which snapshots the request needs, by names that a repeated request finds again. */
export async function onSnapshotsEvent(event: ResourceEvent<SnapshotProperties>) {
  const { NamePrefix, Tenancy, On } = event.ResourceProperties;
  const day = new Date().toISOString().slice(0, 10);
  const request = createHash('sha256').update(event.RequestId).digest('hex').slice(0, 8);
  const Snapshots = losses(event).map((loss) => ({
    ...loss,
    Name: snapshotName(NamePrefix, loss.Shard, loss.Tenants, day, request),
  }));
  return {
    PhysicalResourceId: event.PhysicalResourceId ?? `superset-tenancy/snapshots/${On}`,
    Tenancy,
    Snapshots,
    Until: minutesFromNow(SNAPSHOT_WAIT_MINUTES),
    // Hundreds of tenants twice over would be too much for the state machine that waits.
    ResourceProperties: {},
    OldResourceProperties: {},
  };
}

/** The tenants of each server whose databases are about to be dropped. Those of a shard that leaves go, or stay, with its server. */
function losses({ RequestType, ResourceProperties, OldResourceProperties }: ResourceEvent<SnapshotProperties>) {
  const { On, KeepsNothing, Instances, Tenants } = ResourceProperties;
  if (RequestType !== On || KeepsNothing === 'true') {
    return [];
  }
  const [before, after] = RequestType === 'Delete' ? [Tenants, undefined] : [OldResourceProperties?.Tenants, Tenants];
  const lost = Object.entries(before ?? {}).filter(
    ([id, { Shard, RemovalPolicy }]) => RemovalPolicy === 'destroy' && !(id in (after ?? {})) && Shard in Instances,
  );
  return [...new Set(lost.map(([, { Shard }]) => Shard))].sort().map((Shard) => ({
    Shard,
    Instance: Instances[Shard],
    Tenants: lost.filter(([, tenant]) => tenant.Shard === Shard).map(([id]) => id),
  }));
}

/** Letters, digits and single hyphens, at most 255 (RDS API Reference, "CreateDBSnapshot"). */
function snapshotName(prefix: string, shard: string, tenants: string[], day: string, request: string): string {
  const named = tenants.slice(0, NAMED_TENANTS);
  const others = tenants.length > named.length ? [`and-${tenants.length - named.length}-more`] : [];
  return [prefix, shard, ...named, ...others, day, request].join('-').replace(/[^A-Za-z0-9]+/g, '-');
}

/** Whether all snapshots are there; begins those that are not. Called every some seconds, and safe to be. */
export async function areSnapshotsAvailable(plan: Plan) {
  const waits = (await Promise.all(plan.Snapshots.map((wanted) => waitOf(wanted, plan)))).filter(
    (wait) => wait !== undefined,
  );
  if (waits.length > 0 && Date.now() > plan.Until) {
    throw new Error(
      `After ${SNAPSHOT_WAIT_MINUTES} minutes, nothing was dropped:\n${waits.join('\n')}\nDeploy again when that is over.`,
    );
  }
  return { IsComplete: waits.length === 0 };
}

/** What a snapshot still waits for. One that cannot be had fails the deployment, before anything is dropped. */
async function waitOf(wanted: Wanted, plan: Plan): Promise<string | undefined> {
  const about = `snapshot ${wanted.Name} of server ${wanted.Shard} (${wanted.Instance})`;
  try {
    const snapshot = await find(wanted.Name);
    if (snapshot?.Status === 'available') {
      return undefined;
    }
    if (snapshot && snapshot.Status !== 'creating') {
      throw new Error(`it is ${snapshot.Status}`);
    }
    return `${about}: ${snapshot ? `${snapshot.PercentProgress ?? 0} % done` : await begin(wanted, plan)}`;
  } catch (error) {
    if (error instanceof DBInstanceNotFoundFault && plan.RequestType === 'Delete') {
      console.log(
        JSON.stringify({ step: 'snapshots', what: `server ${wanted.Shard} is gone, and the databases with it` }),
      );
      return undefined;
    }
    throw new Error(
      `${about} cannot be made, so that nothing was dropped: ${(error as Error).message}. Mend that and deploy again; or deploy the tenants ${wanted.Tenants.join(', ')} with removalPolicy: retain first.`,
    );
  }
}

async function find(name: string): Promise<DBSnapshot | undefined> {
  try {
    const { DBSnapshots } = await rds.send(new DescribeDBSnapshotsCommand({ DBSnapshotIdentifier: name }));
    return DBSnapshots?.[0];
  } catch (error) {
    if (!(error instanceof DBSnapshotNotFoundFault)) throw error;
    return undefined;
  }
}

/** RDS makes a snapshot of an instance that is available; one that is being backed up, or changed, is waited for. */
async function begin({ Name, Instance, Shard, Tenants }: Wanted, { Tenancy }: Plan): Promise<string> {
  try {
    await rds.send(
      new CreateDBSnapshotCommand({
        DBSnapshotIdentifier: Name,
        DBInstanceIdentifier: Instance,
        Tags: Object.entries({
          'superset-tenancy:tenancy': Tenancy,
          'superset-tenancy:shard': Shard,
          'superset-tenancy:destroyed-tenants': Tenants.join(' '),
        }).map(([Key, Value]) => ({ Key, Value: Value.slice(0, MOST_OF_A_TAG) })),
      }),
    );
    console.log(JSON.stringify({ step: 'snapshots', what: `snapshot ${Name} begun`, server: Shard, tenants: Tenants }));
    return 'begun';
  } catch (error) {
    if (error instanceof DBSnapshotAlreadyExistsFault) return 'begun';
    if (error instanceof InvalidDBInstanceStateFault) return error.message;
    throw error;
  }
}

/** The tag and the log have all. */
const NAMED_TENANTS = 3;

/** RDS User Guide, "Tagging Amazon RDS resources". */
const MOST_OF_A_TAG = 256;
