import { createHash } from 'node:crypto';
import {
  CloudFormationClient,
  DescribeStacksCommand,
  GetTemplateCommand,
  paginateListStackResources,
} from '@aws-sdk/client-cloudformation';
import { CloudWatchClient, DescribeAlarmsCommand } from '@aws-sdk/client-cloudwatch';
import {
  CreateDBSnapshotCommand,
  DescribeDBSnapshotsCommand,
  RDSClient,
  waitUntilDBSnapshotAvailable,
} from '@aws-sdk/client-rds';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { FleetStack, Template } from './fleet-stacks';

/** A stack as it is deployed. */
export interface Deployed {
  readonly status: string;
  readonly template: Template;
  /** When it was made or last changed. */
  readonly changedAt?: Date;
  /** Version of Superset, if the stack is a tenant's. */
  readonly version?: string;
  /** Names of its alarms that ring. */
  readonly ringing: string[];
  /** When the task that migrates Superset ran last, and how that ended. */
  readonly migration?: { readonly at: Date; readonly status: string };
}

const SERVER = 'AWS::RDS::DBInstance';
const MIGRATION = 'Custom::SupersetMigration';

/** Asks the account of the credentials at hand what is deployed, in each region. */
export class Deployments {
  /** What is deployed of a stack; nothing if it never was. */
  public async of({ name, region }: FleetStack): Promise<Deployed | undefined> {
    const cloudFormation = new CloudFormationClient({ region });
    const described = await cloudFormation.send(new DescribeStacksCommand({ StackName: name })).catch(notThere);
    const [stack] = described?.Stacks ?? [];
    if (!stack || stack.StackStatus === 'REVIEW_IN_PROGRESS' || stack.StackStatus === 'DELETE_COMPLETE')
      return undefined;
    const { TemplateBody = '{"Resources":{}}' } = await cloudFormation.send(
      new GetTemplateCommand({ StackName: name, TemplateStage: 'Original' }),
    );
    const resources = await this.resources(name, region);
    const migration = resources.find(({ type }) => type === MIGRATION);
    return {
      status: stack.StackStatus ?? 'UNKNOWN',
      template: JSON.parse(TemplateBody) as Template,
      changedAt: stack.LastUpdatedTime ?? stack.CreationTime,
      version: stack.Outputs?.find(({ OutputKey }) => OutputKey === 'SupersetVersion')?.OutputValue,
      ringing: await ringing(region, resources),
      migration: migration?.at && { at: migration.at, status: migration.status },
    };
  }

  /** Names of the alarms of a stack that ring. */
  public async ringing({ name, region }: FleetStack): Promise<string[]> {
    return ringing(region, await this.resources(name, region));
  }

  /** Has a snapshot made of each server of a stack, and waits for it; answers their names. */
  public async snapshotServers({ name, region }: FleetStack, label: string): Promise<string[]> {
    const client = new RDSClient({ region });
    const servers = (await this.resources(name, region)).filter(({ type }) => type === SERVER);
    return Promise.all(
      servers.map(async ({ id }) => {
        const snapshot = `${id.slice(0, 200)}-${label}`;
        const known = await client
          .send(new DescribeDBSnapshotsCommand({ DBSnapshotIdentifier: snapshot }))
          .catch(() => undefined);
        if (!known?.DBSnapshots?.length) {
          await client.send(new CreateDBSnapshotCommand({ DBInstanceIdentifier: id, DBSnapshotIdentifier: snapshot }));
        }
        await waitUntilDBSnapshotAvailable({ client, maxWaitTime: 3600 }, { DBSnapshotIdentifier: snapshot });
        return snapshot;
      }),
    );
  }

  /** The first login of the administrator of an instance, from the secret that its stack names. */
  public async adminLogin({
    name,
    region,
  }: Pick<FleetStack, 'name' | 'region'>): Promise<{ username: string; password: string }> {
    const cloudFormation = new CloudFormationClient({ region });
    const { Stacks = [] } = await cloudFormation.send(new DescribeStacksCommand({ StackName: name }));
    const SecretId = Stacks[0]?.Outputs?.find(({ OutputKey }) => OutputKey === 'AdminLoginSecretName')?.OutputValue;
    const client = new SecretsManagerClient({ region });
    const { SecretString = '{}' } = await client.send(new GetSecretValueCommand({ SecretId }));
    return JSON.parse(SecretString) as { username: string; password: string };
  }

  private async resources(stack: string, region: string) {
    const client = new CloudFormationClient({ region });
    const found: { type: string; id: string; status: string; at?: Date }[] = [];
    for await (const page of paginateListStackResources({ client }, { StackName: stack })) {
      for (const each of page.StackResourceSummaries ?? []) {
        found.push({
          type: each.ResourceType ?? '',
          id: each.PhysicalResourceId ?? '',
          status: each.ResourceStatus ?? '',
          at: each.LastUpdatedTimestamp,
        });
      }
    }
    return found;
  }
}

/** Names of the alarms among some resources that ring. */
async function ringing(region: string, resources: { readonly type: string; readonly id: string }[]): Promise<string[]> {
  const names = resources.filter(({ type }) => type === 'AWS::CloudWatch::Alarm').map(({ id }) => id);
  const client = new CloudWatchClient({ region });
  const found: string[] = [];
  // So many names one request takes (CloudWatch API Reference, "DescribeAlarms").
  for (let start = 0; start < names.length; start += 100) {
    const AlarmNames = names.slice(start, start + 100);
    const { MetricAlarms = [] } = await client.send(new DescribeAlarmsCommand({ AlarmNames, StateValue: 'ALARM' }));
    found.push(...MetricAlarms.map(({ AlarmName }) => AlarmName ?? ''));
  }
  return found;
}

function notThere(error: Error): undefined {
  if (/does not exist/.test(error.message)) return undefined;
  throw error;
}

/** Short hash of what a template says, whatever the order of its keys. */
export function configurationHash(template: Template): string {
  return createHash('sha256')
    .update(JSON.stringify(sorted(template)))
    .digest('hex')
    .slice(0, 8);
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]));
}
