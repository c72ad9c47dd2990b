import { App, Stack, Validations } from 'aws-cdk-lib';
import * as acm from 'aws-cdk-lib/aws-certificatemanager';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import {
  SharedRlsTenancy,
  TableStrategy,
  TenancyChecks,
  TenancyNetwork,
  TenantColumnType,
  TenantDatabaseServer,
  TenantTier,
} from '../../lib'; // 'cdk-superset-tenancy' in an app of your own

const app = new App();
const stack = new Stack(app, 'Analytics', {
  env: { account: '123456789012', region: 'eu-central-1' },
  // Off for the first deployment, and before the stack is deleted.
  terminationProtection: String(app.node.tryGetContext('superset-tenancy:unprotected')) !== 'true',
});

// Ends the synthesis if your part of the app, or ours, breaks a rule of AWS or brings tenants too close together.
Validations.of(app).addPlugins(new TenancyChecks());

// A network of your own, and a server of the size that you choose; all else is made with its defaults.
const network = new TenancyNetwork(stack, 'Network', {
  vpc: ec2.Vpc.fromVpcAttributes(stack, 'Vpc', {
    vpcId: 'vpc-0123456789abcdef0',
    vpcCidrBlock: '10.0.0.0/16',
    availabilityZones: ['eu-central-1a', 'eu-central-1b'],
    isolatedSubnetIds: ['subnet-0a', 'subnet-0b'],
  }),
});
const database = new TenantDatabaseServer(stack, 'Tenants', { network, instanceClass: 'r7g.large', storageGiB: 200 });

const tenancy = new SharedRlsTenancy(stack, 'Superset', {
  network,
  database,
  domainName: 'superset.example.com',
  certificate: acm.Certificate.fromCertificateArn(
    stack,
    'Certificate',
    'arn:aws:acm:eu-central-1:123456789012:certificate/6a5f3c3e-5d0c-4c39-9d80-0a4a5f2f4f11',
  ),
  tenantColumn: { name: 'tenant_id', type: TenantColumnType.UUID },
  tables: [{ name: 'orders', strategy: TableStrategy.PARTITIONED }],
  tenants: [
    {
      id: 'tk4q9w',
      value: '3f0c9a3e-8c1b-4f57-9a38-5f6a3f2f7a01',
      displayName: 'Acme',
      adminEmail: 'admin@acme.example',
      tier: TenantTier.PREMIUM,
    },
  ],
});

// Your ETL writes the rows of all tenants, and asks for the protection of a table that it has just made.
const etl = new iam.Role(stack, 'Etl', { assumedBy: new iam.ServicePrincipal('ecs-tasks.amazonaws.com') });
tenancy.loaderSecret.grantRead(etl);
tenancy.provisioner.grantReconcile(etl);
