import { Environment } from '../../lib/environment/environment';
import { DatabasePerTenantStack } from '../../lib/tenancy/database-per-tenant-stack';
import { InstanceCellStack } from '../../lib/tenancy/instance-cell-stack';
import { InstancePerTenantStack } from '../../lib/tenancy/instance-per-tenant-stack';
import { SharedRlsStack } from '../../lib/tenancy/shared-rls-stack';
import { databaseExample, example, instanceExample, newFleet, userApp } from './environments';

type Build = (environment: Environment) => unknown;

const tenantId = 'tk4q9w';
const region = 'eu-central-1';

const BUILDS: [string, Build][] = [
  ['shared-rls', (environment) => new SharedRlsStack(userApp(), 'Demo', { environment })],
  ['database-per-tenant', (environment) => new DatabasePerTenantStack(userApp(), 'Demo', { environment })],
  ['instance-per-tenant', (environment) => newFleet(userApp(), environment)],
  ['instance-per-tenant', (environment) => new InstancePerTenantStack(userApp(), 'Demo', { environment, tenantId })],
  [
    'instance-per-tenant',
    (environment) => new InstanceCellStack(userApp(), 'Demo', { environment, region, tenantIds: [tenantId] }),
  ],
];

const ENVIRONMENTS: [Environment, string][] = [
  [example(), 'SharedRlsStack'],
  [databaseExample(), 'DatabasePerTenantStack'],
  [instanceExample(), 'InstanceFleet'],
];

const MIXED = BUILDS.flatMap(([model, build]) =>
  ENVIRONMENTS.filter(([environment]) => environment.model !== model).map(
    ([environment, stack]) => [model, environment.model as string, stack, () => build(environment)] as const,
  ),
);

test.each(MIXED)('a stack of %s refuses an environment of %s, and names %s', (model, other, stack, build) => {
  expect(build).toThrow(
    new RegExp(
      `the environment is of model ${other}; this stack is for ${model}\\. Use ${stack}, or change model\\..*\\[MODEL_OF_OTHER_STACK\\]`,
    ),
  );
});
