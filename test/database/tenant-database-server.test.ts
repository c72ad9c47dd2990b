import { App, Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { DELETION_PROTECTION } from '../../lib/protection/protection-requests';
import { Match, Template } from 'aws-cdk-lib/assertions';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import { maxConnections } from '../../lib/database/instance-class';
import { TenantDatabaseServer, TenantDatabaseServerProps } from '../../lib/database/tenant-database-server';
import { TenancyNetwork } from '../../lib/network/tenancy-network';
import { policyFindings } from '../policy-findings';

type Choices = Omit<TenantDatabaseServerProps, 'network'>;

function server(choices?: Choices) {
  const stack = new Stack(new App(), 'Prod');
  const network = new TenancyNetwork(stack, 'Network');
  return { stack, network, server: new TenantDatabaseServer(stack, 'Tenants', { network, ...choices }) };
}

function template(choices?: Choices): Template {
  return Template.fromStack(server(choices).stack);
}

function parameters(choices?: Choices): Record<string, string> {
  return Object.values(template(choices).findResources('AWS::RDS::DBParameterGroup'))[0].Properties.Parameters;
}

test('data, insights and master password are encrypted under one key of the account', () => {
  const made = template();

  const [key] = Object.keys(made.findResources('AWS::KMS::Key')).filter((id) => id.startsWith('Tenants'));
  const KmsKeyId = { 'Fn::GetAtt': [key, 'Arn'] };
  made.hasResourceProperties('AWS::RDS::DBInstance', {
    StorageEncrypted: true,
    KmsKeyId,
    PerformanceInsightsKMSKeyId: KmsKeyId,
    MasterUserSecret: { KmsKeyId },
  });
});

test('the master password is made and kept by RDS, and stands nowhere in the template', () => {
  const made = template();

  made.hasResourceProperties('AWS::RDS::DBInstance', {
    ManageMasterUserPassword: true,
    MasterUserPassword: Match.absent(),
  });
  made.resourceCountIs('AWS::SecretsManager::Secret', 0);
});

test('connections without TLS are refused by the server', () => {
  expect(parameters()).toMatchObject({ 'rds.force_ssl': '1', ssl_min_protocol_version: 'TLSv1.2' });
});

test('a tenant cannot change the password of its own role', () => {
  expect(parameters()).toMatchObject({ 'rds.restrict_password_commands': '1' });
});

test('passwords are kept and checked as SCRAM only', () => {
  expect(parameters()).toMatchObject({
    password_encryption: 'scram-sha-256',
    'rds.accepted_password_auth_method': 'scram',
  });
});

test('one query can fill a tenth of the storage with temporary files and no more', () => {
  expect(parameters({ storageGiB: 100 }).temp_file_limit).toBe(String(10 * 1024 * 1024));
  expect(parameters({ storageGiB: 65_536 }).temp_file_limit).toBe('2147483647');
});

test('log-ins and changes of roles and definitions are in a log that is kept for a year', () => {
  const made = template();

  expect(parameters()).toMatchObject({ log_connections: '1', 'pgaudit.log': 'ddl,role' });
  made.hasResourceProperties('AWS::RDS::DBInstance', { EnableCloudwatchLogsExports: ['postgresql', 'upgrade'] });
  made.hasResource('AWS::Logs::LogGroup', {
    Properties: {
      LogGroupName: Match.stringLikeRegexp('^/aws/rds/instance/prod-tenants-server-[0-9a-f]+/postgresql$'),
      RetentionInDays: 365,
    },
    DeletionPolicy: 'RetainExceptOnCreate',
  });
});

test('the log groups bear the name that RDS will write to', () => {
  const made = template();

  const [instance] = Object.values(made.findResources('AWS::RDS::DBInstance'));
  made.hasResourceProperties('AWS::Logs::LogGroup', {
    LogGroupName: `/aws/rds/instance/${instance.Properties.DBInstanceIdentifier}/upgrade`,
  });
  expect(instance.DependsOn).toHaveLength(2);
});

test('the server stands in the isolated subnets, without a public address', () => {
  const made = template();

  made.hasResourceProperties('AWS::RDS::DBInstance', { PubliclyAccessible: false });
  made.hasResourceProperties('AWS::RDS::DBSubnetGroup', {
    SubnetIds: [{ Ref: Match.stringLikeRegexp('databaseSubnet1') }, { Ref: Match.stringLikeRegexp('databaseSubnet2') }],
  });
});

test('nobody may connect until allowed, and then on the port of the server only', () => {
  const made = server();
  Template.fromStack(made.stack).resourceCountIs('AWS::EC2::SecurityGroupIngress', 0);

  const again = server();
  const client = new ec2.SecurityGroup(again.stack, 'Client', { vpc: again.network.vpc });
  again.server.connections.allowDefaultPortFrom(client);

  Template.fromStack(again.stack).hasResourceProperties('AWS::EC2::SecurityGroupIngress', {
    FromPort: 5433,
    ToPort: 5433,
    SourceSecurityGroupId: { 'Fn::GetAtt': [Match.stringLikeRegexp('^Client'), 'GroupId'] },
  });
});

test('the server and all that it needs stay when the stack goes', () => {
  const resources = template().toJSON().Resources as Record<string, { Type: string; DeletionPolicy?: string }>;

  const ofServer = Object.entries(resources).filter(([id]) => id.startsWith('Tenants'));
  const deleted = ofServer
    .filter(([, { DeletionPolicy }]) => DeletionPolicy !== 'RetainExceptOnCreate')
    .map(([, { Type }]) => Type);
  // What protects it from deletion; the protection stays.
  expect(deleted).toEqual([DELETION_PROTECTION]);
  const made = Template.fromJSON({ Resources: resources });
  made.hasResourceProperties('AWS::RDS::DBInstance', { DeleteAutomatedBackups: false });
  made.hasResourceProperties(DELETION_PROTECTION, { Retained: 'true' });
});

test('a throw-away server goes with the stack', () => {
  const made = template({ removalPolicy: RemovalPolicy.DESTROY });

  made.hasResource('AWS::RDS::DBInstance', {
    DeletionPolicy: 'Delete',
    Properties: { DeletionProtection: false, DeleteAutomatedBackups: true },
  });
});

test('with a last snapshot, what it needs to be restored stays', () => {
  const made = template({ removalPolicy: RemovalPolicy.SNAPSHOT });

  made.hasResource('AWS::RDS::DBInstance', { DeletionPolicy: 'Snapshot' });
  made.hasResourceProperties(DELETION_PROTECTION, { Retained: 'false' });
  made.hasResource('AWS::KMS::Key', {
    DeletionPolicy: 'RetainExceptOnCreate',
    Properties: { Description: Match.stringLikeRegexp('Tenants') },
  });
});

test('neither the logical id nor the name of the server changes, since that would replace it', () => {
  const [[id, { Properties }]] = Object.entries(template().findResources('AWS::RDS::DBInstance'));

  expect(id).toBe('TenantsServerInstance05E02552');
  expect(Properties.DBInstanceIdentifier).toBe('prod-tenants-server-d583b3cc');
});

test('storage near the limit of RDS stops growing', () => {
  template({ storageGiB: 65_000 }).hasResourceProperties('AWS::RDS::DBInstance', {
    MaxAllocatedStorage: Match.absent(),
  });
});

test('sizes are what was asked for, and storage grows up to five times', () => {
  const made = template({
    instanceClass: 'r7g.xlarge',
    storageGiB: 200,
    multiAz: false,
    backupRetention: Duration.days(3),
    postgresVersion: '16.10',
    databaseName: 'warehouse',
  });

  made.hasResourceProperties('AWS::RDS::DBInstance', {
    DBInstanceClass: 'db.r7g.xlarge',
    AllocatedStorage: '200',
    MaxAllocatedStorage: 1000,
    MultiAZ: false,
    BackupRetentionPeriod: 3,
    EngineVersion: '16.10',
    DBName: 'warehouse',
  });
  made.hasResourceProperties('AWS::RDS::DBParameterGroup', { Family: 'postgres16' });
});

test('it tells how many connections all tenants have together', () => {
  expect(server({ instanceClass: 'm7g.large' }).server.maxConnections).toBe(maxConnections('m7g.large'));
});

test('whoever may read the master secret may decrypt it', () => {
  const made = server();
  const role = new iam.Role(made.stack, 'Reader', { assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com') });

  made.server.grantMasterSecretRead(role);

  const template = Template.fromStack(made.stack);
  template.hasResourceProperties('AWS::IAM::Policy', {
    PolicyDocument: { Statement: [Match.objectLike({ Action: Match.arrayWith(['secretsmanager:GetSecretValue']) })] },
  });
  template.hasResourceProperties('AWS::KMS::Key', {
    KeyPolicy: {
      Statement: Match.arrayWith([
        Match.objectLike({
          Action: 'kms:Decrypt',
          Principal: { AWS: { 'Fn::GetAtt': [Match.stringLikeRegexp('^Reader'), 'Arn'] } },
        }),
      ]),
    },
  });
});

test('a given key is used in place of an own one', () => {
  const stack = new Stack(new App(), 'Prod');
  const encryptionKey = new kms.Key(stack, 'Key');
  const network = new TenancyNetwork(stack, 'Network', { encryptionKey });

  new TenantDatabaseServer(stack, 'Tenants', { network, encryptionKey });

  Template.fromStack(stack).resourceCountIs('AWS::KMS::Key', 1);
});

test('no minor version is named by default, since RDS ends the creation of servers with it', () => {
  template().hasResourceProperties('AWS::RDS::DBInstance', { EngineVersion: '17' });
});

test('cfn-lint looks whether a minor version is outdated, and not at a major, which it does not know', () => {
  const ignored = (postgresVersion: string) => {
    const [server] = Object.values(template({ postgresVersion }).findResources('AWS::RDS::DBInstance'));
    return server.Metadata?.['cfn-lint']?.config.ignore_checks as unknown;
  };

  expect(['16', '17', '17.9'].map(ignored)).toEqual([['W3691'], ['W3691'], undefined]);
});

test.each([
  ['15.13', '15.14'],
  ['16.9', '16.10'],
  ['17.5', '17.6'],
])('PostgreSQL %s is refused, since it shows hidden rows in statistics', (postgresVersion, safe) => {
  expect(() => server({ postgresVersion })).toThrow(
    new RegExp(
      `^Prod/Tenants/Server: postgresVersion is '${postgresVersion}'.*CVE-2025-8713.*Use ${safe} or later.*VULNERABLE`,
    ),
  );
});

test.each([
  [{ postgresVersion: '14' }, /'14'; it must be 15, 16, 17 or a version 'major\.minor'.*POSTGRES_VERSION_UNSUPPORTED/],
  [{ postgresVersion: '17.' }, /'17\.'.*POSTGRES_VERSION_UNSUPPORTED/],
  [{ postgresVersion: '14.19' }, /'14\.19'.*POSTGRES_VERSION_UNSUPPORTED/],
  [{ instanceClass: 'db.m7g.large' }, /'db\.m7g\.large'.*without 'db\.': m7g\.large, .*INSTANCE_CLASS_UNKNOWN/],
  [{ instanceClass: 'm99.large' }, /'m99\.large'.*INSTANCE_CLASS_UNKNOWN/],
  [{ storageGiB: 10 }, /storageGiB is 10;.*20 to 65536.*STORAGE_OUT_OF_RANGE/],
  [{ storageGiB: 20.5 }, /storageGiB is 20\.5;.*STORAGE_OUT_OF_RANGE/],
  [{ databaseName: 'Analytics' }, /databaseName is 'Analytics'.*DATABASE_NAME_INVALID/],
  [{ databaseName: 'postgres' }, /databaseName is 'postgres'.*DATABASE_NAME_INVALID/],
])('%j is refused with what is allowed', (choices, message) => {
  expect(() => server(choices)).toThrow(message);
});

test.each([0, 36])('backups kept for %i days are refused with what is allowed', (days) => {
  expect(() => server({ backupRetention: Duration.days(days) })).toThrow(
    new RegExp(`backupRetention is ${days} days;.*1 to 35.*BACKUP_RETENTION_OUT_OF_RANGE`),
  );
});

test.each([{}, { multiAz: false, removalPolicy: RemovalPolicy.DESTROY }])(
  'the rule packs find nothing in %j',
  (choices) => {
    expect(policyFindings(server(choices).stack)).toEqual([]);
  },
);
