import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EnvironmentFile } from '../../lib/environment/environment-file';
import { brandRuleProblems, imageUri } from '../../lib/superset/brand-rules';
import { problemText } from '../../lib/validation/problem';
import { databaseExample, example, instanceExample, newFleet, tenants, userApp } from '../tenancy/environments';
import { synthesise } from '../tenancy/templates';

let directory: string;
beforeAll(() => (directory = mkdtempSync(join(tmpdir(), 'brand-'))));
afterAll(() => rmSync(directory, { recursive: true }));

const NS = 'http://www.w3.org/2000/svg';
const SVG = `<svg xmlns="${NS}" viewBox="0 0 8 8"><path d="M0 0h8v8z"/></svg>`;
const drawn = (more: string) => SVG.replace('<path', `${more}<path`);

function png(width: number, height: number): Buffer {
  const header = Buffer.alloc(33);
  header.write('\x89PNG\r\n\x1a\n\0\0\0\rIHDR', 'latin1');
  header.writeUInt32BE(width, 16);
  header.writeUInt32BE(height, 20);
  return header;
}

function problemsOf(key: 'logo' | 'favicon', content: string | Buffer): string[] {
  writeFileSync(join(directory, 'image'), content);
  return brandRuleProblems({ [key]: 'image' }, directory).map(problemText);
}

describe('an image is taken', () => {
  test.each<[string, string | Buffer]>([
    ['as SVG', SVG],
    [
      'as SVG with a declaration, a comment and a style',
      `<?xml version="1.0"?>\n<!-- ours -->\n${drawn('<style>path{fill:red}</style>')}`,
    ],
    [
      'as SVG with a gradient that it refers to',
      drawn('<linearGradient id="a"/><use href="#a"/><path fill="url(#a)"/>'),
    ],
    [
      'as SVG with a DOCTYPE, and with what a drawing program notes for itself',
      `<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">${SVG.replace('<path', '<x:note xmlns:x="urn:x" x:href="https://example.com"/><path')}`,
    ],
    ['as PNG, whatever its name', png(512, 128)],
  ])('%s', (_title, content) => {
    expect(problemsOf('logo', content)).toEqual([]);
  });
});

describe('an image is refused', () => {
  test.each<[string, 'logo' | 'favicon', string | Buffer, RegExp]>([
    [
      'that is neither',
      'logo',
      'GIF89a',
      /^logo is "image", which is neither a PNG image nor well-formed SVG; allowed: PNG; or SVG/,
    ],
    ['that is HTML', 'logo', '<html><svg></svg></html>', /which is neither a PNG nor an SVG image/],
    ['that is too large', 'logo', SVG.padEnd(20 * 1024 + 1), /which has 21 KiB; allowed: at most 20 KiB/],
    [
      'that is too large for an icon',
      'favicon',
      SVG.padEnd(10 * 1024 + 1),
      /which has 11 KiB; allowed: at most 10 KiB/,
    ],
    ['that is too wide', 'logo', png(2049, 100), /which is 2049 by 100 pixels; allowed: at most 2048 by 512/],
    [
      'that is too high for an icon',
      'favicon',
      png(100, 513),
      /which is 100 by 513 pixels; allowed: at most 512 by 512/,
    ],
    ['with nothing in it', 'logo', png(0, 0), /which is 0 by 0 pixels/],
    [
      'with a script',
      'logo',
      drawn('<script>alert(1)</script>'),
      /which has an element script; allowed: PNG; or SVG of shapes/,
    ],
    [
      'with a script under another prefix',
      'logo',
      drawn(`<s:script xmlns:s="${NS}"/>`),
      /which has an element s:script/,
    ],
    ['with an animation', 'logo', drawn('<set attributeName="href" to="a"/>'), /which has an element set/],
    ['with HTML in it', 'logo', drawn('<foreignObject/>'), /which has an element foreignObject/],
    ['with an event handler', 'logo', drawn('<path onload="alert(1)"/>'), /which has an event handler \(onload\)/],
    [
      'with a link elsewhere',
      'logo',
      drawn('<image href="https://example.com/a"/>'),
      /which refers to https:\/\/example\.com\/a/,
    ],
    [
      'with a picture as SVG in it',
      'logo',
      drawn('<image href="data:image/svg+xml,a"/>'),
      /which refers to data:image\/svg\+xml/,
    ],
    [
      'with a paint from elsewhere',
      'logo',
      drawn('<path style="fill:url(https://example.com/a)"/>'),
      /elsewhere \(style\)/,
    ],
    [
      'with a style from elsewhere',
      'logo',
      drawn('<style>@import "https://example.com/a"</style>'),
      /elsewhere \(style\)/,
    ],
    ['with letters written otherwise', 'logo', drawn('<style>@\\69mport "a"</style>'), /elsewhere \(style\)/],
    ['with an entity', 'logo', `<!DOCTYPE svg [<!ENTITY a "b">]>${SVG}`, /which declares entities|well-formed/],
    ['that is not well-formed', 'logo', SVG.replace('</svg>', ''), /neither a PNG image nor well-formed SVG/],
    ['without the namespace of SVG', 'logo', '<svg><path d="M0 0"/></svg>', /which is neither a PNG nor an SVG image/],
  ])('%s', (_title, key, content, expected) => {
    expect(problemsOf(key, content)).toEqual([expect.stringMatching(expected)]);
  });

  test('that is not there', () => {
    expect(brandRuleProblems({ logo: 'nowhere.svg' }, directory).map(problemText)).toEqual([
      'logo is "nowhere.svg", which is not there; to mend: write its path, from where this file is [BRAND_IMAGE]',
    ]);
  });
});

