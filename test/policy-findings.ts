import { Stack } from 'aws-cdk-lib';
import { AwsSolutionsChecks, NIST80053R5Checks } from 'cdk-nag';

/** Findings of the two rule packs that nobody acknowledged, as `rule: construct path`. */
export function policyFindings(stack: Stack): string[] {
  return [new AwsSolutionsChecks(stack), new NIST80053R5Checks(stack)].flatMap((pack) =>
    pack
      .validateScope(stack)
      .violations.flatMap(({ ruleName, violatingResources }) =>
        violatingResources.map(({ constructPath }) => `${ruleName}: ${constructPath}`),
      ),
  );
}
