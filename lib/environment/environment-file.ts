import { readFileSync, statSync } from 'node:fs';
import { basename, dirname, relative, resolve } from 'node:path';
import { Brand } from '../superset/brand';
import { nearest } from '../validation/nearest';
import { pathText, visibleText } from '../validation/problem';
import { Environment } from './environment';
import { EnvironmentFileError } from './environment-file-error';
import { environmentFiles } from './environment-files';
import { environmentProblems } from './environment-rules';
import { LocatedProblem, YamlSource } from './yaml-source';
import { isUtf16 } from './yaml-text';

/** Five thousand tenants, four times of what one stack may hold, take about one MiB. */
const LARGEST_MIB = 1;

/** More than anybody mends at once. */
const MOST_SHOWN = 500;

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
    if (problems.length > 0) throw new EnvironmentFileError(report(name, problems));
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

function report(name: string, problems: LocatedProblem[]): string {
  const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
  const hidden = problems.length - MOST_SHOWN;
  return [
    `${name} has ${count}:`,
    ...problems.slice(0, MOST_SHOWN).map((problem) => paragraph(name, problem)),
    ...(hidden > 0 ? [`These are the first ${MOST_SHOWN}; ${hidden} more follow once they are mended.`] : []),
  ].join('\n\n');
}

function paragraph(name: string, { line, column, path, code, fault, allowed, remedy }: LocatedProblem): string {
  const subject = path.length > 0 ? `${pathText(path)} ${fault}` : `the file ${fault}`;
  const lines = [`${name}:${line}:${column}: ${subject} [${code}]`];
  if (allowed) lines.push(`    allowed: ${allowed}`);
  if (remedy) lines.push(`    to mend: ${remedy}`);
  return lines.map(visibleText).join('\n');
}

function bytesOf(path: string, name: string): Buffer {
  const file = statSync(path, { throwIfNoEntry: false });
  if (!file) throw new EnvironmentFileError(`${name} does not exist. ${neighbours(path)}`);
  if (!file.isFile()) throw new EnvironmentFileError(`${name} is not a file. ${neighbours(path)}`);
  if (file.size > LARGEST_MIB * 2 ** 20) {
    const size = `${(file.size / 2 ** 20).toFixed(1)} MiB`;
    throw new EnvironmentFileError(`${name} has ${size}; an environment file has at most ${LARGEST_MIB} MiB.`);
  }
  const bytes = readFileSync(path);
  if (isUtf16(bytes)) {
    throw new EnvironmentFileError(`${name} is UTF-16. Save it as UTF-8.`);
  }
  return bytes;
}

/** The environment files beside a path, the most alike first. */
function neighbours(path: string): string {
  const names = environmentFiles(dirname(path));
  const directory = shownPath(dirname(path));
  if (names.length === 0) return `There is no environment file in ${directory}.`;
  const [meant] = nearest(basename(path), names, 1);
  return `${directory} has ${names.join(', ')}.${meant ? ` Did you mean ${meant}?` : ''}`;
}

function shownPath(path: string): string {
  const fromHere = relative(process.cwd(), path) || '.';
  return fromHere.startsWith('..') ? path : fromHere;
}
