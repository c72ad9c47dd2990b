import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { Environment } from '../../lib/environment/environment';
import { EnvironmentFile } from '../../lib/environment/environment-file';
import { InstanceFleet } from '../../lib/tenancy/instance-fleet';
import { Tenant } from '../../lib/tenant/tenant';

const ROOT = join(__dirname, '..', '..');

/** The environment that the README deploys. */
export function example(overrides: Partial<Environment> = {}): Environment {
  return { ...EnvironmentFile.load(fileOf('shared-rls')), ...overrides };
}

/** The example of the model with a database for each tenant. */
export function databaseExample(overrides: Partial<Environment> = {}): Environment {
  return { ...EnvironmentFile.load(fileOf('database-per-tenant')), ...overrides };
}

/** The example of the model with a Superset for each tenant. */
export function instanceExample(overrides: Partial<Environment> = {}): Environment {
  return { ...EnvironmentFile.load(fileOf('instance-per-tenant')), ...overrides };
}

function fileOf(directory: string): string {
  return join(ROOT, 'examples', directory, 'environments', 'demo.yaml');
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

/** An app with the feature flags that users deploy with. */
export function userApp(outdir?: string): App {
  const { context } = JSON.parse(readFileSync(join(ROOT, 'cdk.json'), 'utf8')) as { context: Record<string, unknown> };
  return new App({ context, outdir });
}

/** A fleet that nothing is known of yet. */
export function newFleet(app: App, environment: Environment, id = 'Demo'): InstanceFleet {
  const directory = mkdtempSync(join(tmpdir(), 'places-'));
  try {
    return new InstanceFleet(app, id, { environment, placementFile: join(directory, 'places.json') });
  } finally {
    rmSync(directory, { recursive: true });
  }
}
