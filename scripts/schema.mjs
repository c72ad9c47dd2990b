// Writes schema/environment.schema.json from the struct Environment, and from that the tables of keys in
// docs/environment-file.md. With --check it writes nothing and fails when either is stale.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { createGenerator } from 'ts-json-schema-generator';
import { tsImport } from 'tsx/esm/api';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const SCHEMA = join(root, 'schema', 'environment.schema.json');
const GUIDE = join(root, 'docs', 'environment-file.md');
const [START, END] = ['<!-- keys -->', '<!-- end of keys -->'];

const { instanceClassNames } = await load('lib/database/instance-class.ts');
const { cacheNodeTypeNames } = await load('lib/cache/cache-node-type.ts');

const schema = environmentSchema();
const guide = readFileSync(GUIDE, 'utf8');
const outputs = [
  [SCHEMA, `${JSON.stringify(schema, null, 2)}\n`],
  [GUIDE, await formatted(`${guide.split(START)[0]}${START}\n\n${keyTables(schema)}\n${END}${guide.split(END)[1]}`)],
];

if (process.argv.includes('--check')) {
  const stale = outputs.filter(([file, content]) => readFileSync(file, 'utf8') !== content).map(([file]) => file);
  for (const file of stale) console.error(`${file} is stale: run npm run schema`);
  process.exitCode = stale.length > 0 ? 1 : 0;
} else {
  mkdirSync(dirname(SCHEMA), { recursive: true });
  for (const [file, content] of outputs) writeFileSync(file, content);
}

async function load(path) {
  const module = await tsImport(join(root, path), import.meta.url);
  return module.default ?? module;
}

async function formatted(markdown) {
  return format(markdown, { ...(await resolveConfig(GUIDE)), parser: 'markdown' });
}

function environmentSchema() {
  const generated = createGenerator({
    path: join(root, 'lib', 'environment', 'environment.ts'),
    tsconfig: join(root, 'tsconfig.json'),
    type: 'Environment',
    jsDoc: 'extended',
    extraTags: ['patternErrorMessage'],
    topRef: false,
    sortProps: false,
    additionalProperties: false,
    skipTypeCheck: true,
  }).createSchema('Environment');
  const { definitions, ...environment } = generated;
  for (const node of nodesOf(generated)) {
    if ('const' in node) {
      node.enum = [node.const];
      delete node.const;
    }
    if (typeof node.default === 'string') describeDefault(node, definitions);
  }
  for (const name of ['EnvironmentDatabase', 'EnvironmentShard']) {
    definitions[name].properties.instanceClass.enum = instanceClassNames();
  }
  definitions.EnvironmentCache.properties.nodeType.enum = cacheNodeTypeNames();
  return { title: 'Environment of cdk-superset-tenancy', ...environment, definitions };
}

/** A default in words goes to the description; one that names a member of an enum becomes the member's value. */
function describeDefault(node, definitions) {
  const [, name, member] = /^(\w+)\.(\w+)$/.exec(node.default) ?? [];
  const value = definitions[name]?.enum.find((each) => each.toUpperCase().replaceAll('-', '_') === member);
  if (value) {
    node.default = value;
  } else if (node.default.startsWith('- ')) {
    node.description += ` Default: ${node.default.slice(2)}.`;
    delete node.default;
  }
}

function* nodesOf(node) {
  yield node;
  for (const child of Object.values(node)) {
    if (typeof child === 'object' && child !== null) yield* nodesOf(child);
  }
}

function keyTables({ definitions, ...environment }) {
  const tables = [];
  const pending = [['The file', environment]];
  const seen = new Set();
  for (let next = pending.shift(); next; next = pending.shift()) {
    const [title, { properties, required = [] }] = next;
    const rows = Object.entries(properties).map(([key, property]) => {
      const { name, node } = resolved(property.items ?? property, definitions);
      if (node.properties && !seen.has(name)) {
        seen.add(name);
        const users = keysOf(name, { definitions, environment });
        pending.push([users.map((user) => `\`${user}\``).join(' and '), node]);
      }
      const cells = [`\`${key}\``, required.includes(key) ? 'yes' : '', allowed(property, definitions)];
      return `| ${[...cells, what(property)].map((cell) => cell.replace(/[|<]/g, '\\$&')).join(' | ')} |`;
    });
    tables.push(`### ${title}\n\n| Key | Required | Value | What |\n| --- | --- | --- | --- |\n${rows.join('\n')}\n`);
  }
  return tables.join('\n');
}

function resolved(property, definitions) {
  const name = property.$ref?.replace('#/definitions/', '');
  return { name, node: name ? definitions[name] : property };
}

/** The keys that hold a definition, from the top of the file. */
function keysOf(name, { definitions, environment }) {
  const walk = (node, prefix) =>
    Object.entries(node.properties).flatMap(([key, property]) => {
      const path = `${prefix}${key}${property.items ? '[]' : ''}`;
      const child = resolved(property.items ?? property, definitions);
      const here = child.name === name ? [path] : [];
      return child.node.properties ? [...here, ...walk(child.node, `${path}.`)] : here;
    });
  return walk(environment, '');
}

function allowed(property, definitions) {
  const { node } = resolved(property, definitions);
  if (node.items) {
    const items = resolved(node.items, definitions).node.properties ? 'list of mappings' : 'list of texts';
    const { minItems = 0, maxItems } = node;
    return maxItems ? `${items}, ${minItems} to ${maxItems}` : minItems ? `${items}, at least ${minItems}` : items;
  }
  if (node.properties) return 'mapping';
  if (node.enum) return node.enum.length > 12 ? 'see What' : node.enum.map((each) => `\`${each}\``).join(', ');
  if (node.type === 'integer') return `${node.minimum} to ${node.maximum}`;
  if (node.type === 'boolean') return '`true` or `false`';
  return node.patternErrorMessage ?? `${node.minLength} to ${node.maxLength} characters`;
}

function what({ description, default: byDefault }) {
  const text = description.replace(/\s+/g, ' ');
  return byDefault === undefined ? text : `${text} Default: \`${byDefault}\`.`;
}
