import { existsSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { Brand } from '../superset/brand';
import { nearest } from '../validation/nearest';
import { Environment } from './environment';
import { EnvironmentFileError } from './environment-file-error';
import { environmentFiles } from './environment-files';
import { environmentProblems } from './environment-rules';
import { fileBytes, fileReport, shownPath } from './file-report';
import { YamlSource } from './yaml-source';

/** Reads environment files: see `docs/environment-file.md` and `schema/environment.schema.json`. */
export class EnvironmentFile {
  /**
   * The environment in a YAML file. Paths in it begin where the file is, and come out absolute.
   *
   * @param path of the file, from the working directory.
   * @throws an error whose message reports all problems of the file, in its order: line and column, what was given, what
   * is allowed and how to mend it.
   */
  public static load(path: string): Environment {
    const name = shownPath(path);
    const source = new YamlSource(bytesOf(path, name));
    const ofValues = environmentProblems(source.value, (each, value) => source.show(each, value), dirname(path));
    const problems = source.problems(ofValues);
    if (problems.length > 0) throw new EnvironmentFileError(fileReport(name, problems));
    return withAbsolutePaths(source.value as Environment, dirname(path));
  }

  private constructor() {}
}

function withAbsolutePaths(environment: Environment, directory: string): Environment {
  const { superset, tenants } = environment;
  return {
    ...environment,
    superset: withAbsolute(superset, directory, 'contentBundle'),
    tenants: tenants.map((tenant) =>
      tenant.instance ? { ...tenant, instance: withAbsolute(tenant.instance, directory) } : tenant,
    ),
  };
}

/** With the paths at some keys, and of the brand, absolute. */
function withAbsolute<Part extends { readonly brand?: Brand }>(part: Part, directory: string, ...keys: (keyof Part)[]) {
  const absolute = (value: object, names: readonly PropertyKey[]) =>
    Object.fromEntries(
      Object.entries(value).map(([key, path]) => [key, names.includes(key) ? resolve(directory, path) : path]),
    );
  return {
    ...part,
    ...absolute(part, keys),
    ...(part.brand && { brand: absolute(part.brand, ['logo', 'favicon']) }),
  };
}

function bytesOf(path: string, name: string): Buffer {
  const bytes = fileBytes(path, name, 'an environment file');
  if (bytes) return bytes;
  const fault = existsSync(path) ? 'is not a file' : 'does not exist';
  throw new EnvironmentFileError(`${name} ${fault}. ${neighbours(path)}`);
}

/** The environment files beside a path, the most alike first. */
function neighbours(path: string): string {
  const names = environmentFiles(dirname(path));
  const directory = shownPath(dirname(path));
  if (names.length === 0) return `There is no environment file in ${directory}.`;
  const [meant] = nearest(basename(path), names, 1);
  return `${directory} has ${names.join(', ')}.${meant ? ` Did you mean ${meant}?` : ''}`;
}
