import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  DEFAULT_BACKUP_DAYS,
  DEFAULT_CACHE,
  DEFAULT_INSTANCE_TASKS,
  DEFAULT_METADATA_SERVER,
  DEFAULT_TASKS,
  DEFAULT_TENANTS_SERVER,
} from '../lib/defaults';
import { POSTGRES_VERSION } from '../lib/database/postgres-version';

/** The `@default` of each property of a file of `lib`, of the last one of a name. */
function documented(file: string): Record<string, string> {
  const text = readFileSync(join(__dirname, '..', 'lib', file), 'utf8');
  const properties = text.matchAll(/@default (?:- )?([^\n]*)\n(?:\s+\*[^\n]*\n)*?\s+\*\/\n\s+readonly (\w+)\?:/g);
  return Object.fromEntries([...properties].map(([, value, name]) => [name, value]));
}

const quoted = (value: unknown) => (typeof value === 'string' ? `'${value}'` : `${value}`);

const texts = (defaults: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(defaults).map(([name, value]) => [name, quoted(value)]));

const ofServer = (server: Record<string, unknown>) => ({
  ...texts({ ...server, postgresVersion: POSTGRES_VERSION }),
  backupRetention: `Duration.days(${DEFAULT_BACKUP_DAYS})`,
});

const both = (name: keyof typeof DEFAULT_TASKS) =>
  `${DEFAULT_TASKS[name]}; ${DEFAULT_INSTANCE_TASKS[name]} for the Superset of one tenant`;

test.each<[string, Record<string, string>]>([
  ['superset/superset-service.ts', texts(DEFAULT_TASKS)],
  [
    'tenancy/tenancy-options.ts',
    { ...texts(DEFAULT_TASKS), maxWebTasks: both('maxWebTasks'), maxWorkerTasks: both('maxWorkerTasks') },
  ],
  [
    'environment/environment.ts',
    {
      ...texts({ ...DEFAULT_TASKS, ...DEFAULT_CACHE, multiAz: true }),
      ...texts({ backupDays: DEFAULT_BACKUP_DAYS, postgresVersion: POSTGRES_VERSION }),
      instanceClass: `'${DEFAULT_TENANTS_SERVER.instanceClass}' for the tenants, '${DEFAULT_METADATA_SERVER.instanceClass}' for the metadata`,
      storageGiB: `${DEFAULT_TENANTS_SERVER.storageGiB} for the tenants, ${DEFAULT_METADATA_SERVER.storageGiB} for the metadata`,
    },
  ],
  ['database/tenant-database-server.ts', ofServer(DEFAULT_TENANTS_SERVER)],
  ['database/metadata-database.ts', ofServer(DEFAULT_METADATA_SERVER)],
  ['cache/superset-cache.ts', texts(DEFAULT_CACHE)],
])('the defaults that %s documents are those that are taken', (file, taken) => {
  expect(documented(file)).toMatchObject(taken);
});

test('the page on local runs names the Node.js that the functions have', () => {
  const read = (file: string) => readFileSync(join(__dirname, '..', file), 'utf8');
  const runtimes = ['lib/provisioning/awaited-provider.ts', 'lib/provisioning/provisioner-function.ts'].map(
    (file) => /NODEJS_(\d+)_X/.exec(read(file))?.[1],
  );

  expect(runtimes).toEqual(['24', '24']);
  expect(read('docs/local.md')).toContain(`what Lambda runs on Node.js ${runtimes[0]}`);
});
