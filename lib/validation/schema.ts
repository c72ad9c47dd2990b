import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Ajv, { ErrorObject, ValidateFunction } from 'ajv';
import { Token } from 'aws-cdk-lib';
import { nearest } from './nearest';
import { Path, Problem, valueText } from './problem';

const SCHEMA = join(__dirname, '..', '..', 'schema', 'environment.schema.json');

/** What a schema says of one value; ajv has already checked that it is well-formed. */
interface Schema {
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly properties?: Record<string, Schema & { readonly $ref?: string }>;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly patternErrorMessage?: string;
}

/** A struct of the schema: `Environment` itself, or one that it contains. */
export type SchemaName = 'Brand' | 'Environment' | 'EnvironmentShard' | 'Tenant' | 'TenantColumn' | 'TenantTable';

type Show = (path: Path, value: unknown) => string;

let ajv: Ajv | undefined;
let definitions: Record<string, Schema> = {};

/**
 * Where a value differs from the JSON Schema of its struct, one problem for each value or key.
 *
 * Values that are CDK tokens are not judged.
 *
 * @param show how a message shows the value at a path.
 */
export function schemaProblems(
  name: SchemaName,
  value: unknown,
  show: Show = (_path, given) => valueText(given),
): Problem[] {
  return problemsOf(validator(name), value, show);
}

/** A struct of the schema of which constructs take some keys by themselves. */
type StructName =
  | 'Environment'
  | 'EnvironmentData'
  | 'EnvironmentDomain'
  | 'EnvironmentNetwork'
  | 'EnvironmentShard'
  | 'EnvironmentSuperset'
  | 'TenantInstance';

/**
 * Where a value differs from what the JSON Schema says of one key of a struct: constructs that take the value by itself refuse what
 * an environment file refuses. A value that is not given is no problem, and CDK tokens are not judged.
 *
 * @param at path of the value, as the construct names it.
 */
export function propertyProblems(struct: StructName, key: string, value: unknown, at: Path): Problem[] {
  if (value === undefined || Token.isUnresolved(value)) return [];
  const problems = problemsOf(validator(struct, key), value, (_path, given) => valueText(given));
  return problems.map((problem) => ({ ...problem, path: [...at, ...problem.path] }));
}

function problemsOf(validate: ValidateFunction, value: unknown, show: Show): Problem[] {
  validate(value);
  const errors = (validate.errors ?? []).filter(({ data }) => !Token.isUnresolved(data));
  const misspelled = new Set(errors.map(meantKey));
  const problems = new Map<string, Problem>();
  for (const error of errors.sort((a, b) => rank(a) - rank(b))) {
    const problem = problemOf(error, show);
    const place = JSON.stringify(problem.path);
    const isMisspelled = error.keyword === 'required' && misspelled.has(place);
    if (!problems.has(place) && !isMisspelled) problems.set(place, problem);
  }
  return [...problems.values()];
}

function validator(name: SchemaName | StructName, key?: string): ValidateFunction {
  if (!ajv) {
    const schema = JSON.parse(readFileSync(SCHEMA, 'utf8'));
    definitions = schema.definitions;
    ajv = new Ajv({ allErrors: true, verbose: true, keywords: ['patternErrorMessage'] });
    ajv.addSchema(schema, 'Environment');
  }
  const struct = name === 'Environment' ? '' : `/definitions/${name}`;
  const validate = ajv.getSchema(`Environment#${struct}${key === undefined ? '' : `/properties/${key}`}`);
  if (!validate) throw new Error(`${SCHEMA} does not define ${key ?? ''} of ${name}.`);
  return validate;
}

/** A value of the wrong type breaks other rules, too, which need not be said. */
function rank({ keyword }: ErrorObject): number {
  return keyword === 'type' ? 0 : 1;
}

/** The place of the key that an unknown one was probably meant to be. */
function meantKey(error: ErrorObject): string | undefined {
  if (error.keyword !== 'additionalProperties') return undefined;
  const [meant] = nearest(error.params.additionalProperty, keysOf(error), 1);
  return meant && JSON.stringify([...pathOf(error), meant]);
}

