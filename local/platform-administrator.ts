import { randomBytes } from 'node:crypto';
import { Superset } from './superset';

/** Somebody who runs the platform: sees what all tenants have made in Superset, and no tenant's data. */
export interface PlatformAdministrator {
  readonly username: string;
  readonly password: string;
}

/** Makes a platform administrator with Superset's own command. */
export async function addPlatformAdministrator(superset: Superset): Promise<PlatformAdministrator> {
  const administrator = { username: 'platform', password: randomBytes(12).toString('base64url') };
  const person = { ...administrator, firstname: 'Platform', lastname: 'Administrator', email: 'platform@localhost' };
  const options = Object.entries(person).flatMap(([name, value]) => [`--${name}`, value]);
  await superset.run(['superset', 'fab', 'create-admin', ...options]);
  return administrator;
}