test.each(['#14532d', '#000000', '#767676', '#1A5FB4'])(
  'a colour on which white is legible is taken: %s',
  (primaryColor) => {
    expect(brandRuleProblems({ primaryColor }, directory)).toEqual([]);
  },
);

test.each([
  ['#ffffff', '1.0', '#757575'],
  ['#777777', '4.5', '#757575'],
  ['#ffcc00', '1.5', '#8e7200'],
])('a colour on which it is not is refused with a shade on which it is: %s', (primaryColor, contrast, shade) => {
  expect(brandRuleProblems({ primaryColor }, directory).map(problemText)).toEqual([
    `primaryColor is "${primaryColor}", on which white text has a contrast of ${contrast} to 1; allowed: 4.5 to 1 or more (WCAG 2.2, success criterion 1.4.3); to mend: write '${shade}' [BRAND_CONTRAST]`,
  ]);
  expect(brandRuleProblems({ primaryColor: shade }, directory)).toEqual([]);
});

test('problems of a brand in a file come with their lines, beside all others', () => {
  const brand = ['brand:', '  name: "a <b>"', '  logo: nowhere.svg', "  primaryColor: '#ffcc00'", '  shadow: none'];
  const file = join(directory, 'prod.yaml');
  const lines = [
    "account: '123456789012'",
    'region: eu-central-1',
    'model: instance-per-tenant',
    'domain:',
    '  name: superset.example.com',
    '  certificateArn: arn:aws:acm:eu-central-1:123456789012:certificate/5b0d6e0c-7f7f-4c55-9b0d-6a8f3c1c2d4e',
    'superset: { version: 6.1.0 }',
    'tenants:',
    '  - id: tk4q9w',
    '    displayName: Northwind',
    '    adminEmail: ada@northwind.example',
    '    instance:',
    ...brand.map((line) => `      ${line}`),
  ];
  writeFileSync(file, lines.join('\n'));

  expect(() => EnvironmentFile.load(file)).toThrow(
    new RegExp(
      [
        '4 problems:',
        ':14:\\d+: tenants\\[0\\]\\.instance\\.brand\\.name is "a <b>" \\[VALUE_INVALID\\]',
        ':15:\\d+: tenants\\[0\\]\\.instance\\.brand\\.logo is "nowhere.svg", which is not there',
        ':16:\\d+: tenants\\[0\\]\\.instance\\.brand\\.primaryColor is "#ffcc00"',
        ':17:\\d+: tenants\\[0\\]\\.instance\\.brand\\.shadow is not a known key',
      ].join('[\\s\\S]*'),
    ),
  );
});

/** The brand of each container that has one, by the name of the container. */
function brandsOf(template: {
  readonly Resources: Record<string, { Type: string; Properties: Record<string, never> }>;
}) {
  const containers = Object.values(template.Resources)
    .filter(({ Type }) => Type === 'AWS::ECS::TaskDefinition')
    .flatMap(
      ({ Properties }) =>
        Properties.ContainerDefinitions as { Name: string; Environment: { Name: string; Value: string }[] }[],
    );
  return Object.fromEntries(
    containers.flatMap(({ Name, Environment }) =>
      Environment.filter((each) => each.Name === 'SUPERSET_BRAND').map(({ Value }) => [Name, JSON.parse(Value)]),
    ),
  );
}

test('web and workers are given the brand, with its images as text; migration and clock are not', () => {
  const environment = instanceExample();
  const app = userApp();
  newFleet(app, environment);
  const brands = brandsOf(app.synth().getStackByName('Demo-tk4q9w').template);

  expect(Object.keys(brands).sort()).toEqual(['web', 'worker']);
  expect(brands.web).toEqual({
    ...environment.tenants[0].instance!.brand,
    logo: imageUri(environment.tenants[0].instance!.brand!.logo!),
    favicon: expect.stringMatching(/^data:image\/svg\+xml;base64,/),
  });
});

test('a tenant has of the fleet what its own brand leaves out', () => {
  const { superset } = instanceExample();
  const environment = instanceExample({
    superset: { ...superset, brand: { name: 'Fleet', primaryColor: '#14532d' } },
    tenants: [{ ...tenants(1)[0], instance: { brand: { name: 'Own' } } }, tenants(2)[1]],
  });
  const app = userApp();
  newFleet(app, environment);
  const assembly = app.synth();
  const brandOf = (id: string) => brandsOf(assembly.getStackByName(`Demo-${id}`).template).web;

  expect(brandOf('t00000')).toEqual({ name: 'Own', primaryColor: '#14532d' });
  expect(brandOf('t00001')).toEqual({ name: 'Fleet', primaryColor: '#14532d' });
});

test.each([
  ['shared', example],
  ['database per tenant', databaseExample],
])('a Superset that all tenants share has one brand, too: %s', (_model, environmentOf) => {
  const { superset } = environmentOf();
  const { parent } = synthesise(environmentOf({ superset: { ...superset, brand: { name: 'Platform' } } }));

  expect(brandsOf(parent as never).web).toEqual({ name: 'Platform' });
});
