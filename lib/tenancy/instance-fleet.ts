import { Annotations, Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { noteAdvice } from '../advice/advice-report';
import { Environment, TenancyModel } from '../environment/environment';
import { shownPath } from '../environment/file-report';
import { InstancePlan, instancePlans, ringsOf, tenantsPerCell } from '../environment/instance-plan';
import { CellPlace, InstancePlaces, isInCell, placeInstances, sharesCell } from '../placement/instance-placement';
import { movedTenants } from '../placement/kept-choices';
import { readPlaces, writePlaces } from '../placement/places-file';
import { cellName, instanceStackName } from '../placement/stack-names';
import { InstanceSharing } from '../tenant/tenant-instance';
import { ConfigurationError } from '../validation/configuration-error';
import { checkAccountQuotas } from './account-quotas';
import { checkEnvironment } from './environment-parts';
import { InstanceCellStack } from './instance-cell-stack';
import { InstancePerTenantStack } from './instance-per-tenant-stack';

/** Props of {@link InstanceFleet}. */
export interface InstanceFleetProps {
  /** The environment. */
  readonly environment: Environment;

  /**
   * Path of the file, from the working directory, that keeps the place of each tenant: its region, its cell and whose server its data
   * are on. Synthesis makes it and adds new tenants to it. Commit it, as you commit a lock file: a tenant that is in it never moves,
   * whatever other tenants are added, removed or changed. Each fleet has its own.
   */
  readonly placementFile: string;
}

/**
 * The model with a Superset for each tenant, as one stack for each and one for each cell, which several share, in the regions of
 * the tenants.
 *
 * The stack of a tenant is named `<id>-<tenant>` with `-` for `_`, that of a cell `<id>-<region>-cell<number>`.
 */
export class InstanceFleet extends Construct {
  /** Stacks of cells. */
  public readonly cells: InstanceCellStack[];

  /** Stack of each tenant, in the order of the environment. */
  public readonly instances: InstancePerTenantStack[];

  /** Rings in which new versions and configurations reach the tenants, the first one first. */
  public readonly rings: string[];

  /**
   * @param scope the app or stage.
   * @param id the id in it, with which the names of the stacks begin.
   * @param props the environment.
   * @throws ConfigurationError if something of the environment is not valid, a tenant would move, or a quota of AWS would be exceeded;
   * EnvironmentFileError if something of the placement file is not valid.
   */
  constructor(scope: Construct, id: string, props: InstanceFleetProps) {
    super(scope, id);
    const { environment, placementFile } = props;
    checkEnvironment(this, environment, TenancyModel.INSTANCE_PER_TENANT);
    const plans = instancePlans(environment);
    const places = this.place(plans, environment, placementFile);
    const cells = this.newCells(environment, plans, places);
    this.cells = [...cells.values()];
    this.instances = plans.map((plan) => {
      const place = cellPlaceOf(plan, places);
      return new InstancePerTenantStack(this, plan.tenant.id, {
        environment,
        tenantId: plan.tenant.id,
        cell: place && cells.get(cellName(place))?.cell,
        listenerPriority: place?.priority,
        stackName: instanceStackName(id, plan.tenant.id),
        description: `Superset of tenant ${plan.tenant.id}`,
      });
    });
    this.rings = ringsOf(environment);
    const stacks: Stack[] = [...this.cells, ...this.instances];
    checkAccountQuotas(this, stacks, environment.instances?.raisedQuotas);
    const hasChanged = writePlaces(placementFile, places);
    noteAdvice(stacks[0], environment, hasChanged);
    if (hasChanged) notePlaces(stacks[0], placementFile);
  }

  /**
   * The stacks of one ring, in the order of the environment.
   *
   * @param ring one of `rings`.
   */
  public instancesOf(ring: string): InstancePerTenantStack[] {
    return this.instances.filter((instance) => instance.ring === ring);
  }

  private place(plans: InstancePlan[], environment: Environment, placementFile: string): InstancePlaces {
    if (!placementFile) {
      throw new ConfigurationError(
        this,
        'PLACEMENT_FILE_MISSING',
        "placementFile is not given; without it, a removed tenant would move others to servers with empty databases. Give the path of a file beside the environment file, for instance 'environments/prod.places.json': synthesis makes it. Commit it.",
      );
    }
    const known = readPlaces(placementFile);
    const moved = movedTenants(plans, known, shownPath(placementFile));
    if (moved.length > 0) throw new ConfigurationError(this, 'TENANT_MOVED', moved.join('\n'));
    return placeInstances(plans, tenantsPerCell(environment), known);
  }

  private newCells(
    environment: Environment,
    plans: InstancePlan[],
    places: InstancePlaces,
  ): Map<string, InstanceCellStack> {
    const tenants = new Map<string, InstancePlan[]>();
    for (const plan of plans) {
      const place = cellPlaceOf(plan, places);
      if (!place) continue;
      tenants.set(cellName(place), [...(tenants.get(cellName(place)) ?? []), plan]);
    }
    const withDatabase = cellsWithDatabase(places);
    return new Map(
      [...tenants].map(([name, inCell]) => [
        name,
        new InstanceCellStack(this, name, {
          environment,
          region: inCell[0].region,
          tenantIds: inCell.map(({ tenant }) => tenant.id),
          keepsDatabase: withDatabase.has(name),
          stackName: `${this.node.id}-${name}`,
          description: 'What several tenants with a Superset each share',
        }),
      ]),
    );
  }
}

function notePlaces(stack: Stack, placementFile: string): void {
  Annotations.of(stack).addWarningV2(
    'superset-tenancy:placement',
    `${shownPath(placementFile)} has changed: it says where new tenants have their place. Commit it before you deploy.`,
  );
}

function cellPlaceOf(plan: InstancePlan, places: InstancePlaces): CellPlace | undefined {
  const place = places[plan.tenant.id];
  return sharesCell(plan) && isInCell(place) ? place : undefined;
}

/** Names of the cells whose server has data of a tenant, which may have been removed. */
function cellsWithDatabase(places: InstancePlaces): Set<string> {
  return new Set(
    Object.values(places)
      .filter(isInCell)
      .filter(({ database }) => database === InstanceSharing.CELL)
      .map(cellName),
  );
}
