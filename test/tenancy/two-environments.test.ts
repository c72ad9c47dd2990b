import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { Environment } from '../../lib/environment/environment';
import { DatabasePerTenantStack } from '../../lib/tenancy/database-per-tenant-stack';
import { SharedRlsStack } from '../../lib/tenancy/shared-rls-stack';
import { databaseExample, example, instanceExample, newFleet, userApp } from './environments';
import { Resource, Template } from './templates';

// Two environments in one account and region, of one app.

const MODELS: Record<string, { environment: Environment; add(app: App, id: string, environment: Environment): void }> =
  {
    'shared-rls': {
      environment: example(),
      add: (app, id, environment) => new SharedRlsStack(app, id, { environment }),
    },
    'database-per-tenant': {
      environment: databaseExample(),
      add: (app, id, environment) => new DatabasePerTenantStack(app, id, { environment }),
    },
    'instance-per-tenant': {
      environment: instanceExample(),
      add: (app, id, environment) => newFleet(app, environment, id),
    },
  };

/** The resources of each environment, those of its nested stacks too. */
function resources(app: App, id: string): Resource[] {
  const templates: Template[] = [];
  const assembly = app.synth();
  for (const stack of assembly.stacks.filter(({ stackName }) => stackName.startsWith(id)))
    templates.push(stack.template);
  const nested = readdirSync(assembly.directory).filter(
    (file) => file.startsWith(id) && file.endsWith('.nested.template.json'),
  );
  for (const file of nested) templates.push(JSON.parse(readFileSync(join(assembly.directory, file), 'utf8')));
  return templates.flatMap((template) => Object.values(template.Resources));
}

/** Names that a template fixes, by what they name. */
function fixedNames(all: Resource[]): string[] {
  return all.flatMap(({ Type, Properties = {} }) =>
    Object.entries(Properties)
      .filter(
        ([key, value]) => /(Name|Identifier)$/.test(key) && typeof value === 'string' && !WITHIN.has(`${Type}.${key}`),
      )
      .map(([key, value]) => `${Type}.${key} ${value}`),
  );
}

/** Names within something else, and of what is AWS's. */
const WITHIN = new Set([
  'AWS::CloudWatch::Alarm.MetricName',
  'AWS::EC2::VPCEndpoint.ServiceName',
  'AWS::IAM::Policy.PolicyName',
  'AWS::RDS::DBInstance.CACertificateIdentifier',
  'AWS::RDS::DBInstance.DBName',
  'AWS::RDS::DBProxyTargetGroup.TargetGroupName',
]);

interface Tag {
  readonly Key: string;
  readonly Value: string;
}

interface Statement {
  readonly Action: string | string[];
  readonly Resource: unknown;
  readonly Condition?: { readonly StringEquals?: Record<string, string> };
}

/** What lets roles read more secrets than one. */
function readsOfMany(all: Resource[]): Statement[] {
  return all
    .filter(({ Type }) => Type === 'AWS::IAM::Policy')
    .flatMap(({ Properties }) => Properties.PolicyDocument.Statement as Statement[])
    .filter(({ Action }) => [Action].flat().some((action) => READS.test(action)))
    .filter(({ Resource }) => /[*?]/.test(JSON.stringify(Resource)));
}

/** A batch takes no resource, and needs GetSecretValue of each secret besides. */
const READS = /^(\*|secretsmanager:(\*|Get.*|Describe.*|List.*))$/;

describe.each(Object.entries(MODELS))('two environments of model %s', (_, { environment, add }) => {
  let app: App;
  beforeAll(() => {
    app = userApp();
    add(app, 'Prod', environment);
    add(app, 'Dev', { ...environment, secretNamePrefix: 'dev' });
  });

  test('with tenants of one id are refused, naming both and the remedy', () => {
    const both = userApp();
    add(both, 'Prod', environment);

    expect(() => add(both, 'Dev', environment)).toThrow(
      /^Dev\/.*: the (secret|alias of a key) '.*' is that of Prod\/.*, too, in the same account and region\. Give one of the two environments a secretNamePrefix/,
    );
  });

  test('have no name in common that an account and region has once, if one has a prefix', () => {
    const names = fixedNames(resources(app, 'Prod'));
    expect(names.length).toBeGreaterThan(5);
    expect(fixedNames(resources(app, 'Dev')).filter((name) => names.includes(name))).toEqual([]);
  });

  test('let their roles read no secrets by a pattern but those with the tag of their environment', () => {
    for (const id of ['Prod', 'Dev']) {
      const all = resources(app, id);
      const tags = all
        .filter(({ Type, Properties }) => Type === 'AWS::SecretsManager::Secret' && Properties.Name)
        .map(({ Properties }) => (Properties.Tags as Tag[]).find(({ Key }) => Key === 'superset:environment')?.Value);
      const read = readsOfMany(all);
      expect(read.length).toBeGreaterThan(0);
      for (const { Condition } of read) {
        const environment = Condition?.StringEquals?.['secretsmanager:ResourceTag/superset:environment'];
        expect(environment).toMatch(new RegExp(`^${id}[-/]`));
        expect(tags).toContain(environment);
      }
    }
  });
});
