import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { TenancyModel } from '../../lib/environment/environment';
import { REPOSITORY } from '../../local/directories';
import { Right } from '../../local/emulator';

/** A row of the table in docs/permissions.md. */
interface Listed {
  readonly row: string;
  readonly matches: (right: Right) => boolean;
}

/** Where the table of rights that no run uses differs from the rights of a run, in which a Superset was deployed and used. */
export function differences(rights: Right[], model: TenancyModel): Record<string, string[]> {
  const listed = rowsOf(model);
  const text = ({ role, action, on }: Right) => `${role} ${action} ${on}`;
  const isListed = (right: Right) => listed.some(({ matches }) => matches(right));
  return {
    'not used, and not listed': rights.filter((right) => !right.used && !isListed(right)).map(text),
    'listed, and used': rights.filter((right) => right.used && isListed(right)).map(text),
    'listed, and not granted': listed.filter(({ matches }) => !rights.some(matches)).map(({ row }) => row),
  };
}

/** No difference. */
export const SAME = { 'not used, and not listed': [], 'listed, and used': [], 'listed, and not granted': [] };

function rowsOf(model: TenancyModel): Listed[] {
  const page = readFileSync(join(REPOSITORY, 'docs', 'permissions.md'), 'utf8');
  const rows = [...page.matchAll(/^\| `(.+?)` *\| `(.+?)` *\| `(.+?)` *\| (?:`(.+?)`)? *\|/gm)];
  return rows
    .filter(([, , , , of]) => of === undefined || of === model)
    .map(([, role, action, on]) => ({
      row: `${role} ${action} ${on}`,
      matches: (right) => like(right.role, role) && like(right.action, action) && like(right.on, on),
    }));
}

function like(text: string, pattern: string): boolean {
  const parts = pattern.split('*').map((part) => part.replace(/[\\^$.+?()[\]{}|]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`).test(text);
}
