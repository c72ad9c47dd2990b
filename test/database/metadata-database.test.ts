import { App, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import { MetadataDatabase } from '../../lib/database/metadata-database';
import { TenantDatabaseServer } from '../../lib/database/tenant-database-server';
import { TenancyNetwork } from '../../lib/network/tenancy-network';
import { policyFindings } from '../policy-findings';

function bothServers() {
  const stack = new Stack(new App(), 'Prod');
  const network = new TenancyNetwork(stack, 'Network');
  const metadata = new MetadataDatabase(stack, 'Metadata', { network });
  const tenants = new TenantDatabaseServer(stack, 'Tenants', { network });
  return { stack, network, metadata, tenants };
}

test('it is a server apart from that of the tenants, smaller and as safe', () => {
  const made = Template.fromStack(bothServers().stack);

  made.resourceCountIs('AWS::RDS::DBInstance', 2);
  made.hasResourceProperties('AWS::RDS::DBInstance', {
    DBName: 'superset',
    DBInstanceClass: 'db.t4g.medium',
    AllocatedStorage: '20',
    MultiAZ: true,
    StorageEncrypted: true,
    ManageMasterUserPassword: true,
    PubliclyAccessible: false,
  });
  made.resourceCountIs('Custom::SupersetDeletionProtection', 2);
  made.allResourcesProperties('AWS::RDS::DBParameterGroup', { Parameters: Match.objectLike({ 'rds.force_ssl': '1' }) });
});

test.each(['15', '16', '17', '15.14', '16.10', '17.6'])(
  'PostgreSQL %s is asked for as it is, with TLS',
  (postgresVersion) => {
    const stack = new Stack(new App(), 'Prod');
    new MetadataDatabase(stack, 'Metadata', { network: new TenancyNetwork(stack, 'Network'), postgresVersion });

    const made = Template.fromStack(stack);
    made.hasResourceProperties('AWS::RDS::DBInstance', { Engine: 'postgres', EngineVersion: postgresVersion });
    made.hasResourceProperties('AWS::RDS::DBParameterGroup', {
      Family: `postgres${postgresVersion.split('.')[0]}`,
      Parameters: Match.objectLike({ 'rds.force_ssl': '1' }),
    });
  },
);

test('nothing rotates the password of the services, which PostgreSQL learns from a migration only', () => {
  const made = Template.fromStack(bothServers().stack);

  made.resourceCountIs('AWS::SecretsManager::RotationSchedule', 0);
  made.hasResource('AWS::SecretsManager::Secret', {
    Properties: { Description: 'PostgreSQL login of the web, workers and beat of Superset to its metadata' },
    DeletionPolicy: 'RetainExceptOnCreate',
    UpdateReplacePolicy: 'Retain',
  });
});

test('whoever may connect to the tenants server may not connect to the metadata', () => {
  const { stack, network, tenants } = bothServers();
  const client = new ec2.SecurityGroup(stack, 'Client', { vpc: network.vpc });

  tenants.connections.allowDefaultPortFrom(client);

  const rules = Object.values(Template.fromStack(stack).findResources('AWS::EC2::SecurityGroupIngress'));
  expect(rules.map(({ Properties }) => Properties.GroupId['Fn::GetAtt'][0])).toEqual([
    expect.stringMatching(/^Tenants/),
  ]);
});

test('whoever may read the secret of the metadata may not read that of the tenants server', () => {
  const { stack, metadata } = bothServers();
  const role = new iam.Role(stack, 'Superset', { assumedBy: new iam.ServicePrincipal('ecs-tasks.amazonaws.com') });

  metadata.grantSecretRead(role);

  const policies = Object.values(Template.fromStack(stack).findResources('AWS::IAM::Policy'));
  const [policy] = policies.filter(({ Properties }) => Properties.PolicyName.startsWith('Superset'));
  expect(JSON.stringify(policy)).toContain('MetadataServerInstance');
  expect(JSON.stringify(policy)).not.toContain('Tenants');
});

test('the rule packs find nothing', () => {
  expect(policyFindings(bothServers().stack)).toEqual([]);
});