function problemOf(error: ErrorObject, show: Show): Problem {
  const path = pathOf(error);
  const schema = error.parentSchema as Schema;
  const given = show(path, error.data);
  const allowed = allowedBy(schema);
  switch (error.keyword) {
    case 'additionalProperties':
      return unknownKey(path, error.params.additionalProperty, keysOf(error));
    case 'required':
      return missingKey(path, error.params.missingProperty, schema);
    case 'type':
      return { path, code: 'TYPE_WRONG', fault: `is ${given}`, allowed, remedy: retype(error.data, schema) };
    case 'enum':
      return { path, code: 'VALUE_UNKNOWN', ...unknownValue(given, error.data, schema.enum ?? []) };
    case 'minItems':
    case 'maxItems':
      return { path, code: 'LIST_LENGTH', fault: `has ${entries(error.data)}`, allowed };
    default:
      return { path, code: 'VALUE_INVALID', fault: `is ${given}`, allowed };
  }
}

function unknownKey(parent: Path, key: string, keys: string[]): Problem {
  const [meant] = nearest(key, keys, 1);
  return {
    path: [...parent, key],
    code: 'KEY_UNKNOWN',
    fault: 'is not a known key',
    allowed: keys.join(', '),
    remedy: meant ? `write ${meant}` : 'take it out',
    atKey: true,
  };
}

function missingKey(parent: Path, key: string, schema: Schema): Problem {
  const { $ref, ...property } = schema.properties?.[key] ?? {};
  const allowed = allowedBy($ref ? definitions[$ref.replace('#/definitions/', '')] : property);
  return { path: [...parent, key], code: 'KEY_MISSING', fault: 'is missing', allowed, remedy: `add ${key}` };
}

const MOST_LISTED = 12;

function unknownValue(given: string, value: unknown, known: readonly string[]): Omit<Problem, 'path' | 'code'> {
  const near = nearest(String(value), known, 3);
  const [meant] = near;
  return {
    fault: `is ${given}, which does not exist`,
    allowed:
      known.length <= MOST_LISTED
        ? known.join(', ')
        : near.length > 0
          ? `${near.join(', ')} and others`
          : families(known),
    remedy: meant && `write ${meant}`,
  };
}

function families(known: readonly string[]): string {
  return [...new Set(known.map((each) => each.replace(/[^.]*$/, '*')))].join(', ');
}

function entries(list: unknown): string {
  const count = (list as unknown[]).length;
  return count === 1 ? '1 entry' : `${count} entries`;
}

function allowedBy(schema: Schema): string {
  const { minimum, maximum, minLength = 0, maxLength, minItems = 0, maxItems } = schema;
  if (schema.enum && schema.enum.length <= MOST_LISTED) return schema.enum.join(', ');
  if (schema.patternErrorMessage) return schema.patternErrorMessage;
  switch (schema.type) {
    case 'object':
      return `a mapping with ${Object.keys(schema.properties ?? {}).join(', ')}`;
    case 'array':
      return maxItems ? `a list of ${minItems} to ${maxItems}` : minItems ? `a list of at least ${minItems}` : 'a list';
    case 'integer':
      return `a whole number from ${minimum} to ${maximum}`;
    case 'boolean':
      return 'true or false';
    default:
      return maxLength ? `a text of ${minLength} to ${maxLength} characters` : 'a text';
  }
}

function retype(given: unknown, { type }: Schema): string | undefined {
  if (given === null) return 'give it a value, or take it out if it may be left out';
  switch (type) {
    case 'string':
      return typeof given === 'object' ? undefined : 'put it in quotes';
    case 'integer':
      return typeof given === 'string' && /^\d+$/.test(given) ? 'write it without quotes' : undefined;
    case 'boolean':
      return 'write true or false, without quotes';
    case 'array':
      return typeof given === 'object' ? 'start each entry with a dash' : 'write it as a list: [ … ]';
    default:
      return undefined;
  }
}

function keysOf({ parentSchema }: ErrorObject): string[] {
  return Object.keys((parentSchema as Schema).properties ?? {});
}

function pathOf({ instancePath }: ErrorObject): Path {
  return instancePath
    .split('/')
    .slice(1)
    .map((part) => (/^\d+$/.test(part) ? Number(part) : part.replaceAll('~1', '/').replaceAll('~0', '~')));
}
