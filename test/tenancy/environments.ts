import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { Environment } from '../../lib/environment/environment';
import { EnvironmentFile } from '../../lib/environment/environment-file';
import { SharedRlsStack } from '../../lib/tenancy/shared-rls-stack';
import { Tenant } from '../../lib/tenant/tenant';

/** The environment that the README deploys. */
export function example(overrides: Partial<Environment> = {}): Environment {
  const file = join(__dirname, '..', '..', 'examples', 'shared-rls', 'environments', 'demo.yaml');
  return { ...EnvironmentFile.load(file), ...overrides };
}

/** Tenants that differ in all that must differ. */
export function tenants(count: number, overrides: Partial<Tenant> = {}): Tenant[] {
  return Array.from({ length: count }, (_, index) => ({
    id: `t${String(index).padStart(5, '0')}`,
    value: `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`,
    displayName: `Tenant ${index}`,
    adminEmail: `admin@${index}.example.com`,
    ...overrides,
  }));
}

/** The stack of an environment, in an app of its own. */
export function stackOf(environment: Environment): SharedRlsStack {
  return new SharedRlsStack(new App(), 'Demo', { environment });
}
