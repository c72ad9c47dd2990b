import { Changes, changesBetween, changesText, isSame } from './changes';
import { Deployed, Deployments } from './deployed';
import { CellStack, Fleet, FleetStack, InstanceStack, ringsOf } from './fleet-stacks';

/** A stack, what is deployed of it, and what would change. */
export interface PlannedStack<Stack extends FleetStack = FleetStack> {
  readonly stack: Stack;
  readonly deployed?: Deployed;
  readonly changes: Changes;
}

/** What is done at a time: the cells first, then a ring after the other. */
export interface Stage {
  readonly name: string;
  /** Minutes that it is watched before the next one begins. */
  readonly bakeMinutes: number;
  readonly cells: CellStack[];
  readonly instances: InstanceStack[];
}

/** A stage, compared with what is deployed. */
export interface PlannedStage {
  readonly name: string;
  readonly cells: PlannedStack[];
  readonly instances: PlannedStack<InstanceStack>[];
}

/** The stages of a fleet, the first one first. */
export function stagesOf(fleet: Fleet): Stage[] {
  const { cells, instances: all } = fleet;
  return [
    ...(cells.length > 0 ? [{ name: 'cells', bakeMinutes: all[0]?.bakeMinutes ?? 0, cells, instances: [] }] : []),
    ...ringsOf(fleet).map(([ring, instances]) => ({
      name: `ring ${ring}`,
      bakeMinutes: instances[0].bakeMinutes,
      cells: [],
      instances,
    })),
  ];
}

/** Compares a stage with what is deployed. */
export async function planStage({ name, cells, instances }: Stage, deployments: Deployments): Promise<PlannedStage> {
  const planned = async <Stack extends FleetStack>(stack: Stack): Promise<PlannedStack<Stack>> => {
    const deployed = await deployments.of(stack);
    return { stack, deployed, changes: changesBetween(deployed?.template, stack.template) };
  };
  return { name, cells: await Promise.all(cells.map(planned)), instances: await Promise.all(instances.map(planned)) };
}

/** What shows whether a stage has gone well: its instances or, of cells, those of their tenants that are deployed. */
export async function watchedOf(stage: Stage, fleet: Fleet, deployments: Deployments): Promise<Stage> {
  if (stage.cells.length === 0) return stage;
  const tenants = stage.cells.flatMap((cell) => cell.tenants);
  const inCells = fleet.instances.filter(({ tenant }) => tenants.includes(tenant));
  const deployed = await Promise.all(inCells.map((stack) => deployments.of(stack)));
  const instances = inCells.filter((_, index) => deployed[index]);
  const used = (cell: CellStack) => instances.some(({ tenant }) => cell.tenants.includes(tenant));
  return { ...stage, cells: stage.cells.filter(used), instances };
}

/** Compares a whole fleet with what is deployed. */
export function planRollout(fleet: Fleet, deployments: Deployments): Promise<PlannedStage[]> {
  return Promise.all(stagesOf(fleet).map((stage) => planStage(stage, deployments)));
}

/** Whether a stack is to be deployed. */
export function isDue({ deployed, changes }: PlannedStack): boolean {
  return !deployed || !isSame(changes);
}

/** Why a stack must not be deployed as it is; nothing if it may. */
export function objections({ stack, deployed, changes }: PlannedStack, allowReplacement: boolean): string[] {
  const { version } = stack as Partial<InstanceStack>;
  return [
    ...(deployed && !/^(CREATE|UPDATE|UPDATE_ROLLBACK|IMPORT)_COMPLETE$/.test(deployed.status)
      ? [`its stack is ${deployed.status}: mend it first`]
      : []),
    ...(deployed?.ringing ?? []).map((alarm) => `alarm ${alarm} rings: see what it is first`),
    ...(deployed?.version && version && isOlder(version, deployed.version)
      ? [
          `it has Superset ${deployed.version}, and ${version} is older: its metadata cannot go back. Restore the snapshot of before, or keep the version`,
        ]
      : []),
    ...(deployed?.version && version && major(version) > major(deployed.version) + 1
      ? [
          `it has Superset ${deployed.version}: go to a version ${major(deployed.version) + 1} first, whose migrations ${version} builds upon`,
        ]
      : []),
    ...(allowReplacement
      ? []
      : changes.losing.map(
          (what) => `${what} would be lost and made anew: that is not undone. If it is meant, add --allow-replacement`,
        )),
  ];
}

/** The plan as rows: ring, stack, region, version, what changes. */
export function planRows(stages: PlannedStage[]): string[][] {
  return stages.flatMap(({ name, cells, instances }) => [
    ...cells.map(({ stack, changes }) => [name, stack.name, stack.region, '', changesText(changes)]),
    ...instances.map(({ stack, deployed, changes }) => [
      name,
      stack.tenant,
      stack.region,
      deployed?.version && deployed.version !== stack.version
        ? `${deployed.version} → ${stack.version}`
        : stack.version,
      deployed ? changesText(changes) : 'new',
    ]),
  ]);
}

function isOlder(version: string, than: string): boolean {
  return version.localeCompare(than, 'en', { numeric: true }) < 0;
}

function major(version: string): number {
  return Number(version.split('.')[0]);
}
