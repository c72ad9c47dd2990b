import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { App, Stack, Validations } from 'aws-cdk-lib';
import { Environment, TenancyModel } from '../../lib/environment/environment';
import { DatabasePerTenantStack } from '../../lib/tenancy/database-per-tenant-stack';
import { InstanceFleet } from '../../lib/tenancy/instance-fleet';
import { SharedRlsStack } from '../../lib/tenancy/shared-rls-stack';
import { REPOSITORY } from '../../local/directories';

/** The feature flags of the app that users deploy, and what the CLI sets to find the templates of nested stacks. */
const CONTEXT = {
  ...(JSON.parse(readFileSync(join(REPOSITORY, 'cdk.json'), 'utf8')) as { context: Record<string, unknown> }).context,
  'aws:cdk:enable-path-metadata': true,
  'aws:cdk:enable-asset-metadata': true,
};

/** Name of the stack. */
export const STACK = 'Tenancy';

/** Changes a stack, to put a fault back. */
export type Change = (stack: Stack) => void;

/** Synthesises the stack of an environment into a directory. */
export function synthesiseStack(environment: Environment, outdir: string, change?: Change): void {
  const app = new App({ outdir, context: CONTEXT });
  const Model = environment.model === TenancyModel.SHARED_RLS ? SharedRlsStack : DatabasePerTenantStack;
  const stack = new Model(app, STACK, { environment });
  Validations.of(stack).acknowledge({
    id: 'Annotation::superset-tenancy:fit-tenants',
    reason: 'A hundred tenants are deployed to show that they can be, not that they should.',
  });
  change?.(stack);
  app.synth();
}

/** Synthesises the stacks of an environment with a Superset for each tenant into a directory. */
export function synthesiseFleet(environment: Environment, id: string, outdir: string, change?: Change): void {
  const app = new App({ outdir, context: CONTEXT });
  const placementFile = join(dirname(outdir), `${id}.places.json`);
  const { cells, instances } = new InstanceFleet(app, id, { environment, placementFile });
  if (change) [...cells, ...instances].forEach(change);
  app.synth();
}
