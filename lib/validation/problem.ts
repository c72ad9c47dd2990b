/** Keys and indexes from the root to a value, for instance `['tenants', 3, 'id']`. */
export type Path = readonly (string | number)[];

/** One mistake in what was given. */
export interface Problem {
  readonly path: Path;
  /** Stable name of the rule that was broken, for instance `TENANT_ID_RESERVED`. */
  readonly code: string;
  /** What was given and why it cannot stay: the sentence that starts with the path. */
  readonly fault: string;
  /** What is allowed. */
  readonly allowed?: string;
  /** How to mend it. */
  readonly remedy?: string;
  /** Whether the key is wrong, not its value. */
  readonly atKey?: boolean;
}

/** A path as people write it: `tenants[3].id`. */
export function pathText(path: Path): string {
  return path
    .map((part, index) => (typeof part === 'number' ? `[${part}]` : `${index > 0 ? '.' : ''}${keyText(part)}`))
    .join('');
}

/** A problem in one line. */
export function problemText({ path, code, fault, allowed, remedy }: Problem): string {
  const parts = [`${pathText(path)} ${fault}`, allowed && `allowed: ${allowed}`, remedy && `to mend: ${remedy}`];
  return visibleText(`${parts.filter(Boolean).join('; ')} [${code}]`);
}

/** A text in which nothing is invisible: control, format and bidirectional characters are written as escapes. */
export function visibleText(text: string): string {
  return text.replace(/\p{C}/gu, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
}

const LONGEST_SHOWN = 60;

/** A value as a message shows it. */
export function valueText(value: unknown): string {
  if (value === null || value === undefined) return 'empty';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a mapping';
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value);
  return shortened(text, String(value).length);
}

/** The beginning of a text that is too long to be shown. */
export function shortened(text: string, length = text.length): string {
  return text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}… (${length} characters)` : text;
}

function keyText(key: string): string {
  return /^[\w<-]+$/.test(key) ? key : JSON.stringify(key).slice(0, LONGEST_SHOWN);
}
