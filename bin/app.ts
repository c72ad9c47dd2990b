import { join, parse } from 'node:path';
import { App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks, NIST80053R5Checks } from 'cdk-nag';
import { Environment, TenancyModel } from '../lib/environment/environment';
import { EnvironmentFile } from '../lib/environment/environment-file';
import { EnvironmentFileError } from '../lib/environment/environment-file-error';
import { environmentFiles } from '../lib/environment/environment-files';
import { DatabasePerTenantStack } from '../lib/tenancy/database-per-tenant-stack';
import { InstanceFleet } from '../lib/tenancy/instance-fleet';
import { SharedRlsStack } from '../lib/tenancy/shared-rls-stack';
import { ConfigurationError } from '../lib/validation/configuration-error';
import { checkOtherEnvironments, idOf, placementFileOf } from './stack-names';

try {
  const app = new App();
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app), new NIST80053R5Checks(app));
  const name = environmentName(app);
  const environment = EnvironmentFile.load(join(directory(app), `${name}.yaml`));
  checkOtherEnvironments(directory(app), name, environment);
  addStacks(app, name, environment);
  app.synth();
} catch (error) {
  if (!(error instanceof EnvironmentFileError || error instanceof ConfigurationError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}

/** Directory of the environment files: `-c environments=<directory>`, from where the CDK runs. */
function directory(app: App): string {
  return app.node.tryGetContext('environments') ?? 'environments';
}

/** The environment that is asked for: `-c env=<name>`. */
function environmentName(app: App): string {
  const name: unknown = app.node.tryGetContext('env');
  if (typeof name === 'string' && /^[a-z0-9][a-z0-9-]{0,99}$/i.test(name)) return name;
  const names = environmentFiles(directory(app)).map((file) => parse(file).name);
  const given =
    name === undefined ? 'No environment is given' : `-c env=${String(name)} is not the name of an environment`;
  const there = names.length > 0 ? `${directory(app)}/ has ${names.join(', ')}` : `${directory(app)}/ has none yet`;
  throw new EnvironmentFileError(
    `${given}: add -c env=<name>. ${there}; for a new one, copy examples/environment.yaml to ${directory(app)}/<name>.yaml.`,
  );
}

function addStacks(app: App, name: string, environment: Environment): void {
  const id = idOf(name);
  switch (environment.model) {
    case TenancyModel.SHARED_RLS:
      new SharedRlsStack(app, id, { environment });
      break;
    case TenancyModel.DATABASE_PER_TENANT:
      new DatabasePerTenantStack(app, id, { environment });
      break;
    case TenancyModel.INSTANCE_PER_TENANT:
      new InstanceFleet(app, id, { environment, placementFile: placementFileOf(directory(app), name) });
  }
}
