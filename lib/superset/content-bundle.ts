import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { Problem } from '../validation/problem';

/**
 * Largest content bundle. The migration's task unpacks it in memory, beside Superset, in 1 GiB; YAML is about ten times its ZIP.
 * Superset itself takes no file in it of more than 100 MiB (`ZIPPED_FILE_MAX_SIZE`).
 */
const LARGEST_MIB = 10;

/** What is wrong with a file as a bundle that Superset has exported; nothing if it looks like one. */
export function contentBundleProblem(file: string): Omit<Problem, 'path'> | undefined {
  const problem = (code: string, fault: string, remedy?: string) => ({
    code,
    fault: `is ${file}, which ${fault}`,
    allowed: `a ZIP file of at most ${LARGEST_MIB} MiB, as Superset exports dashboards`,
    remedy,
  });
  try {
    const stats = statSync(file);
    if (!stats.isFile()) return problem('CONTENT_BUNDLE_NO_FILE', 'is not a file');
    const mib = stats.size / 2 ** 20;
    if (mib > LARGEST_MIB) {
      return problem('CONTENT_BUNDLE_TOO_LARGE', `has ${mib.toFixed(1)} MiB`, 'export fewer dashboards');
    }
    return isZip(file)
      ? undefined
      : problem('CONTENT_BUNDLE_NO_ZIP', 'is not a ZIP file, or an empty one', 'export it again');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const missing = code === 'ENOENT' || code === 'ENOTDIR';
    return problem('CONTENT_BUNDLE_UNREADABLE', missing ? 'does not exist' : `cannot be read: ${message}`);
  }
}

/** Whether a file begins as a ZIP file with something in it does. */
function isZip(file: string): boolean {
  const descriptor = openSync(file, 'r');
  try {
    const start = Buffer.alloc(4);
    readSync(descriptor, start);
    return start.toString('latin1') === 'PK\x03\x04';
  } finally {
    closeSync(descriptor);
  }
}
