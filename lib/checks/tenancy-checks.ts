import {
  IPolicyValidationContext,
  IPolicyValidationPlugin,
  PolicyValidationPluginReport,
  PolicyViolation,
  Validations,
} from 'aws-cdk-lib';
import { IConstruct } from 'constructs';
import { Residency } from '../tenant/tenant-instance';
import { isoDay } from './iso-day';
import { RULES } from './rules';
import { Templates } from './templates';

/** Props of {@link TenancyChecks}. */
export interface TenancyChecksProps {
  /**
   * Day, as `YYYY-MM-DD`, that ends of support are compared with. A fixed one makes the result depend on the code only.
   *
   * @default - the day of the synthesis
   */
  readonly today?: string;

  /**
   * Where everything in the app must stay. A tenant that declares a residency is held to it without this.
   *
   * @default - anywhere
   */
  readonly residency?: Residency;
}

/**
 * Rules of AWS that a deployment would break, and rules that keep tenants apart, checked in all templates of an app.
 *
 * It is added, acknowledged and reported like a pack of cdk-nag 3, and stands beside such packs. Since both are plugins of CDK's own
 * validation, it works with any version of cdk-nag, and without it.
 *
 * ```ts
 * Validations.of(app).addPlugins(new TenancyChecks());
 * Validations.of(bucket).acknowledge({ id: 'TenancyChecks-Residency', reason: 'Public price lists only.' });
 * ```
 */
export class TenancyChecks implements IPolicyValidationPlugin {
  /** Name in reports. */
  public readonly name = 'TenancyChecks';

  /** Findings that it may report, for instance `TenancyChecks-SpotCapacity`. */
  public readonly ruleIds?: string[] = RULES.map((rule) => this.idOf(rule.name));

  private readonly today: Date;
  private readonly residency?: Residency;

  /**
   * @param props a fixed day, and where everything must stay.
   * @throws Error if `today` is no day.
   */
  constructor(props: TenancyChecksProps = {}) {
    this.today = props.today === undefined ? new Date() : isoDay(props.today);
    this.residency = props.residency;
  }

  /**
   * Checks the templates. CDK calls it at the end of a synthesis.
   *
   * @param context the templates and the app that they were made from.
   */
  public validate(context: IPolicyValidationContext): PolicyValidationPluginReport {
    const templates = new Templates(context);
    const surroundings = { templates, today: this.today, residency: this.residency };
    const found = new Map<string, PolicyViolation>();
    for (const resource of templates.resources) {
      for (const rule of RULES.filter(({ types }) => types.test(resource.type))) {
        const id = this.idOf(rule.name);
        if (isAcknowledged(resource.construct, id)) continue;
        for (const fault of rule.check(resource, surroundings)) {
          const violation = found.get(id + fault) ?? newViolation(id, fault);
          violation.violatingResources.push({ constructPath: resource.construct.node.path, locations: ['Properties'] });
          found.set(id + fault, violation);
        }
      }
    }
    return { success: found.size === 0, violations: [...found.values()] };
  }

  private idOf(rule: string): string {
    return `TenancyChecks-${rule}`;
  }
}

/** `fatal`, since CDK takes the acknowledgement of anything less, wherever it was given, for the whole app. */
function newViolation(id: string, fault: string): PolicyViolation {
  return {
    ruleName: id,
    description: `${id}: ${fault}`,
    fix: `Change it, or say why not: Validations.of(construct).acknowledge({ id: '${id}', reason: '…' })`,
    severity: 'fatal',
    violatingResources: [],
  };
}

/** An acknowledgement holds for a construct and all in it. */
function isAcknowledged(construct: IConstruct, id: string): boolean {
  return construct.node.scopes.some(({ node }) =>
    node.metadata
      .filter(({ type }) => type === Validations.ACKNOWLEDGED_RULES_METADATA_KEY)
      .some(({ data }) => Object.keys(data ?? {}).some((key) => key.replace(/^annotation::/i, '') === id)),
  );
}
