import { versionProblems } from '../../lib/environment/version-rules';
import { problemText } from '../../lib/validation/problem';

const ECR = '000000000000.dkr.ecr.eu-central-1.amazonaws.com/superset';
const DIGEST = `sha256:${'0'.repeat(64)}`;

const problems = (superset: object, instance?: object) =>
  versionProblems({ superset, tenants: [{ id: 'tk4q9w', instance }] }).map(problemText);

test.each([
  ['the version of the library, without an image', { version: '6.1.0' }, {}],
  ['another version, with an image of it', { version: '6.2.0', image: `${ECR}:6.2.0` }, {}],
  ['an image whose tag says no version', { version: '6.2.0', image: `${ECR}:stable` }, {}],
  ['an image with a port, and no tag', { version: '6.2.0', image: 'registry.example:5000/superset' }, {}],
  ['an image by its digest', { version: '6.2.0', image: `${ECR}@${DIGEST}` }, {}],
  ['a build of the version', { version: '6.2.0', image: `${ECR}:v6.2.0-acme.3` }, {}],
  ['a tenant with version and image', { version: '6.1.0' }, { supersetVersion: '6.2.0', image: `${ECR}:6.2.0` }],
])('%s is in order', (_, superset, instance) => {
  expect(problems(superset, instance)).toEqual([]);
});

test('a version selects no image: without one it is refused', () => {
  expect(problems({ version: '6.99.0' })).toEqual([
    'superset.version is "6.99.0", but the image that is built from superset/ is of 6.1.0; allowed: 6.1.0; to mend: write 6.1.0, or add image, of 6.99.0, beside it [VERSION_WITHOUT_IMAGE]',
  ]);
});

test("a tenant's version that is not the environment's is refused without an image", () => {
  const said =
    'tenants[0].instance.supersetVersion is "6.1.0", but the image is that of 6.2.0; to mend: add image, of that version, beside it [VERSION_WITHOUT_IMAGE]';

  expect(problems({ version: '6.2.0', image: ECR }, { supersetVersion: '6.1.0' })).toEqual([said]);
});

test.each([
  ['superset', { version: '6.2.0', image: `${ECR}:6.1.0` }, {}, 'superset.image'],
  ['a tenant', { version: '6.1.0' }, { supersetVersion: '6.2.0', image: `${ECR}:6.1.0` }, 'tenants[0].instance.image'],
  [
    'a tenant with an image only',
    { version: '6.2.0', image: ECR },
    { image: `${ECR}:v6.1.0-2@${DIGEST}` },
    'tenants[0].instance.image',
  ],
])('an image whose tag is of another version is refused: %s', (_, superset, instance, path) => {
  expect(problems(superset, instance)).toEqual([
    `${path} has a tag of Superset 6.1.0, but the version is 6.2.0; to mend: set the version to 6.1.0, or name an image of 6.2.0 [VERSION_CONTRADICTED]`,
  ]);
});
