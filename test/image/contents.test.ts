import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { BuiltImage } from '../../local/image/build';
import { contentProblems } from '../../local/image/contents';

const PACKAGES = 'usr/local/lib/python3.11/site-packages';
const LOCK =
  'six==1.17.0 \\\n    --hash=sha256:a\nzope-interface==7.0 \\\n    --hash=sha256:b\nwaitress==3.0.2 ; sys_platform == "win32" \\\n';

const scratch = mkdtempSync(join(tmpdir(), 'image-contents-'));
afterAll(() => rmSync(scratch, { recursive: true }));

function write(root: string, path: string, text = '', mode = 0o644): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
  chmodSync(join(root, path), mode);
}

function pack(root: string, name: string, version: string): void {
  write(root, `${PACKAGES}/${name}-${version}.dist-info/METADATA`, `Name: ${name}\nVersion: ${version}\n`);
}

/** An image as it should be, and what is done to its files. */
function imageWith(change: (files: string) => void, more: Partial<BuiltImage> = {}): BuiltImage {
  const directory = mkdtempSync(join(scratch, 'image-'));
  const [files, baseFiles] = ['files', 'base'].map((name) => join(directory, name));
  for (const root of [files, baseFiles]) {
    pack(root, 'pip', '24.0');
    write(root, 'usr/bin/su', '', 0o4755);
    write(root, 'usr/bin/env', '', 0o755);
  }
  pack(files, 'six', '1.17.0');
  pack(files, 'zope.interface', '7.0');
  change(files);
  return { files, baseFiles, user: 'superset', environment: { PATH: '/bin' }, ...more } as BuiltImage;
}

test('an image with what its base and its lock have is as it should be', () => {
  expect(
    contentProblems(
      imageWith(() => undefined),
      LOCK,
    ),
  ).toEqual([]);
});

test.each<[string, (files: string) => void, string]>([
  ['a compiler', (files) => write(files, 'usr/bin/gcc'), '/usr/bin/gcc'],
  ['a cache of pip', (files) => write(files, 'root/.cache/pip/http/a'), '/root/.cache/pip'],
  ["pip's configuration", (files) => write(files, 'etc/pip.conf'), '/etc/pip.conf'],
  ['keys of AWS', (files) => write(files, 'app/superset_home/.aws/credentials'), '/app/superset_home/.aws'],
  ['a new setuid program', (files) => write(files, 'usr/local/bin/become', '', 0o4755), '/usr/local/bin/become'],
  ['a setgid bit on a program of the base', (files) => chmodSync(join(files, 'usr/bin/env'), 0o2755), '/usr/bin/env'],
  ['a package beside the lock', (files) => pack(files, 'setuptools', '84.2.1'), 'setuptools==84.2.1'],
  ['another version of a package', (files) => pack(files, 'six', '1.16.0'), 'six==1.16.0'],
  [
    'no package that the lock has',
    (files) => rmSync(join(files, PACKAGES, 'six-1.17.0.dist-info'), { recursive: true }),
    'six==1.17.0',
  ],
])('an image with %s is refused', (_, change, named) => {
  const problems = contentProblems(imageWith(change), LOCK);
  expect(problems).toHaveLength(1);
  expect(problems[0]).toContain(named);
});

test('an image that runs as root, or that tells of the build, is refused', () => {
  const environment = { PIP_INDEX_URL: 'https://user:password@index.example/simple' };
  const problems = contentProblems(
    imageWith(() => undefined, { user: 'root', environment }),
    LOCK,
  );
  expect(problems).toEqual(['a variable of the build: PIP_INDEX_URL', 'processes of root']);
});
