import { App, CfnResource, Stack } from 'aws-cdk-lib';
import { TenancyChecksProps } from '../../lib/checks/tenancy-checks';
import { tenancyFindings } from '../tenancy-findings';

/** Resources of a template by logical id. */
export type Resources = Record<string, { readonly Type: string; readonly [key: string]: unknown }>;

/** A template in which a rule finds nothing, and changes after each of which it finds one fault. */
export interface Case {
  readonly rule: string;
  readonly good: Resources;
  /** Path of what is changed, with `/` between its parts; the new value, or undefined for none; and what the finding says. */
  readonly bad: [path: string, value: unknown, says: string][];
  readonly region?: string;
  readonly props?: TenancyChecksProps;
}

/** All cases as rows of a table: the rule, the change, and what is tested. */
export function rows(cases: Case[]): [string, string, () => void][] {
  return cases.flatMap((it) =>
    it.bad.map(([path, value, says]): [string, string, () => void] => [
      it.rule,
      `${path} ${JSON.stringify(value)}`,
      () => {
        expect(findingsOf(it, it.good)).toEqual([]);
        expect(findingsOf(it, changed(it.good, path, value))).toEqual([expect.stringContaining(says)]);
      },
    ]),
  );
}

/** What one rule finds in a stack with nothing but these resources. */
export function findingsOf(
  { rule, region = 'eu-central-1', props }: Omit<Case, 'good' | 'bad'>,
  resources: Resources,
): string[] {
  const app = new App();
  const stack = new Stack(app, 'Small', { env: { account: '000000000000', region } });
  for (const [id, { Type, ...rest }] of Object.entries(resources)) {
    const resource = new CfnResource(stack, id, { type: Type });
    resource.overrideLogicalId(id);
    for (const [key, value] of Object.entries(rest)) resource.addOverride(key, value);
  }
  return tenancyFindings(app, props).filter((finding) => finding.startsWith(`TenancyChecks-${rule}:`));
}

function changed(resources: Resources, path: string, value: unknown): Resources {
  const copy = structuredClone(resources);
  const names = path.split('/');
  const last = names.pop() as string;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  const parent = names.reduce((at: any, name) => (at[name] ??= {}), copy);
  if (value === undefined) delete parent[last];
  else parent[last] = value;
  return copy;
}
