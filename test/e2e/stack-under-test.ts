import { App } from 'aws-cdk-lib';
import { Environment } from '../../lib/environment/environment';
import { SharedRlsStack } from '../../lib/tenancy/shared-rls-stack';

/** What the CDK CLI sets, so that it finds the templates of nested stacks when it compares. */
const CONTEXT = { 'aws:cdk:enable-path-metadata': true, 'aws:cdk:enable-asset-metadata': true };

/** Name of the stack. */
export const STACK = 'SharedRls';

/** Synthesises the stack of an environment into a directory. */
export function synthesiseStack(environment: Environment, outdir: string): void {
  const app = new App({ outdir, context: CONTEXT });
  new SharedRlsStack(app, STACK, { environment });
  app.synth();
}
