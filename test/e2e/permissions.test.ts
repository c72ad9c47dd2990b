import { CloudWatchLogsClient, CreateLogStreamCommand } from '@aws-sdk/client-cloudwatch-logs';
import { ECSClient, RunTaskCommand } from '@aws-sdk/client-ecs';
import { DescribeKeyCommand, DisableKeyCommand, EnableKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import {
  BatchGetSecretValueCommand,
  GetSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import * as logs from 'aws-cdk-lib/aws-logs';
import { Asset } from 'aws-cdk-lib/aws-s3-assets';
import { join } from 'node:path';
import { grantDecryptUnderOwnKeys } from '../../lib/tenant/decrypt-under-own-keys';
import { TenantKey } from '../../lib/tenant/tenant-key';
import { TenantSecret } from '../../lib/tenant/tenant-secret';
import { bootstrap } from '../../local/deployment';
import { cdk } from '../../local/cdk';
import { LocalCloud } from '../../local/local-cloud';
import { roleSession } from '../../local/role-session';
import { userApp } from '../tenancy/environments';
import { tenant as newTenant } from './environment-under-test';

// The emulator refuses what AWS would: a fault is put into a small stack, and the same call is made with it and without.

jest.setTimeout(180_000);

const env = { account: '123456789012', region: 'eu-central-1' };
const TASK = 'permissions';
let cloud: LocalCloud;
/** An asset of the account's. */
let object: string;

beforeAll(async () => {
  cloud = new LocalCloud(env);
  await Promise.all([cloud.startPostgres(), cloud.prepareEmulatorPython()]);
  await cloud.startEmulator();
  await bootstrap(cloud);
  const app = userApp(join(cloud.directory, 'permissions'));
  object = build(new Stack(app, 'Permissions', { env }));
  buildOther(new Stack(app, 'Other', { env }));
  app.synth();
  await cdk(
    ['deploy', '--all', '--app', app.outdir, '--require-approval', 'never'],
    cloud.emulator,
    cloud.log('deploy'),
  );
});

afterAll(() => cloud?.stop());

/** A tenant's secret under its own key, an asset, and roles that may read one of them. */
function build(stack: Stack): string {
  const newRole = (roleName: string) =>
    new iam.Role(stack, roleName, { roleName, assumedBy: new iam.ServicePrincipal('ecs-tasks.amazonaws.com') });
  const [named, byAlias, reader, decrypter, starter, passer] = [
    'named',
    'by-alias',
    'reader',
    'decrypter',
    'starter',
    'passer',
  ].map(newRole);
  newRole('stranger');
  buildTask(stack, newRole('task'), starter, passer);
  const tenant = newTenant('t_north', 1);
  const { key: encryptionKey } = new TenantKey(stack, 'Key', { tenant });
  const login = { host: 'db.example.com', port: '5432', database: 'tenant_t_north' };
  const { secret } = new TenantSecret(stack, 'Tenant', { tenant, encryptionKey, ...login });
  [named, byAlias].forEach((role) => TenantSecret.grantReadAll(stack, role));
  named.addToPolicy(BATCHES);
  grantDecryptUnderOwnKeys([secret], named);
  byAlias.addToPolicy(
    decryptIf({
      StringEquals: { 'kms:ViaService': `secretsmanager.${env.region}.amazonaws.com` },
      'ForAnyValue:StringLike': { 'kms:ResourceAliases': TenantKey.aliasFor('*') },
    }),
  );
  const { bucket, s3ObjectKey } = new Asset(stack, 'Asset', { path: __filename });
  const resources = [bucket.arnForObjects(s3ObjectKey)];
  [reader, decrypter].forEach((role) =>
    role.addToPolicy(new iam.PolicyStatement({ actions: ['s3:GetObject'], resources })),
  );
  decrypter.addToPolicy(decryptIf({ StringEquals: { 'kms:ViaService': `s3.${env.region}.amazonaws.com` } }));
  return s3ObjectKey;
}

/** Another environment of the account and region, with another tenant. */
function buildOther(stack: Stack): void {
  const tenant = newTenant('t_south', 2);
  new TenantSecret(stack, 'Tenant', { tenant, host: 'db.example.com', port: '5432', database: 'tenant_t_south' });
  const assumedBy = new iam.ServicePrincipal('ecs-tasks.amazonaws.com');
  const neighbour = new iam.Role(stack, 'Neighbour', { roleName: 'neighbour', assumedBy });
  TenantSecret.grantReadAll(stack, neighbour);
  neighbour.addToPolicy(BATCHES);
}

const BATCHES = new iam.PolicyStatement({ actions: ['secretsmanager:BatchGetSecretValue'], resources: ['*'] });

/** A task, and roles that may run it: one of them may give it its role. */
function buildTask(stack: Stack, taskRole: iam.Role, ...starters: iam.Role[]): void {
  const task = new ecs.FargateTaskDefinition(stack, 'Task', { family: TASK, taskRole });
  task.addContainer('main', { image: ecs.ContainerImage.fromRegistry('none') });
  new ecs.CfnCluster(stack, 'Cluster', { clusterName: TASK });
  new logs.LogGroup(stack, 'Log', { logGroupName: TASK });
  const resources = [task.taskDefinitionArn];
  starters.forEach((role) => role.addToPolicy(new iam.PolicyStatement({ actions: ['ecs:RunTask'], resources })));
  taskRole.grantPassRole(starters[1]);
}

function decryptIf(conditions: Record<string, unknown>): iam.PolicyStatement {
  return new iam.PolicyStatement({ actions: ['kms:Decrypt'], resources: ['*'], conditions });
}

/** What IAM refused while a call was made. */
async function refused(call: () => Promise<unknown>): Promise<string[]> {
  const before = cloud.emulator.denied().length;
  const failed = await call().then(
    () => false,
    (error: Error) => /AccessDenied/.test(error.name),
  );
  const denied = cloud.emulator.denied().slice(before);
  expect(failed).toBe(denied.length > 0);
  return denied;
}

const as = (role: string) => ({
  ...cloud.emulator.sdk,
  credentials: roleSession(`arn:aws:iam::${env.account}:role/${role}`),
});

const readSecret = (role: string, tenant = 't_north') =>
  refused(() =>
    new SecretsManagerClient(as(role)).send(new GetSecretValueCommand({ SecretId: TenantSecret.nameFor(tenant) })),
  );

/** As the provisioner reads; answers the names that it got. */
async function readBatch(role: string): Promise<string[]> {
  const SecretIdList = ['t_north', 't_south'].map((tenant) => TenantSecret.nameFor(tenant));
  const { SecretValues = [] } = await new SecretsManagerClient(as(role)).send(
    new BatchGetSecretValueCommand({ SecretIdList }),
  );
  return SecretValues.map(({ Name = '' }) => Name);
}

const readAsset = (role: string) =>
  refused(() =>
    new S3Client({ ...as(role), forcePathStyle: true }).send(
      new GetObjectCommand({ Bucket: `cdk-hnb659fds-assets-${env.account}-${env.region}`, Key: object }),
    ),
  );

test('a secret that no policy of the role names', async () => {
  expect(await readSecret('stranger')).toEqual([expect.stringMatching(/^stranger secretsmanager:GetSecretValue arn:/)]);
});

test("the secret of a tenant of another environment, whose name is that of the environment's own", async () => {
  const foreign = /secretsmanager:GetSecretValue arn:.*:secret:superset\/tenant\/t_/;
  expect(await readSecret('named', 't_south')).toEqual([expect.stringMatching(foreign)]);
  expect(await readSecret('neighbour', 't_north')).toEqual([expect.stringMatching(foreign)]);
  expect(await readSecret('named', 't_north')).toEqual([]);
  expect(await readSecret('neighbour', 't_south')).toEqual([]);
});

test('a batch has the secrets of the own environment only', async () => {
  expect(await readBatch('named')).toEqual([TenantSecret.nameFor('t_north')]);
  expect(await readBatch('neighbour')).toEqual([TenantSecret.nameFor('t_south')]);
});

test('a key that a role may use by its alias only, which counts after minutes, and not one whose policy names the role', async () => {
  expect(await readSecret('by-alias')).toEqual([expect.stringMatching(/^by-alias kms:Decrypt arn:aws:kms:/)]);
  expect(await readSecret('named')).toEqual([]);
});

test('an asset that a role may read and not decrypt', async () => {
  expect(await readAsset('reader')).toEqual([expect.stringMatching(/^reader kms:Decrypt .*:key\/bootstrap$/)]);
  expect(await readAsset('decrypter')).toEqual([]);
});

const runTask = (role: string) =>
  refused(() => new ECSClient(as(role)).send(new RunTaskCommand({ cluster: TASK, taskDefinition: TASK })));

test('a task that a role may run, without the right to give it its role', async () => {
  expect(await runTask('starter')).toEqual([expect.stringMatching(/^starter iam:PassRole .*:role\/task$/)]);
  expect(await runTask('passer')).toEqual([]);
});

test('a log that no policy of the role names', async () => {
  const logs = new CloudWatchLogsClient(as('stranger'));
  const create = new CreateLogStreamCommand({ logGroupName: TASK, logStreamName: 'x' });

  expect(await refused(() => logs.send(create))).toEqual([
    expect.stringMatching(/^stranger logs:CreateLogStream .*:log-group:permissions:\*$/),
  ]);
});

test('a key that is disabled decrypts nothing, whatever its policy says, until it is enabled again', async () => {
  const kms = new KMSClient(cloud.emulator.sdk);
  const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId: TenantKey.aliasFor('t_north') }));
  const read = () =>
    new SecretsManagerClient(as('named')).send(
      new GetSecretValueCommand({ SecretId: TenantSecret.nameFor('t_north') }),
    );

  await kms.send(new DisableKeyCommand({ KeyId: KeyMetadata!.KeyId }));
  await expect(read()).rejects.toThrow(expect.objectContaining({ name: 'AccessDeniedException' }));
  await kms.send(new EnableKeyCommand({ KeyId: KeyMetadata!.KeyId }));
  await read();
});
