import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { environmentProblems } from '../../lib/environment/environment-rules';
import { isUnsafeExtension } from '../../lib/provisioning/unsafe-extensions';
import { databaseExample } from '../tenancy/environments';

/** That either of the two former lists had, and the other had not. */
const OF_ONE_LIST = ['pg_tle', 'rds_tools', 'pg_transport', 'plperlu', 'plpython3u', 'lo', 'pageinspect', 'oracle_fdw'];

test.each(OF_ONE_LIST)('%s is unsafe in an environment file and to the provisioner', (extension) => {
  const problems = environmentProblems(databaseExample({ data: { extensions: [extension] } }));

  expect(problems.map(({ code }) => code)).toEqual(['EXTENSION_UNSAFE']);
  expect(isUnsafeExtension(extension)).toBe(true);
});

test.each(['plpgsql', 'pg_trgm', 'hstore', 'postgis', 'vector', 'lower_quantile', 'pgcrypto'])(
  '%s is safe',
  (extension) => {
    expect(isUnsafeExtension(extension)).toBe(false);
  },
);

test('no file has a list of its own', () => {
  const lib = join(__dirname, '..', '..', 'lib');
  const files = readdirSync(lib, { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.ts') && !file.endsWith('.d.ts'),
  );

  const naming = files.filter((file) => /\bpglogical\b/.test(readFileSync(join(lib, file), 'utf8')));
  expect(naming).toEqual([join('provisioning', 'unsafe-extensions.ts')]);
});
