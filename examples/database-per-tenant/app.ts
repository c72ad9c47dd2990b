import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { DatabasePerTenantStack, EnvironmentFile } from '../../lib'; // 'cdk-superset-tenancy' in an app of your own

const app = new App();
const name: string = app.node.tryGetContext('env') ?? 'demo';

new DatabasePerTenantStack(app, `Superset-${name}`, {
  environment: EnvironmentFile.load(join(__dirname, 'environments', `${name}.yaml`)),
});
