import { NestedStack } from 'aws-cdk-lib';
import * as kms from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import { TenantColumn, TenantTable } from '../database/tenant-table';
import { DatabaseProvisioner } from '../provisioning/database-provisioner';
import { TenantDatabases } from '../provisioning/tenant-databases';
import { SupersetTenant } from '../superset/superset-service';
import { AdminLoginSecret } from '../tenant/admin-login-secret';
import { Tenant } from '../tenant/tenant';
import { TenantSecret } from '../tenant/tenant-secret';
import { ConfigurationError } from '../validation/configuration-error';
import { RESOURCES_PER_STACK, exceeds } from '../validation/quotas';

/** Props of {@link TenantsStack}. */
export interface TenantsStackProps {
  readonly tenants: Tenant[];
  readonly provisioner: DatabaseProvisioner;
  readonly schema?: string;
  readonly tenantColumn: TenantColumn;
  readonly tables: TenantTable[];
  readonly encryptionKey: kms.IKey;
}

/** Some of the tenants: two secrets each, and together one custom resource that makes them in PostgreSQL. */
export class TenantsStack extends NestedStack {
  public readonly secrets: TenantSecret[];
  public readonly supersetTenants: SupersetTenant[];

  constructor(scope: Construct, id: string, props: TenantsStackProps) {
    super(scope, id, { description: 'Tenants: their logins, and what is theirs in PostgreSQL' });
    this.checkSize(props.tenants.length);
    const { database } = props.provisioner;
    // Imported, so that the policy of the key does not gain a statement with each secret.
    const encryptionKey = kms.Key.fromKeyArn(this, 'Key', props.encryptionKey.keyArn);
    const logins = props.tenants.map((tenant) => ({
      tenant,
      secret: new TenantSecret(this, tenant.id, {
        tenant,
        host: database.hostname,
        port: database.port,
        database: database.databaseName,
        encryptionKey,
      }),
    }));
    this.secrets = logins.map(({ secret }) => secret);
    // No id of a tenant has a hyphen.
    this.supersetTenants = props.tenants.map((tenant) => ({
      tenant,
      adminLogin: new AdminLoginSecret(this, `${tenant.id}-admin`, {
        tenant,
        encryptionKey,
      }),
    }));
    new TenantDatabases(this, 'Database', {
      provisioner: props.provisioner,
      batch: id.toLowerCase(),
      schema: props.schema,
      tenantColumn: props.tenantColumn,
      tables: props.tables,
      tenants: logins,
    });
  }

  private checkSize(tenants: number): void {
    const resources = tenants * RESOURCES_PER_TENANT + 1;
    if (resources > RESOURCES_PER_STACK.limit) {
      throw new ConfigurationError(
        this,
        'TENANTS_STACK_FULL',
        `${tenants} tenants have their place here, which makes ${exceeds(resources, RESOURCES_PER_STACK)}. Put the next tenants into another environment.`,
      );
    }
  }
}

/** Its two secrets. */
const RESOURCES_PER_TENANT = 2;
