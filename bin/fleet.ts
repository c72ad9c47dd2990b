import { existsSync } from 'node:fs';
import { Toolkit } from '@aws-cdk/toolkit-lib';
import Table from 'cli-table3';
import { Command, InvalidArgumentError } from 'commander';
import { Deployments } from './fleet/deployed';
import { readFleet } from './fleet/fleet-stacks';
import { planRollout, planRows } from './fleet/plan';
import { synthetic } from './fleet/probe';
import { QuietIo } from './fleet/quiet-io';
import { RolloutStopped, rollOut } from './fleet/rollout';
import { fleetStatus } from './fleet/status';

const deployments = new Deployments();
const program = new Command('npm run fleet --')
  .description('Rolls a fleet of Supersets out, ring by ring, and tells how it is. Uses the credentials at hand.')
  .option('--app <directory>', 'the synthesised app, made by: npx cdk synth -c env=<name>', 'cdk.out');

program
  .command('rollout')
  .description('deploys the cells, then a ring after the other; goes on where it stopped')
  .option('--dry-run', 'print the plan, and change nothing', false)
  .option('--bake-minutes <number>', 'watch each ring for so long, in place of what the environment says', count)
  .option('--concurrency <number>', 'instances that are deployed at the same time', count, 3)
  .option('--no-snapshots', 'have no snapshot made of the servers before a ring changes')
  .option('--allow-replacement', 'let databases, keys, secrets, caches and networks be lost and made anew', false)
  .action((options: RolloutArguments) => told(() => rollout(options)));

program
  .command('status')
  .description(
    'shows version, configuration, last migration and health of each instance, and what differs from the fleet',
  )
  .option('--json', 'as JSON', false)
  .action(({ json }: { json: boolean }) => told(() => status(json)));

void program.parseAsync();

interface RolloutArguments {
  readonly dryRun: boolean;
  readonly bakeMinutes?: number;
  readonly concurrency: number;
  readonly snapshots: boolean;
  readonly allowReplacement: boolean;
}

async function rollout(options: RolloutArguments): Promise<void> {
  const assembly = assemblyDirectory();
  print(
    ['ring', 'stack', 'region', 'Superset', 'changes'],
    planRows(await planRollout(readFleet(assembly), deployments)),
  );
  if (options.dryRun) return;
  await rollOut({
    ...options,
    assembly,
    deployments,
    probe: synthetic(deployments),
    toolkit: new Toolkit({ ioHost: new QuietIo() }),
    say: (line) => console.log(`${new Date().toISOString().slice(11, 19)}  ${line}`),
  });
}

async function status(json: boolean): Promise<void> {
  const instances = await fleetStatus(readFleet(assemblyDirectory()), deployments, synthetic(deployments));
  if (json) {
    console.log(JSON.stringify(instances, null, 2));
    return;
  }
  print(
    ['tenant', 'region', 'ring', 'Superset', 'configuration', 'migrated', 'health', 'differs'],
    instances.map(({ tenant, region, ring, version, configuration, wanted, migrated, health, difference }) => [
      ...[tenant, region, ring, version ?? '-'],
      configuration === wanted ? wanted : `${configuration ?? '-'} → ${wanted}`,
      ...[migrated ?? '-', health, difference],
    ]),
  );
}

function assemblyDirectory(): string {
  const { app } = program.opts<{ app: string }>();
  if (existsSync(`${app}/manifest.json`)) return app;
  throw new RolloutStopped(`${app} is no synthesised app. Make it first: npx cdk synth -c env=<name>`);
}

function print(head: string[], rows: string[][]): void {
  const table = new Table({ head, style: { head: [], border: [] } });
  table.push(...rows);
  console.log(table.toString());
}

async function told(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    console.error(error instanceof RolloutStopped ? error.message : error);
    process.exitCode = 1;
  }
}

function count(text: string): number {
  if (/^\d{1,5}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('A whole number is needed.');
}
