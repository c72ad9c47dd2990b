import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EnvironmentFile } from '../../lib/environment/environment-file';
import { EnvironmentFileError } from '../../lib/environment/environment-file-error';
import { BAD_FILES, GOOD, spoiled } from './bad-files';

const directory = mkdtempSync(join(tmpdir(), 'environment-file-'));
const file = join(directory, 'prod.yaml');

afterAll(() => rmSync(directory, { recursive: true }));

function load(content: string | Buffer) {
  writeFileSync(file, content);
  return EnvironmentFile.load(file);
}

/** The report of a file, with the file's name as people see it. */
function report(content: string | Buffer): string {
  try {
    load(content);
  } catch (error) {
    if (error instanceof EnvironmentFileError) return error.message.replaceAll(file, 'prod.yaml');
    throw error;
  }
  return '';
}

/** The first line of each problem. */
function problems(content: string | Buffer): string[] {
  return [...report(content).matchAll(/^prod\.yaml:(\d+:\d+: .*)$/gm)].map(([, line]) => line);
}

describe('a file is refused, with line and column, for', () => {
  test.each(BAD_FILES)('%s', (_title, changes, expected) => {
    expect(problems(spoiled(changes))).toEqual(expected);
  });
});

test('no two of the bad files are the same', () => {
  expect(new Set(BAD_FILES.map(([title]) => title)).size).toBe(BAD_FILES.length);
  expect(new Set(BAD_FILES.map(([, changes]) => spoiled(changes))).size).toBe(BAD_FILES.length);
});

test('all problems of a file come in one report in its order, each with what is allowed and how to mend it', () => {
  const bad = spoiled([
    ["'123456789012'", '000000000042'],
    ['region:', 'regoin:'],
    ['m7g.large', 'm7g.larg'],
    ['minWebTasks: 2', 'minWebTasks: 5'],
    ['id: tk4q9w', 'id: select'],
    ['c7b1e9d4-05f2-4e3a-8d6c-9b24f7a1e053', 'C7B1E9D4-05F2-4E3A-8D6C-9B24F7A1E053'],
    ['displayName: Contoso', 'displayName: off'],
  ]);
  expect(report(bad)).toBe(`prod.yaml has 7 problems:

prod.yaml:1:10: account is 000000000042, which reads as 42 [TYPE_WRONG]
    allowed: 12 digits in quotes, for instance '123456789012'
    to mend: put it in quotes

prod.yaml:2:1: regoin is not a known key [KEY_UNKNOWN]
    allowed: account, region, model, secretNamePrefix, network, domain, database, shards, defaultShards, proxy, instances, regions, metadataDatabase, cache, superset, alarms, data, tenants, destroyDataWithStack
    to mend: write region

prod.yaml:11:18: database.instanceClass is "m7g.larg", which does not exist [VALUE_UNKNOWN]
    allowed: m7g.large, m6g.large, m7g.xlarge and others
    to mend: write m7g.large

prod.yaml:18:16: superset.minWebTasks is 5, more than maxWebTasks, which is 4 [TASKS_REVERSED]
    allowed: minWebTasks up to maxWebTasks

prod.yaml:28:9: tenants[0].id is "select", which is a key word of SQL [TENANT_ID_RESERVED]
    to mend: choose an opaque id, for instance tk4q9w

prod.yaml:33:12: tenants[1].value is "C7B1E9D4-05F2-4E3A-8D6C-9B24F7A1E053", which is not a uuid as the tenant column holds it [TENANT_VALUE_TYPE]
    allowed: a UUID in its canonical form: 8-4-4-4-12 digits 0 to 9 and a to f in lower case
    to mend: write c7b1e9d4-05f2-4e3a-8d6c-9b24f7a1e053

prod.yaml:34:18: tenants[1].displayName is off, which other YAML readers take for false [YAML_AMBIGUOUS]
    to mend: put it in quotes: 'off'`);
});

