import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { checkOtherEnvironments } from '../../bin/stack-names';
import { Environment } from '../../lib/environment/environment';
import { Tenant } from '../../lib/tenant/tenant';
import { example, instanceExample, tenants } from '../tenancy/environments';

let directory: string;
beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'environments-'))));
afterEach(() => rmSync(directory, { recursive: true }));

function write(name: string, environment: Environment): Environment {
  writeFileSync(join(directory, `${name}.yaml`), stringify(environment));
  return environment;
}

const fleet = (...ids: string[]) => instanceExample({ tenants: ids.map((id) => tenant(id)) });
const tenant = (id: string): Tenant => ({ ...tenants(1)[0], id, adminEmail: `admin@${id.replace('_', '-')}.example` });

/** Of two environments, what is said of the first one beside the second, and the other way round. */
function refusals(name: string, environment: Environment, other: string, otherEnvironment: Environment): string[] {
  write(name, environment);
  write(other, otherEnvironment);
  const said = (mine: string, given: Environment) => {
    try {
      checkOtherEnvironments(directory, mine, given);
      return '';
    } catch (error) {
      return (error as Error).message.replace(`${directory}/`, '');
    }
  };
  return [said(name, environment), said(other, otherEnvironment)];
}

test('a tenant of a fleet and an environment of one stack name are refused on both sides, with both', () => {
  const names = 'have one stack name, Superset-prod-acme in eu-central-1, account 000000000000,';

  expect(refusals('prod', fleet('acme'), 'prod-acme', example())).toEqual([
    expect.stringContaining(`prod.yaml: tenant acme and the environment of prod-acme.yaml ${names}`),
    expect.stringContaining(`prod-acme.yaml: the environment and tenant acme of prod.yaml ${names}`),
  ]);
});

test('so are tenants of two fleets', () => {
  expect(refusals('prod', fleet('acme_west'), 'prod-acme', fleet('west'))).toEqual([
    expect.stringMatching(/^prod\.yaml: tenant acme_west and tenant west of prod-acme\.yaml/),
    expect.stringMatching(/^prod-acme\.yaml: tenant west and tenant acme_west of prod\.yaml/),
  ]);
});

test('a cell and an environment, too', () => {
  const place = { region: 'eu-central-1', cell: 2, priority: 1 };
  writeFileSync(join(directory, 'prod.places.json'), JSON.stringify({ places: { acme: place } }));

  expect(refusals('prod', fleet('acme'), 'prod-eu-central-1-cell2', example())[0]).toContain(
    'prod.yaml: cell 2 and the environment of prod-eu-central-1-cell2.yaml',
  );
});

test.each<[string, string, Environment]>([
  ['another name', 'prod-north', example()],
  ['another account', 'prod-acme', example({ account: '111111111111' })],
  ['a name that only begins alike', 'prodacme', example()],
])('environments are in order with %s', (_, other, environment) => {
  expect(refusals('prod', fleet('acme'), other, environment)).toEqual(['', '']);
});

test('beside one that is not valid, an environment is in order', () => {
  writeFileSync(join(directory, 'prod-acme.yaml'), 'model: none\n');

  expect(() => checkOtherEnvironments(directory, 'prod', fleet('acme'))).not.toThrow();
});
