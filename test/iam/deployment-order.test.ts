import { policiesTooLate, rolesInUse } from './deployment-order';
import { RawTemplates } from './deployed';
import { MODELS, deployment } from './models';

// A policy that is made too late is a deployment that fails now and then. That IAM knows of it some time later still is what the
// handlers wait for (until-allowed.ts).

/** Rights of a role that what runs earlier in it does not use: snapshots ask for no proxy, and proxies come after the databases. */
const NOT_ITS_OWN = /^Demo\/TenancySnapshotsBefore(Update|Delete)\w+: Demo\/TenancyProxyReadinessPolicy\w+$/;

const tooLate = (templates: RawTemplates) =>
  policiesTooLate(deployment(templates)).filter((found) => !NOT_ITS_OWN.test(found));

test.each(Object.entries(MODELS))('in %s, whatever runs has its rights before', (_, synthesise) => {
  const templates = synthesise();

  for (const role of ['ProvisionerHandler', 'SupersetTaskRole', 'SupersetMigrationRole', 'SupersetExecutionRole']) {
    expect(rolesInUse(deployment(templates))).toContainEqual(expect.stringContaining(role));
  }
  expect(tooLate(templates)).toEqual([]);
});

let sound: RawTemplates;
beforeAll(() => (sound = MODELS['database-per-tenant']()));

/** Takes dependencies of resources away. */
function forget(templates: RawTemplates, dependency: RegExp): void {
  let forgotten = 0;
  for (const { Resources } of Object.values(templates)) {
    for (const [id, resource] of Object.entries(Resources)) {
      const all = [resource.DependsOn ?? []].flat();
      const kept = all.filter((name) => !dependency.test(name));
      forgotten += all.length - kept.length;
      Resources[id] = { ...resource, DependsOn: kept };
    }
  }
  expect(forgotten).toBeGreaterThan(0);
}

test.each([
  ['the provisioner', /ProvisionerHandlerServiceRoleDefaultPolicy/],
  ['the function that calls it', /ProvisionerProviderframeworkonEventServiceRoleDefaultPolicy/],
  ['the migration', /SupersetMigrationRoleDefaultPolicy/],
  ['what starts the migration', /SupersetMigrationOnEventServiceRoleDefaultPolicy/],
  ['what waits for it', /SupersetMigrationIsCompleteServiceRoleDefaultPolicy/],
  ["the migration's state machine", /MigrationProviderwaiterstatemachineRoleDefaultPolicy/],
  ['the tasks', /ServicePolicy/],
  ['ECS', /SupersetExecutionRoleDefaultPolicy/],
  ['a proxy', /ProxyaRoleDefaultPolicy/],
  ['what waits for the proxies', /ProxyReadinessPolicy/],
  ['what makes snapshots', /RdsRequestsIsCompleteServiceRoleDefaultPolicy/],
])('%s without a dependency on its rights is found', (_, dependency) => {
  const templates = structuredClone(sound);
  forget(templates, dependency);

  expect(tooLate(templates)).toContainEqual(expect.stringMatching(dependency));
});