describe('a file is read', () => {
  const good = load(GOOD);

  test('as it is written', () => {
    expect(good).toMatchObject({
      account: '123456789012',
      superset: { version: '6.1.0', minWebTasks: 2 },
      data: { tenantColumn: { name: 'tenant_id', type: 'uuid' } },
      tenants: [
        { id: 'tk4q9w', displayName: 'Northwind' },
        { id: 'tz81mm', tier: 'basic' },
      ],
    });
  });

  test.each([
    ['with a byte order mark', `\ufeff${GOOD}`],
    ['with line ends of Windows', GOOD.replaceAll('\n', '\r\n')],
    ['with both', `\ufeff${GOOD.replaceAll('\n', '\r\n')}`],
    ['with comments, a document start and a document end', `# a comment\n---\n${GOOD}...\n`],
    ['as JSON', JSON.stringify(good)],
  ])('%s', (_title, content) => {
    expect(load(content)).toEqual(good);
  });

  test('with an alias', () => {
    const { tenants } = load(
      spoiled([
        ['Northwind\n', 'Northwind\n    limits: &few { connections: 5 }\n'],
        ['    tier: basic\n', '    limits: *few\n'],
      ]),
    );
    expect(tenants.map(({ limits }) => limits)).toEqual([{ connections: 5 }, { connections: 5 }]);
  });

  test.each([
    ['text', '"Café Zürich"', "'007'"],
    ['bigint', "'-9223372036854775808'", "'9223372036854775807'"],
  ])('with values of a %s column', (type, first, second) => {
    const { tenants } = load(
      spoiled([
        ['type: uuid', `type: ${type}`],
        ['3f0d2c1e-8a57-4b6b-9c1f-52e7d1a0b864', first],
        ['c7b1e9d4-05f2-4e3a-8d6c-9b24f7a1e053', second],
      ]),
    );
    expect(tenants.map(({ value }) => value)).toEqual([first, second].map((each) => each.slice(1, -1)));
  });

  test('with ids and names that only look like truth values or numbers, once they are in quotes', () => {
    const { tenants } = load(spoiled([['id: tz81mm', "id: 'off'"], ['displayName: Contoso', "displayName: '007'"]])); // prettier-ignore
    expect(tenants[1]).toMatchObject({ id: 'off', displayName: '007' });
  });

  test('with 5,000 tenants', () => {
    const tenants = Array.from(
      { length: 5_000 },
      (_, n) =>
        `  - { id: t${n}_x, value: 3f0d2c1e-8a57-4b6b-9c1f-${String(n).padStart(12, '0')}, displayName: T ${n}, adminEmail: a${n}@example.com }\n`,
    );
    expect(load(GOOD + tenants.join('')).tenants).toHaveLength(5_002);
  });

  test('the example that the repository ships', () => {
    const example = join(__dirname, '..', '..', 'examples', 'shared-rls', 'environments', 'demo.yaml');
    expect(EnvironmentFile.load(example).tenants).toHaveLength(2);
  });
});

describe('content of Superset', () => {
  const withContent = (path: string) => spoiled([['version: 6.1.0', `version: 6.1.0\n  contentBundle: ${path}`]]);
  beforeAll(() => {
    mkdirSync(join(directory, 'content'));
    writeFileSync(join(directory, 'content', 'sales.zip'), 'PK\x03\x04');
    writeFileSync(join(directory, 'content', 'sales.yaml'), 'version: 1.0.0\n');
  });

  test('is found from where the file is, and comes out with its whole path', () => {
    expect(load(withContent('content/sales.zip')).superset).toEqual({
      version: '6.1.0',
      contentBundle: join(directory, 'content', 'sales.zip'),
      minWebTasks: 2,
      maxWebTasks: 4,
    });
  });

  test.each([
    ['does not exist', 'content/sale.zip', 'CONTENT_BUNDLE_UNREADABLE'],
    ['is not a file', 'content', 'CONTENT_BUNDLE_NO_FILE'],
    ['is not a ZIP file', 'content/sales.yaml', 'CONTENT_BUNDLE_NO_ZIP'],
  ])('that %s is refused with line and column', (fault, path, code) => {
    expect(problems(withContent(path))).toEqual([
      expect.stringMatching(
        new RegExp(`^18:18: superset\\.contentBundle is .*${path}, which ${fault}.* \\[${code}\\]$`),
      ),
    ]);
  });
});

