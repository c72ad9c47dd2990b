import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The props of each public construct, and their keys: from the sources, so that a new one cannot be left out. */
export function publicProps(): [props: string, keys: string[]][] {
  const lib = join(__dirname, '..', '..', 'lib');
  const files = [...readFileSync(join(lib, 'index.ts'), 'utf8').matchAll(/from '\.\/(.*)'/g)].map(([, file]) => file);
  const sources = files.map((file) => readFileSync(join(lib, `${file}.ts`), 'utf8')).join('\n');
  const structs = new Map(
    [...sources.matchAll(/^export interface (\w+)(?: extends (\w+))? \{\n(.*?)^\}/gms)].map(
      ([, name, parent, body]) => [
        name,
        { parent, keys: [...body.matchAll(/^ {2}readonly (\w+)/gm)].map(([, key]) => key) },
      ],
    ),
  );
  const keysOf = (name: string | undefined): string[] => {
    const struct = name === undefined ? undefined : structs.get(name);
    return struct ? [...struct.keys, ...keysOf(struct.parent)] : [];
  };
  return [...structs.keys()].filter((name) => name.endsWith('Props')).map((name) => [name, keysOf(name)]);
}
