import { join, parse } from 'node:path';
import { Environment, TenancyModel } from '../lib/environment/environment';
import { EnvironmentFile } from '../lib/environment/environment-file';
import { EnvironmentFileError } from '../lib/environment/environment-file-error';
import { environmentFiles } from '../lib/environment/environment-files';
import { instancePlans } from '../lib/environment/instance-plan';
import { isInCell } from '../lib/placement/instance-placement';
import { readPlaces } from '../lib/placement/places-file';
import { cellName, instanceStackName } from '../lib/placement/stack-names';

/** Id of the stack, or of the fleet, of an environment. */
export function idOf(name: string): string {
  return `Superset-${name}`;
}

/** File of the places of an environment. */
export function placementFileOf(directory: string, name: string): string {
  return join(directory, `${name}.places.json`);
}

/**
 * Refuses an environment with a stack that has the name of one of another environment, as tenant `acme` of the fleet `prod` and the
 * environment `prod-acme` have: each is an app by itself, so that no other check sees both.
 */
export function checkOtherEnvironments(directory: string, name: string, environment: Environment): void {
  const ours = stacksOf(directory, name, environment);
  const others = environmentFiles(directory)
    .map((file) => parse(file).name)
    .filter((other) => other !== name && (other.startsWith(`${name}-`) || name.startsWith(`${other}-`)));
  for (const other of others) {
    const theirs = loaded(directory, other);
    for (const [stack, what] of theirs ? stacksOf(directory, other, theirs) : []) {
      const ourWhat = ours.get(stack);
      if (ourWhat === undefined) continue;
      throw new EnvironmentFileError(
        `${join(directory, name)}.yaml: ${ourWhat} and ${what} of ${other}.yaml have one stack name, ${stack}, so that deploying the one would replace the other. Name one of the environments otherwise or, for a tenant that was never deployed, choose another id.`,
      );
    }
  }
}

/** What the stacks of an environment are, by name, region and account. */
function stacksOf(directory: string, name: string, environment: Environment): Map<string, string> {
  const { account, region, model } = environment;
  const inAccount = (stack: string, where: string) => `${stack} in ${where}, account ${account}`;
  if (model !== TenancyModel.INSTANCE_PER_TENANT) return new Map([[inAccount(idOf(name), region), 'the environment']]);
  const cells = Object.values(readPlaces(placementFileOf(directory, name))).filter(isInCell);
  return new Map([
    ...instancePlans(environment).map(({ tenant: { id }, region: where }): [string, string] => [
      inAccount(instanceStackName(idOf(name), id), where),
      `tenant ${id}`,
    ]),
    ...cells.map((place): [string, string] => [
      inAccount(`${idOf(name)}-${cellName(place)}`, place.region),
      `cell ${place.cell}`,
    ]),
  ]);
}

/** Another environment; nothing if it is not valid, since it cannot be deployed then. */
function loaded(directory: string, name: string): Environment | undefined {
  try {
    return EnvironmentFile.load(join(directory, `${name}.yaml`));
  } catch (error) {
    if (error instanceof EnvironmentFileError) return undefined;
    throw error;
  }
}
