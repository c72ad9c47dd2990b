import { readFileSync, statSync } from 'node:fs';
import { relative } from 'node:path';
import { pathText, visibleText } from '../validation/problem';
import { EnvironmentFileError } from './environment-file-error';
import { LocatedProblem } from './yaml-source';
import { isUtf16 } from './yaml-text';

/** Five thousand tenants, four times of what one stack may hold, take about one MiB. */
const LARGEST_MIB = 1;

/** More than anybody mends at once. */
const MOST_SHOWN = 500;

/**
 * The bytes of a file that people edit, or nothing if there is no such file.
 *
 * @param name the path as messages show it.
 * @param kind what the file is, for instance `an environment file`.
 */
export function fileBytes(path: string, name: string, kind: string): Buffer | undefined {
  const file = statSync(path, { throwIfNoEntry: false });
  if (!file?.isFile()) return undefined;
  if (file.size > LARGEST_MIB * 2 ** 20) {
    const size = `${(file.size / 2 ** 20).toFixed(1)} MiB`;
    throw new EnvironmentFileError(`${name} has ${size}; ${kind} has at most ${LARGEST_MIB} MiB.`);
  }
  const bytes = readFileSync(path);
  if (isUtf16(bytes)) {
    throw new EnvironmentFileError(`${name} is UTF-16. Save it as UTF-8.`);
  }
  return bytes;
}

/** All problems of a file with their lines, what is allowed and how to repair them. */
export function fileReport(name: string, problems: LocatedProblem[]): string {
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

/** A path as messages show it: from the working directory, if it is below that. */
export function shownPath(path: string): string {
  const fromHere = relative(process.cwd(), path) || '.';
  return fromHere.startsWith('..') ? path : fromHere;
}
