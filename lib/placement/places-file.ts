import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { at } from '../environment/at';
import { EnvironmentFileError } from '../environment/environment-file-error';
import { fileBytes, fileReport, shownPath } from '../environment/file-report';
import { YamlSource } from '../environment/yaml-source';
import { InstancePlaces } from './instance-placement';
import { placesProblems } from './places-rules';

/**
 * The places that a file holds; none if there is no file yet.
 *
 * @throws EnvironmentFileError with all problems of the file and their lines.
 */
export function readPlaces(path: string): InstancePlaces {
  const name = shownPath(path);
  const bytes = fileBytes(path, name, 'a file of places');
  if (!bytes) {
    if (!existsSync(path)) return {};
    throw new EnvironmentFileError(`${name} is not a file. Name a file, which synthesis makes.`);
  }
  const source = new YamlSource(bytes);
  const problems = source
    .problems(placesProblems(source.value, (place, value) => source.show(place, value)))
    .map((problem) => (problem.path.length > 0 ? problem : { ...problem, allowed: undefined, remedy: RESTORE }));
  if (problems.length > 0) throw new EnvironmentFileError(fileReport(name, problems));
  return at(source.value, ['places']) as InstancePlaces;
}

const RESTORE = 'take the file from version control again: it says where the tenants of this environment are';

/**
 * Writes the places; answers whether that changed the file.
 *
 * @throws EnvironmentFileError if the file cannot be written.
 */
export function writePlaces(path: string, places: InstancePlaces): boolean {
  const sorted = Object.fromEntries(Object.entries(places).sort(([a], [b]) => (a < b ? -1 : 1)));
  const text = `${JSON.stringify({ about: ABOUT, places: sorted }, null, 2)}\n`;
  if (existsSync(path) && readFileSync(path, 'utf8') === text) return false;
  try {
    // A synthesis that is killed leaves the old file or the new one.
    writeFileSync(`${path}.${process.pid}`, text);
    renameSync(`${path}.${process.pid}`, path);
  } catch (error) {
    throw new EnvironmentFileError(
      `${shownPath(path)} cannot be written: ${(error as Error).message}. Synthesise where it can be, and commit it.`,
    );
  }
  return true;
}

const ABOUT =
  'Where each tenant has its place, for good. Synthesis adds to it: commit it. Delete entries only as docs/moving-a-tenant.md says.';
