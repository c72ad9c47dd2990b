/**
 * What the templates ask of the two functions that speak to the RDS API: the contract between constructs and handler.
 *
 * CloudFormation hands scalars of a custom resource over as strings.
 */

/** Type of the resource that waits for proxies. */
export const PROXY_READINESS = 'Custom::SupersetProxyReadiness';

/** Type of the resource that has snapshots made. */
export const SNAPSHOT_BEFORE_DESTROY = 'Custom::SupersetSnapshotBeforeDestroy';

/** Properties of {@link PROXY_READINESS}. */
export interface ProxyReadinessProperties {
  readonly Proxies: AwaitedProxy[];
}

/** A proxy; whatever changes here is waited for again. */
export interface AwaitedProxy {
  readonly Name: string;
  /** Changes when the proxy is made anew. */
  readonly Arn: string;
  /** Identifier of the RDS instance behind it. */
  readonly Instance: string;
  /** Stands for the list of its secrets. */
  readonly Logins: string;
}

/** Properties of {@link SNAPSHOT_BEFORE_DESTROY}. */
export interface SnapshotProperties {
  /** What it acts on: an update comes before the tenants' stacks change, a deletion before they go. */
  readonly On: 'Update' | 'Delete';
  /** `true` where all data goes with the stack: then no snapshot is made. */
  readonly KeepsNothing: 'true' | 'false';
  /** What the names of its snapshots begin with; the function may make no others. */
  readonly NamePrefix: string;
  /** Path of the tenancy, for tags. */
  readonly Tenancy: string;
  /** Identifier of the RDS instance of each shard. */
  readonly Instances: { readonly [shard: string]: string };
  /** All tenants: one that is no longer here was removed, one whose policy changed was not. */
  readonly Tenants?: { readonly [id: string]: TenantData };
}

/** Where the database of a tenant is, and what becomes of it when the tenant is removed. */
export interface TenantData {
  readonly Shard: string;
  readonly RemovalPolicy: 'retain' | 'destroy';
}

/** How long a deployment waits for its proxies. A new one takes some minutes. */
export const PROXY_WAIT_MINUTES = 15;

/** How long a deployment waits for its snapshots; CloudFormation gives up after an hour. */
export const SNAPSHOT_WAIT_MINUTES = 50;
