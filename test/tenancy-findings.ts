import { App } from 'aws-cdk-lib';
import { TenancyChecks, TenancyChecksProps } from '../lib/checks/tenancy-checks';

/** A day on which no version that the examples name has ended. */
const TODAY = '2026-11-27';

/** What our own rules find in an app, as `rule: construct path: what is wrong`. */
export function tenancyFindings(app: App, props: TenancyChecksProps = {}): string[] {
  const stackTemplates = app.synth().stacksRecursively.map((stack) => ({
    stackConstructPath: stack.hierarchicalId,
    templatePath: stack.templateFullPath,
    accountId: stack.environment.account,
    region: stack.environment.region,
  }));
  const context = {
    appConstruct: app,
    stackTemplates,
    templatePaths: stackTemplates.map(({ templatePath }) => templatePath),
  };
  return new TenancyChecks({ today: TODAY, ...props })
    .validate(context)
    .violations.flatMap(({ ruleName, description, violatingResources }) =>
      violatingResources.map(
        ({ constructPath }) => `${description.replace(ruleName, `${ruleName}: ${constructPath}`)}`,
      ),
    );
}
