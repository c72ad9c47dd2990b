import { Command } from 'commander';
import { adviceJson, adviceTable } from '../lib/advice/advice-report';
import { EnvironmentFile } from '../lib/environment/environment-file';
import { EnvironmentFileError } from '../lib/environment/environment-file-error';

const program = new Command('advice')
  .description('Which model fits the tenants of an environment file, and what each costs in a month')
  .argument('<file>', 'path of the environment file')
  .option('--json', 'as data')
  .parse();

try {
  const environment = EnvironmentFile.load(program.args[0]);
  console.log(
    program.opts<{ json?: boolean }>().json
      ? JSON.stringify(adviceJson(environment), null, 2)
      : adviceTable(environment),
  );
} catch (error) {
  if (!(error instanceof EnvironmentFileError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
