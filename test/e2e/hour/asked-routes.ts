import { Request } from 'playwright-core';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Parts of a path after which Superset puts a key that it makes anew each time. */
const BEFORE_A_KEY = /^(form_data|filter_state|permalink|p|export)$/;
const KEY = /^[\w-]{10,12}$/;

/** The method and the path of a request; numbers, UUIDs, keys, slugs and names of files are replaced by their kind. */
export function routeOf(request: Request): string {
  const parts = new URL(request.url()).pathname.split('/');
  const path = parts[1] === 'static' ? '/static/<file>' : parts.map((_, index) => kindOf(parts, index)).join('/');
  return `${request.method()} ${path}`;
}

function kindOf(parts: string[], index: number): string {
  const part = parts[index];
  const before = parts[index - 1];
  if (/^\d+$/.test(part)) {
    return '<id>';
  }
  if (UUID.test(part)) {
    return '<uuid>';
  }
  if (BEFORE_A_KEY.test(before) && KEY.test(part)) {
    return '<key>';
  }
  return before === 'dashboard' && part.includes('-') ? '<slug>' : part;
}
