import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, Server, createServer } from 'node:https';
import { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { Toolkit } from '@aws-cdk/toolkit-lib';
import { generate } from 'selfsigned';
import { Deployed, Deployments } from '../../bin/fleet/deployed';
import { FleetStack, readFleet } from '../../bin/fleet/fleet-stacks';
import { synthetic } from '../../bin/fleet/probe';
import { rollOut } from '../../bin/fleet/rollout';
import { InstancePreset } from '../../lib/environment/environment';
import { InstanceSharing } from '../../lib/tenant/tenant-instance';
import { instanceExample, newFleet, tenants, userApp } from '../tenancy/environments';

// Three tenants in two rings, on a CloudFormation and a clock of this test. The probe is the real one, before a server that answers as
// Superset does.

const MINUTE = 60_000;
const BAKE = 4;
const START = Date.UTC(2026, 10, 27);
const CELL = 'Fleet-eu-central-1-cell1';
const [one, two, three] = tenants(3).map(({ id }) => id);

let now: number;
jest.mock('node:timers/promises', () => ({
  setTimeout: (milliseconds: number) => {
    now += milliseconds;
    return Promise.resolve();
  },
}));

let directory: string;
let a: string;
let b: string;
/** As `b`, with another cell. */
let c: string;
let superset: Server;
let agent: Agent;

/** What happened, in order, with the minute. */
let events: string[];
let deployed: Map<string, Deployed>;
/** Alarms that ring from a minute on, by stack. */
let alarms: Map<string, number>;
/** Tenants whose `/health` fails from a minute on. */
let ill: Map<string, number>;

const minute = () => (now - START) / MINUTE;

class FakeDeployments extends Deployments {
  public of({ name }: FleetStack): Promise<Deployed | undefined> {
    return Promise.resolve(deployed.get(name));
  }

  public ringing({ name }: FleetStack): Promise<string[]> {
    return Promise.resolve(minute() >= (alarms.get(name) ?? Infinity) ? [`${name}-web-down`] : []);
  }

  public async snapshotServers({ name }: FleetStack): Promise<string[]> {
    await new Promise(setImmediate);
    events.push(`asked for a snapshot of ${name}`);
    return [name.toLowerCase()];
  }

  public adminLogin(): Promise<{ username: string; password: string }> {
    return Promise.resolve({ username: 'admin', password: 'secret' });
  }
}

function deploy(assembly: string, ids?: string[]): void {
  const { cells, instances } = readFleet(assembly);
  for (const stack of [...cells, ...instances].filter(({ id }) => ids?.includes(id) ?? true)) {
    const version = 'tenant' in stack ? '6.1.0' : undefined;
    const { template } = stack;
    deployed.set(stack.name, { status: 'UPDATE_COMPLETE', template, version, changedAt: new Date(now), ringing: [] });
  }
}

const toolkit = {
  fromAssemblyDirectory: (assembly: string) => Promise.resolve(assembly),
  deploy: (assembly: string, { stacks }: { stacks: { patterns: string[] } }) => {
    deploy(assembly, stacks.patterns);
    events.push(`deployed ${stacks.patterns.join(', ').replaceAll('Fleet/', '')} in minute ${minute()}`);
    return Promise.resolve();
  },
} as unknown as Toolkit;

function rollout(assembly: string): Promise<void> {
  const deployments = new FakeDeployments();
  return rollOut({
    ...{ assembly, toolkit, deployments, bakeMinutes: BAKE },
    probe: synthetic(deployments, agent),
    say: (line) => events.push(line),
  });
}

/** Which assembly each stack is of. */
function state(): Record<string, string> {
  return Object.fromEntries(
    readFleet(a).instances.map(({ name, tenant, template }) => [
      tenant,
      JSON.stringify(deployed.get(name)?.template) === JSON.stringify(template) ? 'a' : 'b',
    ]),
  );
}

function synthesise(name: string, connectionsPerProcess: number, cellClass: string): string {
  const outdir = join(directory, name);
  const app = userApp(outdir);
  const given = tenants(3).map((tenant, index) => ({
    ...tenant,
    instance: { ring: index < 2 ? 'early' : 'all', database: index === 1 ? InstanceSharing.OWN : InstanceSharing.CELL },
  }));
  const environment = instanceExample({
    tenants: given,
    instances: {
      preset: InstancePreset.ECONOMY,
      rings: ['early', 'all'],
      cellDatabase: { instanceClass: cellClass },
    },
    superset: { version: '6.1.0', connectionsPerProcess },
  });
  newFleet(app, environment, 'Fleet');
  app.synth();
  return outdir;
}

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'rollout-'));
  jest.spyOn(console, 'error').mockImplementation();
  a = synthesise('a', 5, 'm7g.large');
  b = synthesise('b', 4, 'm7g.large');
  c = synthesise('c', 4, 'm7g.xlarge');
  const { private: key, cert } = await generate([{ name: 'commonName', value: 'superset.example.com' }]);
  superset = createServer({ key, cert }, (request, response) => {
    const tenant = (request.headers.host ?? '').split('.')[0];
    const isIll = request.url === '/health' && minute() >= (ill.get(tenant) ?? Infinity);
    response.writeHead(isIll ? 503 : 200, { 'set-cookie': 'session=1' });
    const answers: Record<string, string> = {
      '/login/': '<input name="csrf_token" value="x">',
      '/api/v1/database/': '{"ids": [1]}',
      '/api/v1/security/csrf_token/': '{"result": "y"}',
    };
    response.end(isIll ? '' : (answers[request.url ?? ''] ?? '{}'));
  }).listen(0, '127.0.0.1');
  await once(superset, 'listening');
  const { port } = superset.address() as AddressInfo;
  agent = new Agent({ maxCachedSessions: 0 });
  agent.createConnection = () => connect({ host: '127.0.0.1', port, rejectUnauthorized: false });
}, 120_000);

