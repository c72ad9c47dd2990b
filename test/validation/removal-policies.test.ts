import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { App, RemovalPolicy } from 'aws-cdk-lib';
import { MAKERS } from './makers';
import { publicProps } from './public-props';

/** CloudFormation Template Reference, "DeletionPolicy attribute", Snapshot. */
const WITH_SNAPSHOT = [
  ...['AWS::EC2::Volume', 'AWS::ElastiCache::CacheCluster', 'AWS::ElastiCache::ReplicationGroup'],
  ...['AWS::DocDB::DBCluster', 'AWS::Neptune::DBCluster', 'AWS::RDS::DBCluster', 'AWS::RDS::DBInstance'],
  'AWS::Redshift::Cluster',
];

const TAKERS = [
  ...publicProps()
    .filter(([, keys]) => keys.includes('removalPolicy'))
    .map(([props]) => props),
  ...['TenantLoaderSecret', 'TenantMetadataSecret'],
];

/** Made with secrets, keys, a bucket and a server. */
const CASES = TAKERS.flatMap((props) => Object.values(RemovalPolicy).map((policy) => [props, policy] as const));

test.each(CASES)('%s with %s has only policies that its resources know', (props, removalPolicy) => {
  const resources = templatesOf(props, removalPolicy);

  expect(resources.length).toBeGreaterThan(0);
  expect(resources.filter(({ Type, ...policies }) => wrong(Type, policies)).map(({ Type }) => Type)).toEqual([]);
});

test.each(['TenantDatabaseServerProps', 'MetadataDatabaseProps', 'SharedRlsTenancyProps'])(
  '%s with snapshot keeps a snapshot of each server, and keys and secrets as they are',
  (props) => {
    const resources = templatesOf(props, RemovalPolicy.SNAPSHOT);
    const policiesOf = (type: string) => [
      ...new Set(resources.filter(({ Type }) => Type === type).map(({ DeletionPolicy }) => DeletionPolicy)),
    ];

    expect(policiesOf('AWS::RDS::DBInstance')).toContain('Snapshot');
    expect(policiesOf('AWS::KMS::Key')).toContain('RetainExceptOnCreate');
    expect(policiesOf('AWS::KMS::Key')).not.toContain(undefined);
  },
);

interface Resource {
  readonly Type: string;
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
}

function wrong(type: string, { DeletionPolicy, UpdateReplacePolicy }: Omit<Resource, 'Type'>): boolean {
  const snapshot = WITH_SNAPSHOT.includes(type) ? ['Snapshot'] : [];
  return !(
    [undefined, 'Delete', 'Retain', 'RetainExceptOnCreate', ...snapshot].includes(DeletionPolicy) &&
    [undefined, 'Delete', 'Retain', ...snapshot].includes(UpdateReplacePolicy)
  );
}

/** The resources of all templates; those of the parts that a construct is made with, too. */
function templatesOf(props: string, removalPolicy: RemovalPolicy): Resource[] {
  const { directory } = (MAKERS[props]({ removalPolicy }).node.root as App).synth();
  return readdirSync(directory)
    .filter((file) => file.endsWith('.template.json'))
    .flatMap((file) => {
      const template = JSON.parse(readFileSync(join(directory, file), 'utf8')) as {
        Resources: Record<string, Resource>;
      };
      return Object.values(template.Resources);
    });
}
