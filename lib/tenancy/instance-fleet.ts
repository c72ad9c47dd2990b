import { Annotations } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { noteAdvice } from '../advice/advice-report';
import { Environment, TenancyModel } from '../environment/environment';
import { checkAccountQuotas } from './account-quotas';
import { checkEnvironment } from './environment-parts';
import { InstanceCellStack } from './instance-cell-stack';
import { InstancePerTenantStack } from './instance-per-tenant-stack';
import { InstancePlaces, placeInstances, readPlaces, sharesCell, writePlaces } from './instance-placement';
import { InstancePlan, instancePlans, ringsOf, stackPart, tenantsPerCell } from '../environment/instance-plan';

/** Props of {@link InstanceFleet}. */
export interface InstanceFleetProps {
  /** The environment. */
  readonly environment: Environment;

  /**
   * Path of the file that says which cell each tenant is in. Synthesis makes it and adds new tenants to it; commit it, so that
   * nobody's load balancer or server ever changes because somebody else came or went.
   *
   * @default - none: tenants have their places in the order of the environment, which a removed one changes
   */
  readonly placementFile?: string;
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
   * @throws ConfigurationError if something of the environment is not valid, or a quota of AWS would be exceeded.
   */
  constructor(scope: Construct, id: string, props: InstanceFleetProps) {
    super(scope, id);
    const { environment } = props;
    checkEnvironment(this, environment, TenancyModel.INSTANCE_PER_TENANT);
    const plans = instancePlans(environment);
    const places = this.place(plans, environment, props.placementFile);
    const cells = this.newCells(environment, plans, places);
    this.cells = [...cells.values()];
    this.instances = plans.map((plan) => {
      const place = sharesCell(plan) ? places[plan.tenant.id] : undefined;
      const name = `${id}-${stackPart(plan.tenant.id)}`;
      return new InstancePerTenantStack(this, plan.tenant.id, {
        environment,
        tenantId: plan.tenant.id,
        cell: place && cells.get(cellName(place))?.cell,
        listenerPriority: place?.priority,
        stackName: name,
        description: `Superset of tenant ${plan.tenant.id}`,
      });
    });
    noteAdvice(this, environment);
    this.rings = ringsOf(environment);
    checkAccountQuotas(this, [...this.cells, ...this.instances], environment.instances?.raisedQuotas);
  }

  /**
   * The stacks of one ring, in the order of the environment.
   *
   * @param ring one of `rings`.
   */
  public instancesOf(ring: string): InstancePerTenantStack[] {
    return this.instances.filter((instance) => instance.ring === ring);
  }

  private place(plans: InstancePlan[], environment: Environment, placementFile?: string): InstancePlaces {
    const known = placementFile ? readPlaces(placementFile) : {};
    const places = placeInstances(plans, tenantsPerCell(environment), known);
    if (placementFile && writePlaces(placementFile, places)) {
      Annotations.of(this).addInfoV2(
        'superset-tenancy:placement',
        `${placementFile} says where new tenants have their place. Commit it.`,
      );
    }
    return places;
  }

  private newCells(
    environment: Environment,
    plans: InstancePlan[],
    places: InstancePlaces,
  ): Map<string, InstanceCellStack> {
    const tenants = new Map<string, InstancePlan[]>();
    for (const plan of plans.filter(sharesCell)) {
      const name = cellName(places[plan.tenant.id]);
      tenants.set(name, [...(tenants.get(name) ?? []), plan]);
    }
    return new Map(
      [...tenants].map(([name, inCell]) => [
        name,
        new InstanceCellStack(this, name, {
          environment,
          region: inCell[0].region,
          tenantIds: inCell.map(({ tenant }) => tenant.id),
          stackName: `${this.node.id}-${name}`,
          description: 'What several tenants with a Superset each share',
        }),
      ]),
    );
  }
}

function cellName({ region, cell }: { readonly region: string; readonly cell: number }): string {
  return `${region}-cell${cell}`;
}
