import { ArnFormat, CustomResource, Names, NestedStack, Stack, Validations } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { OTHER_STACK, claimName } from '../naming/name-claims';
import { AwaitedProvider } from '../provisioning/awaited-provider';
import { checkRequestSize } from '../provisioning/custom-resource-request';
import { Tenant, TenantRemovalPolicy } from '../tenant/tenant';
import { arnInRules } from '../validation/arn-in-rules';
import { SNAPSHOT_BEFORE_DESTROY, SnapshotProperties, TenantData } from './server-requests';
import { TenantDatabaseServer } from './tenant-database-server';

/** A server, and the tenants that have their databases on it. */
export interface ServerOfTenants {
  readonly shard: string;
  readonly server: TenantDatabaseServer;
  readonly tenants: Tenant[];
}

/** Props of {@link SnapshotsBeforeDestroy}. */
export interface SnapshotsBeforeDestroyProps {
  readonly servers: ServerOfTenants[];
  /** The stacks whose provisioner drops the databases. */
  readonly stacks: NestedStack[];
  /** Whether all data goes with the stack: then no snapshot is made. */
  readonly keepsNothing: boolean;
  /** What speaks to RDS. */
  readonly provider: AwaitedProvider;
}

/**
 * A snapshot of each server before databases are dropped that are on it, as the removal policy of their tenants says.
 *
 * One for all stacks of tenants: RDS makes one snapshot of a server at a time, and a stack that loses its last tenant is deleted,
 * so that nothing in it could come before.
 */
export class SnapshotsBeforeDestroy extends Construct {
  private readonly namePrefix: string;

  constructor(scope: Construct, id: string, props: SnapshotsBeforeDestroyProps) {
    super(scope, id);
    this.namePrefix = this.newNamePrefix(scope);
    claimName(this, 'prefix of snapshots', this.namePrefix, OTHER_STACK);
    this.letMakeSnapshots(props);
    const beforeUpdate = this.newResource('Update', scope.node.path, props);
    const beforeDelete = this.newResource('Delete', scope.node.path, props);
    for (const { nestedStackResource } of props.stacks) {
      nestedStackResource?.node.addDependency(beforeUpdate);
      // What depends on something goes before it.
      if (nestedStackResource) beforeDelete.node.addDependency(nestedStackResource);
    }
  }

  private newResource(on: 'Update' | 'Delete', tenancy: string, props: SnapshotsBeforeDestroyProps): CustomResource {
    const { provider } = props;
    const tenants = props.servers.flatMap((server) =>
      server.tenants.map((tenant): [string, TenantData] => [tenant.id, tenantData(server, tenant)]),
    );
    const properties: SnapshotProperties = {
      On: on,
      KeepsNothing: props.keepsNothing ? 'true' : 'false',
      NamePrefix: this.namePrefix,
      Tenancy: tenancy,
      Instances: Object.fromEntries(
        props.servers.map(({ shard, server }) => [shard, server.instance.instanceIdentifier]),
      ),
      Tenants: Object.fromEntries(tenants),
    };
    checkRequestSize(this, properties, tenants.length, props.servers.length);
    return new CustomResource(this, `Before${on}`, {
      resourceType: SNAPSHOT_BEFORE_DESTROY,
      serviceToken: provider.serviceToken,
      serviceTimeout: provider.serviceTimeout,
      properties: { ...properties },
    });
  }

  /** Of the environment, with room for shard, tenants and date within the 255 characters of a name. */
  private newNamePrefix(tenancy: Construct): string {
    return Names.uniqueResourceName(tenancy, { maxLength: 60, separator: '-' }).toLowerCase();
  }

  private letMakeSnapshots(props: SnapshotsBeforeDestroyProps): void {
    const { watch } = props.provider;
    const stack = Stack.of(this);
    const ours = `snapshot:${this.namePrefix}-*`;
    const oursOfOracle = `snapshot-tenant-database:${this.namePrefix}-*`;
    const [snapshots, snapshotsOfOracle] = [ours, oursOfOracle].map((resource) =>
      stack.formatArn({ service: 'rds', resource, arnFormat: ArnFormat.NO_RESOURCE_NAME }),
    );
    watch.addToRolePolicy(
      new iam.PolicyStatement({
        actions: ['rds:CreateDBSnapshot'],
        // Of the last kind PostgreSQL has none, but the action asks for it (Service Authorization Reference).
        resources: [...props.servers.map(({ server }) => server.instance.instanceArn), snapshots, snapshotsOfOracle],
      }),
    );
    watch.addToRolePolicy(
      new iam.PolicyStatement({
        actions: ['rds:AddTagsToResource', 'rds:DescribeDBSnapshots'],
        resources: [snapshots],
      }),
    );
    Validations.of(watch).acknowledge(
      ...[ours, oursOfOracle].map((resource) => ({
        id: `AwsSolutions-IAM5[Resource::${arnInRules(stack, 'rds', resource)}]`,
        reason:
          'The names of snapshots have the shard, the tenants and the date; they begin with the name of the tenancy.',
      })),
    );
  }
}

function tenantData({ shard }: ServerOfTenants, { removalPolicy }: Tenant): TenantData {
  return { Shard: shard, RemovalPolicy: removalPolicy ?? TenantRemovalPolicy.RETAIN };
}
