import { Environment } from '../../lib/environment/environment';
import { EnvironmentUnderTest, environmentWith, tenant } from './environment-under-test';

// One Superset that fails to come, comes, is hurt, updated and destroyed: each test goes on where the one before it ended.

jest.setTimeout(300_000);

const SERVICES = ['beat', 'web', 'worker'];
const north = tenant('t_north', 1);

let aws: EnvironmentUnderTest;

beforeAll(async () => {
  aws = await EnvironmentUnderTest.start({ runsSuperset: true, freshSeconds: 20 });
});

afterAll(() => aws?.stop());

function environmentOfImage(tag: string): Environment {
  const image = `123456789012.dkr.ecr.eu-central-1.amazonaws.com/superset:${tag}`;
  return environmentWith([north], { superset: { version: '6.1.0', image }, destroyDataWithStack: true });
}

function running(): string[] {
  return aws.cloud.superset.running().sort();
}

test('a migration that fails fails the deployment with its last lines, and no service starts', async () => {
  await aws.metadata('CREATE DATABASE superset', 'postgres');
  await aws.metadata("CREATE TABLE alembic_version AS SELECT 'of_the_future' AS version_num", 'superset');

  await expect(aws.deploy(environmentOfImage('first'))).rejects.toThrow(
    /migration failed: exit code 1\n[^]*refused: the metadata are at revision of_the_future, which this image does not know/,
  );
  expect(running()).toEqual([]);
});

test('when that is mended, a deployment ends with a Superset that is healthy', async () => {
  await aws.metadata('DROP DATABASE IF EXISTS superset WITH (FORCE)', 'postgres');
  await aws.deploy(environmentOfImage('first'));

  await aws.supersetIsHealthy();
  expect(running()).toEqual(SERVICES);
  // IAM did not know of their rights at first, and they asked again.
  const refused = aws.cloud.emulator.refusedWhileFresh().join('\n');
  expect(refused).toMatch(/MigrationOnEvent\S+ ecs:RunTask/);
  expect(refused).toMatch(/Provisioner\S+ secretsmanager:/);
  expect(refused).toMatch(/SupersetTaskRole\S+ secretsmanager:/);
});

test('its services are logged in to the metadata as a role that owns nothing there', async () => {
  const who = await aws.metadata(
    "SELECT DISTINCT usename FROM pg_stat_activity WHERE datname = 'superset' AND pid <> pg_backend_pid()",
    'superset',
  );
  const owned = await aws.metadata(
    "SELECT relname FROM pg_class WHERE pg_get_userbyid(relowner) = 'superset_web'",
    'superset',
  );

  expect(who).toEqual([{ usename: 'superset_web' }]);
  expect(owned).toEqual([]);
});

test('a task that ends is replaced by another', async () => {
  const { web, worker } = aws.cloud.superset.tasks;
  const before = [web.log, worker.log];
  await Promise.all([web.kill(), worker.restart()]);

  await aws.supersetIsHealthy();
  expect(running()).toEqual(SERVICES);
  expect([web.log, worker.log]).not.toEqual(expect.arrayContaining(before));
});

test('an update whose migration fails leaves the Superset of before running', async () => {
  const logs = () => Object.values(aws.cloud.superset.tasks).map(({ log }) => log);
  const before = logs();
  const [{ version }] = await aws.metadata<{ version: string }>(
    'SELECT version_num AS version FROM alembic_version',
    'superset',
  );
  await aws.metadata("UPDATE alembic_version SET version_num = 'of_the_future'", 'superset');

  await expect(aws.deploy(environmentOfImage('second'))).rejects.toThrow(/migration failed: exit code 1/);
  await aws.supersetIsHealthy();
  expect(logs()).toEqual(before);

  await aws.metadata(`UPDATE alembic_version SET version_num = '${version}'`, 'superset');
});

test('an update replaces every task', async () => {
  const logs = () => Object.values(aws.cloud.superset.tasks).map(({ log }) => log);
  const before = logs();
  await aws.deploy(environmentOfImage('second'));

  await aws.supersetIsHealthy();
  expect(running()).toEqual(SERVICES);
  expect(logs().filter((log) => before.includes(log))).toEqual([]);
});

test('destroying the stack ends the tasks', async () => {
  await aws.destroy();

  expect(running()).toEqual([]);
});