afterAll(() => {
  agent.destroy();
  superset.close();
  rmSync(directory, { recursive: true });
});

beforeEach(() => {
  jest.spyOn(Date, 'now').mockImplementation(() => now);
  events = [];
  deployed = new Map();
  alarms = new Map();
  ill = new Map();
  now = START - 24 * 60 * MINUTE;
  deploy(a);
  now = START;
});

test('each ring is watched for its time, and what holds its data has a snapshot before', async () => {
  await rollout(b);

  expect(events).toEqual([
    'cells: has it already',
    `asked for a snapshot of Fleet-${two}`,
    `snapshot fleet-${two} of Fleet-${two}`,
    `asked for a snapshot of ${CELL}`,
    `snapshot ${CELL.toLowerCase()} of ${CELL}`,
    `ring early: deploying Fleet-${one}, Fleet-${two}`,
    `deployed ${one}, ${two} in minute 0`,
    'ring early: watched for 4 min',
    'ring early: done',
    `asked for a snapshot of ${CELL}`,
    `snapshot ${CELL.toLowerCase()} of ${CELL}`,
    `ring all: deploying Fleet-${three}`,
    `deployed ${three} in minute 4`,
    'ring all: watched for 4 min',
    'ring all: done',
  ]);
  expect(state()).toEqual({ [one]: 'b', [two]: 'b', [three]: 'b' });
});

test.each<[string, () => void, string]>([
  ['an alarm rings', () => alarms.set(`Fleet-${two}`, 2), `${two}: alarm Fleet-${two}-web-down rings.`],
  ['an alarm rings at its end', () => alarms.set(`Fleet-${two}`, BAKE), `${two}: alarm Fleet-${two}-web-down rings.`],
  ['/health fails', () => ill.set(one, 1), `${one}: /health answers 503 .`],
])('a ring goes back when %s while it is watched, and the next one is not begun', async (_, fail, said) => {
  fail();

  await expect(rollout(b)).rejects.toThrow(/^ring early has what it had before; later rings were not touched\./);

  expect(state()).toEqual({ [one]: 'a', [two]: 'a', [three]: 'a' });
  expect(events).toContain(`ring early: stopped. ${said}`);
  expect(events.some((line) => line.startsWith('ring all'))).toBe(false);
});

test('an alarm that rings after the watch of its ring is over does not stop that ring', async () => {
  alarms.set(`Fleet-${two}`, BAKE + 1);

  await rollout(b);

  expect(state()).toEqual({ [one]: 'b', [two]: 'b', [three]: 'b' });
});

describe('a run that died while a ring was watched', () => {
  beforeEach(() => {
    deploy(b, [`Fleet/${one}`, `Fleet/${two}`]);
    now += MINUTE;
  });

  test('is gone on with: the ring is watched for the rest of its time', async () => {
    await rollout(b);

    expect(events).toContain('ring early: watched for 3 min');
    expect(events).toContain(`deployed ${three} in minute 4`);
  });

  test('stops before the next ring when an alarm rings in that rest', async () => {
    alarms.set(`Fleet-${one}`, 3);

    await expect(rollout(b)).rejects.toThrow(`${one}: alarm Fleet-${one}-web-down rings.`);

    expect(state()).toMatchObject({ [three]: 'a' });
  });
});

describe('a cell that changes', () => {
  const isOfCell = (assembly: string) =>
    JSON.stringify(deployed.get(CELL)?.template) === JSON.stringify(readFleet(assembly).cells[0].template);

  test('is watched, with the instances of its tenants, before the first ring is begun', async () => {
    await rollout(c);

    expect(events).toContain('cells: watched for 4 min');
    expect(events).toContain(`deployed ${one}, ${two} in minute 4`);
    expect(isOfCell(c)).toBe(true);
  });

  test.each<[string, () => void, string]>([
    ['one of its alarms rings', () => alarms.set(CELL, 1), `${CELL}: alarm ${CELL}-web-down rings.`],
    ['a tenant in it does not serve', () => ill.set(three, 1), `${three}: /health answers 503 .`],
  ])('goes back when %s, and no ring is begun', async (_, fail, said) => {
    fail();

    await expect(rollout(c)).rejects.toThrow(/^cells has what it had before/);

    expect(isOfCell(a)).toBe(true);
    expect(events).toContain(`cells: stopped. ${said}`);
    expect(state()).toEqual({ [one]: 'a', [two]: 'a', [three]: 'a' });
  });

  test('is not watched when none of its tenants is deployed yet', async () => {
    deployed = new Map();

    await rollout(c);

    expect(events.filter((line) => line.startsWith('cells'))).toEqual([`cells: deploying ${CELL}`, 'cells: done']);
  });
});
