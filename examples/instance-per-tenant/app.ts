import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { EnvironmentFile, InstanceFleet } from '../../lib'; // 'cdk-superset-tenancy' in an app of your own

const app = new App();
const name: string = app.node.tryGetContext('env') ?? 'demo';
const file = join(__dirname, 'environments', name);

new InstanceFleet(app, `Superset-${name}`, {
  environment: EnvironmentFile.load(`${file}.yaml`),
  placementFile: `${file}.places.json`,
});
