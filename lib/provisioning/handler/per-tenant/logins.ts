import { DesiredDatabase } from '../../desired-databases';
import { asProvisioningError } from '../provisioning-error';
import { Login, readLogins } from '../secrets';

/** What a tenant's secrets say. */
export interface TenantLogins {
  /** @default - it logs in with a token of IAM */
  readonly reader?: Login;
  readonly loader?: Login;
  readonly metadata?: Login;
}

/** Starts to read the secrets of all tenants; each is waited for where it is needed. */
export function readTenantLogins(tenants: DesiredDatabase[]): (id: string) => Promise<TenantLogins> {
  const secrets = tenants.flatMap(({ secret, loaderSecret, metadataSecret }) =>
    [secret, loaderSecret, metadataSecret].flatMap((name) => name ?? []),
  );
  const logins = readLogins(secrets);
  const byId = new Map(tenants.map((tenant) => [tenant.id, tenant]));
  return async (id) => {
    const { secret, loaderSecret, metadataSecret } = byId.get(id) as DesiredDatabase;
    try {
      return {
        reader: secret ? await logins.get(secret) : undefined,
        loader: loaderSecret ? await logins.get(loaderSecret) : undefined,
        metadata: metadataSecret ? await logins.get(metadataSecret) : undefined,
      };
    } catch (error) {
      throw asProvisioningError(error, 'secret', id);
    }
  };
}
