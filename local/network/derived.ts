import { Connection } from './connection';
import { Network } from './network';
import { Properties } from './templates';

/**
 * What AWS does for a task where no local run can see it, by its task definition: Fargate pulls the image and sends the log by the
 * network interface of the task (ECS Developer Guide, "Migrating to Linux platform version 1.4.0").
 */
export function derivedConnections(network: Network, families: string[]): Connection[] {
  const { region } = network.templates.app;
  return network.templates
    .of('AWS::ECS::TaskDefinition')
    .filter(({ properties }) => families.includes(String(properties.Family)))
    .flatMap(({ id: from, properties }) =>
      (properties.ContainerDefinitions as Properties[]).flatMap((container) => [
        ...pullOf(String(container.Image), region).map((to) => ({ from, to })),
        ...(container.LogConfiguration?.LogDriver === 'awslogs' ? logOf(from) : []),
      ]),
    );
}

/** ECR User Guide, "Amazon ECR interface VPC endpoints": the layers are in a bucket of AWS. */
function pullOf(image: string, region: string): Exclude<Connection['to'], string>[] {
  if (!new RegExp(`^\\d{12}\\.dkr\\.ecr\\.${region}\\.`).test(image)) return [{ action: `internet:${image}` }];
  return [
    { action: 'ecr:GetAuthorizationToken' },
    { action: 'ecr:BatchGetImage' },
    { action: 'ecr:GetDownloadUrlForLayer' },
    { action: 's3:GetObject', resource: `arn:aws:s3:::prod-${region}-starport-layer-bucket/layer`, byEcr: true },
  ];
}

function logOf(from: string): Connection[] {
  return ['logs:CreateLogStream', 'logs:PutLogEvents'].map((action) => ({ from, to: { action } }));
}
