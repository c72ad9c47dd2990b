import { Json } from '../checked-resource';
import { Rule } from '../rule';

/**
 * "To use the FARGATE and FARGATE_SPOT capacity providers, you must associate them with your cluster" (Amazon ECS Developer Guide,
 * "Amazon ECS clusters for Fargate"). ECS refuses to create the service otherwise, also while the association is still being made.
 */
export const SPOT_CAPACITY: Rule = {
  name: 'SpotCapacity',
  summary:
    'The capacity providers of an ECS service, such as FARGATE_SPOT, are associated with its cluster before it is made.',
  types: /^AWS::ECS::Service$/,
  check({ properties, dependsOn, stack }, { templates }) {
    const cluster = templates.target(properties.Cluster, stack);
    const wanted: string[] = (properties.CapacityProviderStrategy ?? []).map((item: Json) => item.CapacityProvider);
    if (!cluster) return [];
    const associations = templates
      .ofType('AWS::ECS::ClusterCapacityProviderAssociations')
      .filter((association) => templates.target(association.properties.Cluster, association.stack) === cluster);
    return wanted
      .filter((name) => typeof name === 'string' && !cluster.properties.CapacityProviders?.includes(name))
      .flatMap((name) => {
        const made = associations.find((association) => association.properties.CapacityProviders?.includes(name));
        if (!made)
          return [`${name} is not associated with the cluster. Call cluster.enableFargateCapacityProviders().`];
        const inOrder = made.stack !== stack || dependsOn.includes(made.logicalId);
        return inOrder ? [] : [`the service does not wait for the association of ${name}. Add a dependency on it.`];
      });
  },
};
