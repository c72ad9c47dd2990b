import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EnvironmentFileError } from '../../lib/environment/environment-file-error';
import { InstanceSharing } from '../../lib/tenant/tenant-instance';
import { readPlaces, writePlaces } from '../../lib/placement/places-file';

let directory: string;
let file: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'places-'));
  file = join(directory, 'prod.places.json');
});
afterEach(() => rmSync(directory, { recursive: true }));

const PLACE = { region: 'eu-central-1', network: InstanceSharing.CELL, database: InstanceSharing.CELL, cell: 1 };
const PLACES = { tk4q9w: { ...PLACE, priority: 1 }, tz81mm: { ...PLACE, priority: 2 } };

/** What is said of a file, without its path. */
function refusal(text: string): string {
  writeFileSync(file, text);
  try {
    readPlaces(file);
  } catch (error) {
    if (!(error instanceof EnvironmentFileError)) throw error;
    expect(error.stack).not.toMatch(/^\s+at /m);
    return error.message.replaceAll(`${directory}/`, '');
  }
  throw new Error('It was read.');
}

const refusalOf = (places: object) => refusal(JSON.stringify({ about: '', places }, null, 2));

test('holds the places from one synthesis to the next, and changes only with them', () => {
  expect(readPlaces(file)).toEqual({});
  expect(writePlaces(file, PLACES)).toBe(true);
  expect(readPlaces(file)).toEqual(PLACES);
  expect(writePlaces(file, { tz81mm: PLACES.tz81mm, tk4q9w: PLACES.tk4q9w })).toBe(false);
  expect(readFileSync(file, 'utf8')).toContain('commit it');
  expect(readdirSync(directory)).toEqual(['prod.places.json']);
});

test('of a version that kept the cell only is read', () => {
  const places = { tk4q9w: { region: 'eu-central-1', cell: 1, priority: 1 } };
  writeFileSync(file, JSON.stringify({ about: 'Where each tenant has its place, for good.', places }));

  expect(readPlaces(file)).toEqual(places);
});

test('two tenants with one rule, as after a merge, are both named with their line', () => {
  expect(refusalOf({ ...PLACES, tz81mm: { ...PLACE, priority: 1 } })).toBe(
    `prod.places.json has 1 problem:

prod.places.json:16:19: places.tz81mm.priority is 1 in cell 1 of eu-central-1, as places.tk4q9w.priority is, and a load balancer has one rule of each [PRIORITY_DUPLICATE]
    to mend: delete the entry of the one that is not deployed yet, tk4q9w or tz81mm: the next synthesis gives it another priority`,
  );
});

test('one priority in two cells, or in two regions, is no conflict', () => {
  const places = {
    ...PLACES,
    tq7b3x: { ...PLACE, cell: 2, priority: 1 },
    tw55aa: { ...PLACE, region: 'us-east-1', priority: 1 },
  };
  writeFileSync(file, JSON.stringify({ places }));

  expect(readPlaces(file)).toEqual(places);
});

test('all problems are reported at once, each with its line', () => {
  const places = {
    tk4q9w: { ...PLACE, priority: 0 },
    Acme: { ...PLACE, priority: 1 },
    tz81mm: { region: 'mars', database: 'both', cell: 1.5, priority: '2', colour: 'red' },
    tq7b3x: { region: 'eu-central-1', cell: 3 },
    tw55aa: 7,
    tw55ab: null,
  };

  expect(refusalOf(places).match(/^prod\.places\.json:.*$/gm)).toEqual([
    'prod.places.json:9:19: places.tk4q9w.priority is 0 [VALUE_INVALID]',
    'prod.places.json:11:5: places.Acme is not the id of a tenant [TENANT_ID_INVALID]',
    'prod.places.json:19:17: places.tz81mm.region is "mars" [VALUE_INVALID]',
    'prod.places.json:20:19: places.tz81mm.database is "both" [VALUE_INVALID]',
    'prod.places.json:21:15: places.tz81mm.cell is 1.5 [VALUE_INVALID]',
    'prod.places.json:22:19: places.tz81mm.priority is "2" [VALUE_INVALID]',
    'prod.places.json:23:7: places.tz81mm.colour is not a known key [KEY_UNKNOWN]',
    'prod.places.json:25:15: places.tq7b3x.priority is missing [KEY_MISSING]',
    'prod.places.json:29:15: places.tw55aa is 7 [VALUE_INVALID]',
    'prod.places.json:30:15: places.tw55ab is null [VALUE_INVALID]',
  ]);
});

test.each([
  [
    'empty',
    '',
    /^prod\.places\.json:1:1: the file is empty \[YAML_NO_MAPPING\]\n {4}to mend: take the file from version/m,
  ],
  [
    'cut off',
    '{',
    /^prod\.places\.json:1:\d: the file is not YAML: .* \[YAML_SYNTAX\]\n {4}to mend: take the file from version/m,
  ],
  [
    'a list',
    '[]',
    /^prod\.places\.json:1:1: the file is a list at its top level .*\n {4}to mend: take the file from version/m,
  ],
  ['without places', '{}', /^prod\.places\.json:1:1: places is missing \[KEY_MISSING\]/m],
  ['with a list of places', '{"places": []}', /^prod\.places\.json:1:12: places is a list \[VALUE_INVALID\]/m],
  [
    'with a tenant twice',
    '{"places": {\n "tk4q9w": {"region": "eu-central-1"},\n "tk4q9w": {"region": "us-east-1"}}}',
    /^prod\.places\.json:3:2: places\.tk4q9w is there already, in line 2 \[KEY_DUPLICATE\]/m,
  ],
  [
    'with the marks of a merge',
    '{"places": {\n<<<<<<< HEAD\n "tk4q9w": {"region": "eu-central-1"}\n}}',
    /^prod\.places\.json:2:1: places\..* is not the id of a tenant/m,
  ],
  ['no more than a byte order mark', '\ufeff', /prod\.places\.json.*empty/],
])('a file that is %s is refused, rather than that all tenants get another place', (_, text, said) => {
  expect(refusal(text)).toMatch(said);
});

test('a directory is refused, and so is a place that cannot be written', () => {
  mkdirSync(file);

  expect(() => readPlaces(file)).toThrow(/prod\.places\.json is not a file\. Name a file/);
  expect(() => writePlaces(join(directory, 'none', 'prod.places.json'), PLACES)).toThrow(
    /none\/prod\.places\.json cannot be written: .* Synthesise where it can be, and commit it/,
  );
});
