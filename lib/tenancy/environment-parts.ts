import { Annotations, Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as acm from 'aws-cdk-lib/aws-certificatemanager';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as ecr from 'aws-cdk-lib/aws-ecr';
import * as kms from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import { Environment, EnvironmentDatabase, TenancyModel } from '../environment/environment';
import { environmentProblems } from '../environment/environment-rules';
import { TenancyNetwork, TenancyNetworkProps } from '../network/tenancy-network';
import { SupersetImage } from '../superset/superset-image';
import { ConfigurationError } from '../validation/configuration-error';
import { refuse } from '../validation/refuse';

/** Refuses an environment that is of another model, or not valid. */
export function checkEnvironment(scope: Construct, environment: Environment, model: TenancyModel): void {
  if (environment.model !== model && environment.model in STACK_OF) {
    throw new ConfigurationError(
      scope,
      'MODEL_OF_OTHER_STACK',
      `the environment is of model ${environment.model}; this stack is for ${model}. Use ${STACK_OF[environment.model]}, or change model.`,
    );
  }
  refuse(scope, environmentProblems(environment));
}

const STACK_OF: Record<TenancyModel, string> = {
  [TenancyModel.SHARED_RLS]: 'SharedRlsStack',
  [TenancyModel.DATABASE_PER_TENANT]: 'DatabasePerTenantStack',
  [TenancyModel.INSTANCE_PER_TENANT]: 'InstanceFleet',
};

/** What an environment says of its network. */
export function networkProps(
  scope: Construct,
  { domain, network: given = {} }: Pick<Environment, 'domain' | 'network'>,
  encryptionKey: kms.IKey,
  removalPolicy: RemovalPolicy,
): TenancyNetworkProps {
  const { vpcId, ...network } = given;
  return vpcId
    ? { vpc: ec2.Vpc.fromLookup(scope, 'Vpc', { vpcId }), ...network }
    : { publicSubnets: domain.internetFacing || undefined, encryptionKey, removalPolicy, ...network };
}

/** What an environment says of its Superset, and of how users get to it. */
export function supersetProps(scope: Construct, { domain, superset }: Environment, network: TenancyNetwork) {
  const { brand, image, contentBundle, connectionsPerProcess, allowedFunctions } = superset;
  const { minWebTasks, maxWebTasks, minWorkerTasks, maxWorkerTasks } = superset;
  return {
    domainName: domain.name,
    certificate: acm.Certificate.fromCertificateArn(scope, 'Certificate', domain.certificateArn),
    internetFacing: domain.internetFacing,
    image: image ? imageAt(scope, image, network) : undefined,
    ...{ brand, contentBundle, connectionsPerProcess, allowedFunctions },
    ...{ minWebTasks, maxWebTasks, minWorkerTasks, maxWorkerTasks },
  };
}

/** What an environment says of a server. */
export function serverProps({ backupDays, ...size }: EnvironmentDatabase = {}) {
  return { ...size, ...(backupDays === undefined ? {} : { backupRetention: Duration.days(backupDays) }) };
}

/** The image at a URI. */
export function imageAt(scope: Construct, uri: string, network: TenancyNetwork): SupersetImage {
  const ecrImage = ECR_IMAGE.exec(uri)?.groups;
  if (ecrImage) {
    const { account, region, repositoryName, tag, digest } = ecrImage;
    const repository = ecr.Repository.fromRepositoryAttributes(scope, 'Repository', {
      repositoryArn: `arn:${Stack.of(scope).partition}:ecr:${region}:${account}:repository/${repositoryName}`,
      repositoryName,
    });
    return SupersetImage.fromEcrRepository(repository, digest ?? tag ?? 'latest');
  }
  if (!network.internetEgress) {
    Annotations.of(scope).addWarningV2(
      'superset-tenancy:image-out-of-reach',
      `The image ${uri} is on the internet, which tasks cannot reach. Copy it to ECR, or set network.internetEgress.`,
    );
  }
  return SupersetImage.fromRegistry(uri);
}

/** An image in a private repository of ECR (ECR User Guide, "Amazon ECR private registry"). */
const ECR_IMAGE =
  /^(?<account>\d{12})\.dkr\.ecr\.(?<region>[a-z0-9-]+)\.amazonaws\.com(\.cn)?\/(?<repositoryName>[^:@]+)(:(?<tag>[\w.-]+))?(@(?<digest>sha256:[0-9a-f]{64}))?$/;
