import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import Ajv from 'ajv';
import { parse } from 'yaml';
import schema from '../../schema/environment.schema.json';
import { GOOD } from './bad-files';

const ROOT = join(__dirname, '..', '..');

test('the JSON Schema and the tables of keys in the guide are those of the struct Environment', () => {
  expect(() => execFileSync(process.execPath, ['scripts/schema.mjs', '--check'], { cwd: ROOT })).not.toThrow();
}, 60_000);

test('an editor that knows the schema takes a good file, and no key that it does not have', () => {
  const validate = new Ajv({ keywords: ['patternErrorMessage'] }).compile(schema);
  const good = parse(GOOD) as Record<string, unknown>;
  expect(validate(good)).toBe(true);
  expect(validate({ ...good, colour: 'blue' })).toBe(false);
});

interface Property {
  readonly type?: string;
  readonly description?: string;
  readonly pattern?: string;
  readonly maxLength?: number;
  readonly enum?: string[];
}

test('every key has a description, and every text a bound', () => {
  const structs = Object.values({ ...schema.definitions, schema }) as { properties?: Record<string, Property> }[];
  const properties = structs.flatMap((struct) => Object.entries(struct.properties ?? {}));
  const bare = properties.filter(([, { description = '' }]) => description.length < 8);
  const unbounded = properties.filter(
    ([, { type, pattern, maxLength, enum: values }]) => type === 'string' && !pattern && !maxLength && !values,
  );
  expect({ bare, unbounded }).toEqual({ bare: [], unbounded: [] });
});
