import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { BuiltImage } from './build';

const SITE_PACKAGES = '/usr/local/lib/python3.11/site-packages';

/** Programs that build others from source. */
const COMPILERS = /^(cc|gcc|g\+\+|c\+\+|clang|ld|as|make|cmake|rustc|cargo|go)$/;

/** Where programs look for what they log in with; and pip's configuration, which may name a login, too. */
const CREDENTIALS = /^(pip\.conf|\.netrc|\.pypirc|\.npmrc|\.pgpass|\.aws|\.docker|\.ssh|\.git-credentials)$/;

const SET_ID_BITS = 0o6000;

/** What an image must not hold beyond its base, one line each; none if it is as its lock says. */
export function contentProblems(image: BuiltImage, lock: string): string[] {
  const base = entriesBelow(image.baseFiles);
  const entries = [...entriesBelow(image.files)];
  const setsId = (entry?: { isFile: boolean; mode: number }) => entry?.isFile && (entry.mode & SET_ID_BITS) !== 0;
  const found = (what: string, isFound: (path: string) => boolean) =>
    entries.filter(([path]) => !base.has(path) && isFound(path)).map(([path]) => `${what}: ${path}`);
  return [
    ...found('a compiler', (path) => dirname(path).endsWith('/bin') && COMPILERS.test(basename(path))),
    ...found('a cache of pip', (path) => path.endsWith('/.cache/pip')),
    ...found('a place of credentials', (path) => CREDENTIALS.test(basename(path))),
    ...entries
      .filter(([path, entry]) => setsId(entry) && !setsId(base.get(path)))
      .map(([path]) => `a program that runs as another user than its caller: ${path}`),
    ...Object.keys(image.environment)
      .filter((name) => name.startsWith('PIP_'))
      .map((name) => `a variable of the build: ${name}`),
    ...(image.user === 'root' ? ['processes of root'] : []),
    ...packageProblems(image, lock),
  ];
}

/** Compares the packages with the lock. */
function packageProblems(image: BuiltImage, lock: string): string[] {
  const ofBase = packagesIn(image.baseFiles);
  const installed = [...packagesIn(image.files)].filter((pin) => !ofBase.has(pin));
  const pins = [...lock.matchAll(/^([\w.-]+)==([^\s;]+)( ;)?/gm)].map(([, name, version, marker]) => ({
    pin: `${normalised(name)}==${version}`,
    everywhere: marker === undefined,
  }));
  const locked = new Set(pins.map(({ pin }) => pin));
  return [
    ...installed.filter((pin) => !locked.has(pin)).map((pin) => `a package that its lock does not name: ${pin}`),
    ...pins
      .filter(({ pin, everywhere }) => everywhere && !installed.includes(pin))
      .map(({ pin }) => `no ${pin}, which its lock names`),
  ];
}

function packagesIn(files: string): Set<string> {
  const directory = join(files, SITE_PACKAGES);
  const names = existsSync(directory) ? readdirSync(directory).filter((name) => name.endsWith('.dist-info')) : [];
  return new Set(
    names.map((name) => {
      const metadata = readFileSync(join(directory, name, 'METADATA'), 'utf8');
      const field = (key: string) => new RegExp(`^${key}: (.*)$`, 'm').exec(metadata)![1].trim();
      return `${normalised(field('Name'))}==${field('Version')}`;
    }),
  );
}

/** As PyPI compares names ("Python Packaging User Guide", name normalization). */
function normalised(name: string): string {
  return name.replace(/[-_.]+/g, '-').toLowerCase();
}

/** Paths below a directory, with their kind and mode as `find` writes them. */
function entriesBelow(files: string): Map<string, { readonly isFile: boolean; readonly mode: number }> {
  const options = { encoding: 'utf8', maxBuffer: 256 * 1_024 * 1_024 } as const;
  const lines = execFileSync('find', [files, '-xdev', '-printf', '/%P\\t%y\\t%m\\n'], options).trimEnd().split('\n');
  return new Map(
    lines.map((line) => {
      const [path, kind, mode] = line.split('\t');
      return [path, { isFile: kind === 'f', mode: parseInt(mode, 8) }];
    }),
  );
}
