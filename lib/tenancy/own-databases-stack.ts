import { NestedStack, RemovalPolicy } from 'aws-cdk-lib';
import * as kms from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import { ProxyAuthentication } from '../database/proxy-authentication';
import { tenantDatabaseName } from '../provisioning/desired-databases';
import { DatabaseTenant, OwnDatabases } from '../provisioning/own-databases';
import { Shard } from '../provisioning/shard';
import { ShardsProvisioner } from '../provisioning/shards-provisioner';
import { SupersetTenant } from '../superset/superset-service';
import { AdminLoginSecret } from '../tenant/admin-login-secret';
import { Tenant } from '../tenant/tenant';
import { TenantKey } from '../tenant/tenant-key';
import { TenantLoaderSecret } from '../tenant/tenant-loader-secret';
import { TenantSecret } from '../tenant/tenant-secret';
import { ConfigurationError } from '../validation/configuration-error';
import { OUTPUTS_PER_STACK, RESOURCES_PER_STACK, exceeds } from '../validation/quotas';

/** A tenant, and where its database is. */
export interface PlacedTenant {
  readonly tenant: Tenant;
  readonly shard: Shard;
  /** Its own key, where that is made outside of this stack. @default - made here, if the tenant has one */
  readonly key?: kms.IKey;
}

/** Props of {@link OwnDatabasesStack}. */
export interface OwnDatabasesStackProps {
  readonly tenants: PlacedTenant[];
  readonly provisioner: ShardsProvisioner;
  readonly schema?: string;
  readonly extensions?: string[];
  readonly encryptionKey: kms.IKey;
  readonly authentication: ProxyAuthentication;
  /** What happens to the keys. @default - they stay */
  readonly removalPolicy?: RemovalPolicy;
}

/** Some of the tenants: their secrets and keys, and together one custom resource that makes their databases. */
export class OwnDatabasesStack extends NestedStack {
  public readonly tenants: DatabaseTenant[];
  public readonly supersetTenants: SupersetTenant[];

  constructor(scope: Construct, id: string, props: OwnDatabasesStackProps) {
    super(scope, id, { description: 'Tenants: their logins and keys, and a database for each' });
    const bySecret = props.authentication === ProxyAuthentication.SECRETS;
    this.checkSize(props.tenants, bySecret);
    // Imported, so that the policy of the key does not gain a statement with each secret.
    const common = kms.Key.fromKeyArn(this, 'Key', props.encryptionKey.keyArn);
    const made = props.tenants.map((placed) => this.newTenant(placed, common, bySecret, props.removalPolicy));
    this.tenants = made.map(({ database }) => database);
    this.supersetTenants = made.map(({ superset }) => superset);
    new OwnDatabases(this, 'Databases', {
      provisioner: props.provisioner,
      batch: id.toLowerCase(),
      schema: props.schema,
      extensions: props.extensions,
      tenants: this.tenants,
    });
  }

  private newTenant(
    { tenant, shard, key }: PlacedTenant,
    common: kms.IKey,
    bySecret: boolean,
    removalPolicy?: RemovalPolicy,
  ) {
    // No id of a tenant has a hyphen.
    const encryptionKey = tenant.ownKey
      ? (key ?? new TenantKey(this, `${tenant.id}-key`, { tenant, removalPolicy }).key)
      : common;
    const secretProps = { tenant, encryptionKey };
    const loginProps = {
      ...secretProps,
      host: shard.server.hostname,
      port: shard.server.port,
      database: tenantDatabaseName(tenant.id),
    };
    const database: DatabaseTenant = {
      tenant,
      shard: shard.name,
      secret: bySecret ? new TenantSecret(this, tenant.id, loginProps) : undefined,
      loaderSecret: tenant.loader ? new TenantLoaderSecret(this, `${tenant.id}-loader`, loginProps) : undefined,
    };
    const superset: SupersetTenant = {
      tenant,
      adminLogin: new AdminLoginSecret(this, `${tenant.id}-admin`, secretProps),
    };
    return { database, superset };
  }

  private checkSize(tenants: PlacedTenant[], bySecret: boolean): void {
    const resources = tenants.reduce((sum, { tenant }) => sum + resourcesOf(tenant, bySecret), 1);
    for (const [count, quota] of [
      [resources, RESOURCES_PER_STACK],
      // The proxies are told of each login that has a secret.
      [bySecret ? tenants.length : 0, OUTPUTS_PER_STACK],
    ] as const) {
      if (count > quota.limit) {
        throw new ConfigurationError(
          this,
          'TENANTS_STACK_FULL',
          `${tenants.length} tenants have their place here, which makes ${exceeds(count, quota)}. Put the next tenants into another environment.`,
        );
      }
    }
  }
}

/** A secret, one more where it logs in to the database by one, one more with a loader, and a key with its alias. */
function resourcesOf({ loader, ownKey }: Tenant, bySecret: boolean): number {
  return 1 + (bySecret ? 1 : 0) + (loader ? 1 : 0) + (ownKey ? 2 : 0);
}
