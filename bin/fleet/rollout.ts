import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { ExpandStackSelection, StackSelectionStrategy, Toolkit } from '@aws-cdk/toolkit-lib';
import { Deployments } from './deployed';
import { writeEarlierAssembly } from './earlier-assembly';
import { CellStack, FleetStack, InstanceStack, Template, readFleet } from './fleet-stacks';
import { PlannedStack, Stage, isDue, objections, planStage, stagesOf } from './plan';
import { Probe, faultsOf } from './probe';

export interface RolloutOptions {
  /** Directory of the cloud assembly. */
  readonly assembly: string;
  readonly toolkit: Toolkit;
  readonly deployments: Deployments;
  readonly probe: Probe;
  /** Told of each step as it happens. */
  readonly say: (line: string) => void;
  /** In place of what the environment says. */
  readonly bakeMinutes?: number;
  /** Instances that are deployed at the same time. @default 3 */
  readonly concurrency?: number;
  readonly allowReplacement?: boolean;
  /** Of a snapshot of each server, which is made before anything of a ring changes. @default true */
  readonly snapshots?: boolean;
}

/** A ring that was stopped, and went back. */
export class RolloutStopped extends Error {}

const PROBE_SECONDS = 30;

/**
 * Deploys the cells, then ring after ring: looks whether each may change, has snapshots made, deploys, and watches. Where something is
 * wrong, the ring goes back to what it had, and the next ones are left alone. A ring that has all of it is only looked at, so that the
 * same command goes on where it stopped.
 */
export async function rollOut(options: RolloutOptions): Promise<void> {
  const { say, deployments, assembly } = options;
  const fleet = readFleet(assembly);
  for (const stage of stagesOf(fleet)) {
    const { name } = stage;
    const { cells, instances } = await planStage(stage, deployments);
    const due = [...cells, ...instances].filter(isDue);
    if (due.length === 0) {
      say(`${name}: has it already`);
      await refuseFaults(stage, options);
      continue;
    }
    refuse(name, due, options.allowReplacement ?? false);
    if (options.snapshots ?? true) await takeSnapshots(due, fleet.cells, options);
    const earlier = new Map(due.flatMap(({ stack, deployed }) => (deployed ? [[stack, deployed.template]] : [])));
    try {
      await deploy(
        due.map(({ stack }) => stack),
        assembly,
        name,
        options,
      );
      await bake(stage, options);
    } catch (error) {
      say(`${name}: stopped. ${(error as Error).message}`);
      await goBack(name, earlier, options);
      const outcome = earlier.size > 0 ? 'has what it had before' : 'had nothing before, and keeps what was made';
      throw new RolloutStopped(
        `${name} ${outcome}; later rings were not touched. Mend what is told above, and run the same command again.`,
      );
    }
    say(`${name}: done`);
  }
}

function refuse(stage: string, due: PlannedStack[], allowReplacement: boolean): void {
  const refused = due.flatMap((planned) =>
    objections(planned, allowReplacement).map((objection) => `  ${planned.stack.name}: ${objection}.`),
  );
  if (refused.length > 0) throw new RolloutStopped(`${stage} was not begun:\n${refused.join('\n')}`);
}

async function takeSnapshots(
  due: PlannedStack[],
  cells: CellStack[],
  { deployments, say }: RolloutOptions,
): Promise<void> {
  const label = `rollout-${new Date().toISOString().slice(0, 16).replaceAll(/\D/g, '')}`;
  const hasServer = ({ template }: FleetStack) =>
    Object.values(template.Resources).some(({ Type }) => Type === 'AWS::RDS::DBInstance');
  const deployed = due.filter((planned) => planned.deployed).map(({ stack }) => stack);
  const guests = deployed.filter((stack) => !hasServer(stack)).map((stack) => (stack as Partial<InstanceStack>).tenant);
  const hosts = cells.filter((cell) => cell.tenants.some((tenant) => guests.includes(tenant)));
  const stacks = [...new Set([...deployed.filter(hasServer), ...hosts.filter(hasServer)])];
  await Promise.all(
    stacks.map(async (stack) => {
      const snapshots = await deployments.snapshotServers(stack, label);
      snapshots.forEach((snapshot) => say(`snapshot ${snapshot} of ${stack.name}`));
    }),
  );
}

async function deploy(
  stacks: FleetStack[],
  assembly: string,
  stage: string,
  { toolkit, say, concurrency = 3 }: RolloutOptions,
): Promise<void> {
  say(`${stage}: deploying ${stacks.map(({ name }) => name).join(', ')}`);
  const source = await toolkit.fromAssemblyDirectory(assembly);
  await toolkit.deploy(source, {
    stacks: {
      strategy: StackSelectionStrategy.PATTERN_MUST_MATCH,
      patterns: stacks.map(({ id }) => id),
      expand: ExpandStackSelection.NONE,
    },
    concurrency,
  });
}

/** Watches alarms and asks each instance, until the time is over. */
async function bake(stage: Stage, options: RolloutOptions): Promise<void> {
  if (stage.instances.length === 0) return;
  const { say, bakeMinutes = stage.bakeMinutes } = options;
  const until = Date.now() + bakeMinutes * 60_000;
  say(`${stage.name}: watched for ${bakeMinutes} min`);
  do {
    await refuseFaults(stage, options);
    const left = until - Date.now();
    if (left > 0) await pause(Math.min(left, PROBE_SECONDS * 1_000));
  } while (Date.now() < until);
}

/** All of what is wrong with the instances of a ring, in one message. */
async function refuseFaults({ instances }: Stage, { deployments, probe, say }: RolloutOptions): Promise<void> {
  const faults = await Promise.all(
    instances.map(async (stack) => {
      const { fault, note } = await probe(stack);
      if (note) say(`${stack.tenant}: ${note}`);
      return faultsOf(fault, await deployments.ringing(stack)).map((what) => `${stack.tenant}: ${what}.`);
    }),
  );
  if (faults.flat().length > 0) throw new RolloutStopped(faults.flat().join(' '));
}

/** Deploys what was there before. What was made for the first time stays, for whoever looks at it. */
async function goBack(
  stage: string,
  earlier: ReadonlyMap<FleetStack, Template>,
  options: RolloutOptions,
): Promise<void> {
  if (earlier.size === 0) return;
  const directory = mkdtempSync(join(tmpdir(), 'fleet-earlier-'));
  try {
    writeEarlierAssembly(options.assembly, join(directory, 'cdk.out'), earlier);
    await deploy([...earlier.keys()], join(directory, 'cdk.out'), `${stage}, back`, options);
  } catch (error) {
    throw new RolloutStopped(
      `${stage} could not go back: ${(error as Error).message}. Look at ${[...earlier.keys()].map(({ name }) => name).join(', ')} in CloudFormation; the snapshots that are named above have what was before.`,
    );
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
