import { join } from 'node:path';
import { Toolkit } from '@aws-cdk/toolkit-lib';
import { Environment, InstancePreset, TenancyModel } from '../../lib/environment/environment';
import { Deployments, configurationHash } from '../../bin/fleet/deployed';
import { Template, readFleet } from '../../bin/fleet/fleet-stacks';
import { planRollout, planRows } from '../../bin/fleet/plan';
import { QuietIo } from '../../bin/fleet/quiet-io';
import { rollOut } from '../../bin/fleet/rollout';
import { fleetStatus } from '../../bin/fleet/status';
import { EnvironmentUnderTest, environmentWith, tenant } from './environment-under-test';
import { synthesiseFleet } from './stack-under-test';

// Three tenants in two rings on the emulator. No Superset runs: what its probe would find is said here.

jest.setTimeout(400_000);

const [one, two, three] = ['t1one', 't2two', 't3three'];
const faults = new Map<string, string>();
const said: string[] = [];

let aws: EnvironmentUnderTest;
let deployments: Deployments;
let toolkit: Toolkit;
let assemblies = 0;

function environment(connectionsPerProcess: number): Environment {
  const ring = (name: string) => ({ instance: { ring: name } });
  const base = environmentWith([
    tenant(one, 1, ring('early')),
    tenant(two, 2, ring('early')),
    tenant(three, 3, ring('all')),
  ]);
  return {
    ...base,
    model: TenancyModel.INSTANCE_PER_TENANT,
    instances: { preset: InstancePreset.ECONOMY, rings: ['early', 'all'] },
    superset: { ...base.superset, connectionsPerProcess },
  };
}

function synthesise(connectionsPerProcess: number): string {
  const assembly = join(aws.cloud.directory, `fleet-${++assemblies}`);
  synthesiseFleet(environment(connectionsPerProcess), 'Fleet', assembly);
  return assembly;
}

function rollout(assembly: string): Promise<void> {
  said.length = 0;
  return rollOut({
    ...{ assembly, toolkit, deployments, bakeMinutes: 0 },
    probe: async ({ tenant: id }: { tenant: string }) => ({ fault: faults.get(id) }),
    say: (line) => said.push(line),
  });
}

/** Which of some assemblies each tenant's stack was deployed from, by the template that CloudFormation has. */
async function deployedFrom(assembliesByName: Record<string, string>): Promise<Record<string, string>> {
  const hashes = new Map<string, string>();
  for (const [name, assembly] of Object.entries(assembliesByName)) {
    for (const { name: stack, template } of readFleet(assembly).instances) {
      hashes.set(`${stack} ${configurationHash(template as Template)}`, name);
    }
  }
  const { instances } = readFleet(Object.values(assembliesByName)[0]);
  const entries = instances.map(async (stack) => {
    const { template } = (await deployments.of(stack))!;
    return [stack.tenant, hashes.get(`${stack.name} ${configurationHash(template)}`) ?? 'neither'] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

let a: string;
let b: string;

beforeAll(async () => {
  aws = await EnvironmentUnderTest.start();
  Object.assign(process.env, aws.cloud.emulator.environment);
  deployments = new Deployments();
  toolkit = new Toolkit({ ioHost: new QuietIo() });
  a = synthesise(5);
  b = synthesise(4);
  aws.useServersOf(a);
});

afterAll(() => aws?.stop());

test('a new fleet is deployed: its cell, then ring after ring', async () => {
  await rollout(a);

  expect(await deployedFrom({ a, b })).toEqual({ [one]: 'a', [two]: 'a', [three]: 'a' });
  expect(said.filter((line) => line.endsWith(': done'))).toEqual(['cells: done', 'ring early: done', 'ring all: done']);
});

test('the plan of another configuration says what would change, where, and in which order', async () => {
  const rows = planRows(await planRollout(readFleet(b), deployments));

  expect(rows).toEqual([
    ['cells', 'Fleet-eu-central-1-cell1', 'eu-central-1', '', 'same'],
    ['ring early', one, 'eu-central-1', '6.1.0', expect.stringMatching(/^\d changed$/)],
    ['ring early', two, 'eu-central-1', '6.1.0', expect.stringMatching(/^\d changed$/)],
    ['ring all', three, 'eu-central-1', '6.1.0', expect.stringMatching(/^\d changed$/)],
  ]);
  expect(await deployedFrom({ a, b })).toEqual({ [one]: 'a', [two]: 'a', [three]: 'a' });
});

test('a ring in which one instance fails goes back as a whole, and the next one is not begun', async () => {
  faults.set(two, '/health answers 503');

  await expect(rollout(b)).rejects.toThrow(/^ring early has what it had before; later rings were not touched\./);

  expect(await deployedFrom({ a, b })).toEqual({ [one]: 'a', [two]: 'a', [three]: 'a' });
  expect(said).toContain(`ring early: stopped. ${two}: /health answers 503.`);
  expect(said.filter((line) => line.startsWith('ring early: deploying'))).toHaveLength(1);
  expect(said.filter((line) => line.startsWith('ring early, back: deploying'))).toHaveLength(1);
  expect(said.some((line) => line.startsWith('snapshot '))).toBe(true);
  expect(said.some((line) => line.startsWith('ring all'))).toBe(false);
});

test('the status tells which instance serves, and what differs from the fleet', async () => {
  const probe = async ({ tenant: id }: { tenant: string }) => ({ fault: faults.get(id) });

  const [first, second, third] = await fleetStatus(readFleet(b), deployments, probe);

  expect(first).toMatchObject({ tenant: one, ring: 'early', version: '6.1.0', health: 'serves' });
  expect(second).toMatchObject({ tenant: two, health: '/health answers 503' });
  expect(third.difference).toMatch(/^\d changed$/);
  expect(third.configuration).not.toBe(third.wanted);
  expect(third.migrated).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\dZ \w+_COMPLETE$/);
});

test('the same command goes on once it is mended, and a second time finds nothing to do', async () => {
  faults.clear();

  await rollout(b);
  expect(await deployedFrom({ a, b })).toEqual({ [one]: 'b', [two]: 'b', [three]: 'b' });

  await rollout(b);
  expect(said).toEqual(['cells: has it already', 'ring early: has it already', 'ring all: has it already']);
});

test('a ring that has it already but does not serve stops the rollout before the next one', async () => {
  faults.set(one, '/login/ answers 500');

  await expect(rollout(b)).rejects.toThrow(`${one}: /login/ answers 500.`);

  expect(said).toEqual(['cells: has it already', 'ring early: has it already']);
  faults.clear();
});
