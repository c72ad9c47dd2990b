import { randomBytes } from 'node:crypto';
import { Superset } from './superset';
import { ExampleTenant } from './example-environment';

/** A user of a tenant. */
export interface DemoUser {
  readonly tenant: string;
  readonly role: 'analyst' | 'viewer';
  readonly username: string;
  readonly email: string;
  readonly password: string;
}

/** Gives each tenant an analyst and a viewer, as an operator does. */
export async function addDemoUsers(superset: Superset, tenants: ExampleTenant[]): Promise<DemoUser[]> {
  const users = tenants.flatMap(({ id }) => [demoUser(id, 'analyst'), demoUser(id, 'viewer')]);
  const lines = users.map((user) => `${JSON.stringify(user)}\n`).join('');
  await superset.run(['superset', 'tenancy', 'add-users'], lines);
  return users;
}

function demoUser(tenant: string, role: DemoUser['role']): DemoUser {
  const username = `${role}@${tenant}.example`;
  return { tenant, role, username, email: username, password: randomBytes(12).toString('base64url') };
}
