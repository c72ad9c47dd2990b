import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { ExpandStackSelection, StackSelectionStrategy, Toolkit } from '@aws-cdk/toolkit-lib';
import { Deployments } from './deployed';
import { writeEarlierAssembly } from './earlier-assembly';
import { CellStack, FleetStack, InstanceStack, Template, readFleet } from './fleet-stacks';
import { PlannedStack, Stage, isDue, objections, planStage, stagesOf, watchedOf } from './plan';
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
 * wrong, the ring goes back to what it had, and the next ones are left as they are. A ring that has all of it is watched for what is
 * left of its time, so that the same command goes on where it stopped.
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
      const changes = [...cells, ...instances].map(({ deployed }) => deployed?.changedAt?.getTime() ?? 0);
      await bakeOn(await watchedOf(stage, fleet, deployments), Math.max(...changes), options);
      continue;
    }
    refuse(name, due, options.allowReplacement ?? false);
    if (options.snapshots ?? true) await takeSnapshots(due, fleet.cells, options);
    const watched = await watchedOf(stage, fleet, deployments);
    const earlier = new Map(due.flatMap(({ stack, deployed }) => (deployed ? [[stack, deployed.template]] : [])));
    try {
      await deploy(
        due.map(({ stack }) => stack),
        assembly,
        name,
        options,
      );
      await bake(watched, Date.now(), options);
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

/** Watches what an earlier run deployed. Rings are looked at in any case, cells only while their time is not over. */
async function bakeOn(watched: Stage, since: number, options: RolloutOptions): Promise<void> {
  const isOver = Date.now() >= since + (options.bakeMinutes ?? watched.bakeMinutes) * 60_000;
  if (watched.cells.length > 0 && isOver) return;
  await bake(watched, since, options);
}

/** Watches alarms and asks each instance, until the time since a change is over, and a last time then. */
async function bake(watched: Stage, since: number, options: RolloutOptions): Promise<void> {
  if (watched.instances.length === 0) return;
  const { say, bakeMinutes = watched.bakeMinutes } = options;
  const until = since + bakeMinutes * 60_000;
  const left = () => until - Date.now();
  if (left() > 0) say(`${watched.name}: watched for ${Math.ceil(left() / 60_000)} min`);
  await refuseFaults(watched, options);
  while (left() > 0) {
    await pause(Math.min(left(), PROBE_SECONDS * 1_000));
    await refuseFaults(watched, options);
  }
}

/** All of what is wrong with what is watched, in one message. */
async function refuseFaults({ cells, instances }: Stage, options: RolloutOptions): Promise<void> {
  const { deployments, probe, say } = options;
  const faults = await Promise.all([
    ...cells.map(async (stack) =>
      faultsOf(undefined, await deployments.ringing(stack)).map((what) => `${stack.name}: ${what}.`),
    ),
    ...instances.map(async (stack) => {
      const { fault, note } = await probe(stack);
      if (note) say(`${stack.tenant}: ${note}`);
      return faultsOf(fault, await deployments.ringing(stack)).map((what) => `${stack.tenant}: ${what}.`);
    }),
  ]);
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