describe('a file that holds no environment', () => {
  test.each([
    ['nothing', '', '1:1: the file is empty [YAML_NO_MAPPING]'],
    ['comments', '# nothing yet\n', '1:1: the file is empty [YAML_NO_MAPPING]'],
    ['a list', '\n- account\n', '2:1: the file is a list at its top level [YAML_NO_MAPPING]'],
    ['a word', 'account\n', '1:1: the file is a single value at its top level [YAML_NO_MAPPING]'],
  ])('but %s is refused', (_title, content, expected) => {
    expect(problems(content)).toEqual([expected]);
  });

  test('names every key that has to be there', () => {
    expect(problems('alarms: {}\n').map((line) => line.split(' ')[1])).toEqual([
      'account',
      'region',
      'model',
      'domain',
      'superset',
      'tenants',
    ]);
  });
});

test.each([
  ['brackets', `x: ${'['.repeat(100_000)}\n`],
  ['braces', `x: ${'{ a: '.repeat(100_000)}\n`],
  ['indentation', Array.from({ length: 1_200 }, (_, level) => `${' '.repeat(level)}x:\n`).join('')],
  ['dashes', `x:\n${'- '.repeat(20_000)}a\n`],
])('nesting of %s that exhausts a parser is refused', (_title, content) => {
  expect(problems(content + GOOD).some((line) => line.endsWith('[YAML_DEEP]'))).toBe(true);
});

test('of thousands of problems the first 500 are shown', () => {
  const text = report(`${GOOD}${'colour: blue\n'.repeat(2_000)}`);
  expect(text).toMatch(/^prod\.yaml has 2000 problems:/);
  expect(text).toMatch(/These are the first 500; 1500 more follow once they are mended\.$/);
  expect(text.split('\n\n')).toHaveLength(502);
});

test('an e-mail address that takes a careless pattern for ever is refused', () => {
  const address = `a@${'.a'.repeat(200_000)}@`;
  expect(problems(spoiled([['ada@northwind.example', address]]))[0]).toMatch(/^31:17: tenants\[0\]\.adminEmail is "a@/);
});

test('an administrator has an e-mail address that fits into a user name of Superset', () => {
  const address = (length: number) => `${'a'.repeat(60)}@${'b'.repeat(length - 65)}.com`;
  expect(problems(spoiled([['ada@northwind.example', address(128)]]))).toEqual([]);
  expect(problems(spoiled([['ada@northwind.example', address(129)]]))[0]).toMatch(
    /^31:17: tenants\[0\]\.adminEmail is .*\[VALUE_INVALID\]$/,
  );
});

test('keys of the prototype reach no object', () => {
  problems('__proto__:\n  polluted: "x"\nconstructor:\n  prototype: { polluted: "x" }\n');
  expect(({} as { polluted?: string }).polluted).toBeUndefined();
});

test('bytes that are not UTF-8 are shown where they are', () => {
  const bytes = Buffer.from(GOOD.replace('Northwind', 'N\u00f6rthwind'), 'latin1');
  expect(problems(bytes)).toEqual(['30:19: the file is not UTF-8 [YAML_ENCODING]']);
});

test('UTF-16 is refused by its name', () => {
  expect(() => load(Buffer.from(`\ufeff${GOOD}`, 'utf16le'))).toThrow('prod.yaml is UTF-16. Save it as UTF-8.');
});

test('a file that is far too large is not read', () => {
  expect(() => load(`${GOOD}#${'x'.repeat(2 ** 20)}`)).toThrow('an environment file has at most 1 MiB');
});

describe('a file that does not exist', () => {
  const place = join(directory, 'environments');
  beforeAll(() => {
    mkdirSync(place);
    for (const name of ['prod.yaml', 'test.yaml', 'README.md']) writeFileSync(join(place, name), GOOD);
  });

  test('is answered with those that do, and the one that was meant', () => {
    expect(() => EnvironmentFile.load(join(place, 'prd.yaml'))).toThrow(
      `${place}/prd.yaml does not exist. ${place} has prod.yaml, test.yaml. Did you mean prod.yaml?`,
    );
  });

  test('and has no neighbours is answered so', () => {
    expect(() => EnvironmentFile.load(join(place, 'none', 'prod.yaml'))).toThrow(
      `There is no environment file in ${place}/none.`,
    );
  });

  test('but is a directory is refused', () => {
    expect(() => EnvironmentFile.load(place)).toThrow('environments is not a file.');
  });
});
