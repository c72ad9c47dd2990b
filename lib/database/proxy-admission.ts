import { CustomResource, Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { databaseServer } from '../provisioning/database-server';
import { ProxiedServers } from '../provisioning/desired-databases';
import { ShardsProvisioner } from '../provisioning/shards-provisioner';
import { TenantDatabaseProxy } from './tenant-database-proxy';

/** Props of {@link ProxyAdmission}. */
export interface ProxyAdmissionProps {
  readonly provisioner: ShardsProvisioner;
  readonly proxies: TenantDatabaseProxy[];
}

/**
 * Lets RDS Proxy check its targets.
 *
 * RDS makes the account for that when it registers a target, which is after the provisioner has closed the database that the account
 * connects to.
 */
export class ProxyAdmission extends Construct {
  constructor(scope: Construct, id: string, props: ProxyAdmissionProps) {
    super(scope, id);
    const { provisioner, proxies } = props;
    const servers: ProxiedServers = {
      ProxiedServers: provisioner.shards
        .filter(({ server }) => proxies.some((proxy) => proxy.server === server))
        .map(databaseServer),
    };
    new CustomResource(this, 'Resource', {
      resourceType: 'Custom::SupersetProxyAdmission',
      serviceToken: provisioner.serviceToken,
      serviceTimeout: Duration.minutes(16),
      properties: {
        ...servers,
        // It comes after them, and again for each new one.
        TargetGroups: proxies.map(({ targetGroup }) => targetGroup.attrTargetGroupArn),
      },
    });
  }
}
