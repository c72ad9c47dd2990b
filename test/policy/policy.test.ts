import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import * as rds from 'aws-cdk-lib/aws-rds';
import { ProxyAuthentication } from '../../lib/database/proxy-authentication';
import { Environment } from '../../lib/environment/environment';
import { policyFindings } from '../policy-findings';
import { tenancyFindings } from '../tenancy-findings';
import { databaseExample, example, instanceExample, newFleet, userApp } from '../tenancy/environments';
import { newStack } from '../tenancy/templates';
import { Judges } from './judges';

let judges: Judges;
let directory: string;

beforeAll(() => {
  judges = Judges.ready();
  directory = mkdtempSync(join(tmpdir(), 'policy-'));
}, 600_000);

afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** What all five find in a stack. */
async function findings(name: string, stacks: (app: App) => Stack | Stack[]): Promise<Record<string, string[]>> {
  const app = userApp(join(directory, name));
  const judged = [stacks(app)].flat();
  const rules = judged.flatMap(policyFindings);
  const assembly = app.synth().directory;
  const [cfnLint, checkov] = await Promise.all([judges.cfnLint(assembly, 'eu-central-1'), judges.checkov(assembly)]);
  return {
    AwsSolutions: rules.filter((finding) => finding.startsWith('AwsSolutions')),
    'NIST 800-53': rules.filter((finding) => finding.startsWith('NIST.800.53')),
    TenancyChecks: tenancyFindings(app),
    'cfn-lint': cfnLint,
    checkov,
  };
}

const environmentStack = (overrides: Partial<Environment>) => (app: App) => newStack(app, example(overrides));

const NOTHING = { AwsSolutions: [], 'NIST 800-53': [], TenancyChecks: [], 'cfn-lint': [], checkov: [] };

test('none of the five finds anything in the example that is not acknowledged with its reason', async () => {
  expect(await findings('example', environmentStack({}))).toEqual(NOTHING);
}, 120_000);

test('nor in that of a database for each tenant', async () => {
  expect(await findings('databases', (app) => newStack(app, databaseExample()))).toEqual(NOTHING);
}, 120_000);

test('nor in the stacks of a Superset for each tenant, on their own and in a cell', async () => {
  const fleet = (app: App) => {
    const { cells, instances } = newFleet(app, instanceExample());
    return [...cells, ...instances];
  };

  expect(await findings('instances', fleet)).toEqual(NOTHING);
}, 240_000);

test('nor in that whose tenants log in with tokens of IAM', async () => {
  const proxy = { authentication: ProxyAuthentication.IAM };

  expect(await findings('iam', (app) => newStack(app, databaseExample({ proxy })))).toEqual(NOTHING);
}, 120_000);

test('neither do they in an environment that faces the internet and goes out to it', async () => {
  const { network, domain } = example();
  const open = environmentStack({
    network: { ...network, internetEgress: true },
    domain: { ...domain, internetFacing: true },
  });

  expect(await findings('open', open)).toEqual(NOTHING);
}, 120_000);

test('nor in a small one to throw away', async () => {
  const small = { multiAz: false, backupDays: 1, instanceClass: 't4g.medium' };
  const throwAway = environmentStack({
    destroyDataWithStack: true,
    database: small,
    metadataDatabase: small,
    cache: { replicas: 0 },
    superset: { version: '6.1.0', image: '000000000000.dkr.ecr.eu-central-1.amazonaws.com/superset:6.1.0' },
  });

  expect(await findings('throw-away', throwAway)).toEqual(NOTHING);
}, 120_000);

test('each of the five sees what is wrong with a server open to the world', async () => {
  const found = await findings('wrong', (app) => {
    const stack = new Stack(app, 'Wrong');
    new rds.CfnDBInstance(stack, 'Server', {
      dbInstanceClass: 'db.t4g.nonsense',
      engine: 'postgres',
      publiclyAccessible: true,
      storageEncrypted: false,
    });
    return stack;
  });

  expect(found).toEqual({
    AwsSolutions: expect.arrayContaining([expect.stringContaining('AwsSolutions-RDS2')]),
    'NIST 800-53': expect.arrayContaining([expect.stringContaining('RDSInstancePublicAccess')]),
    TenancyChecks: expect.arrayContaining([expect.stringContaining('TenancyChecks-PrivateData')]),
    'cfn-lint': expect.arrayContaining([expect.stringContaining('db.t4g.nonsense')]),
    checkov: expect.arrayContaining([expect.stringContaining('CKV_AWS_16')]),
  });
}, 120_000);
