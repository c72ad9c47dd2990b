import { RegionInfo } from 'aws-cdk-lib/region-info';
import { CheckedResource } from '../checked-resource';
import { servicesOf, statementsOf } from '../policy-document';
import { Rule } from '../rule';
import { regionOf } from '../templates';

/**
 * "The identifier for a service principal includes the service name, and is usually in the following format: service-name.amazonaws.com"
 * (IAM User Guide, "AWS JSON policy elements: Principal"). In China, CodeDeploy, EMR and CloudWatch Logs have `amazonaws.com.cn`; the
 * principal of CloudWatch Logs names the region. One that does not exist is refused, or lets in no service.
 */
export const SERVICE_PRINCIPAL: Rule = {
  name: 'ServicePrincipal',
  summary: 'A policy names services as they are called in the partition and the region of its stack.',
  types: /^AWS::/,
  check(resource) {
    const region = regionOf(resource.stack);
    if (!region) return [];
    return [...new Set(servicesNamedBy(resource))].flatMap((service) => fault(service, region));
  },
};

function servicesNamedBy(resource: CheckedResource): string[] {
  const { properties, type, stack } = resource;
  const invoker =
    type === 'AWS::Lambda::Permission' ? servicesOf({ Principal: { Service: properties.Principal } }, stack) : [];
  return [...statementsOf(resource).flatMap((statement) => servicesOf(statement, stack)), ...invoker];
}

function fault(service: string, region: string): string[] {
  const [, name, named, domain] =
    /^([a-z0-9.-]+?)(?:\.([a-z]{2}(?:-[a-z]+)+-\d))?\.(amazonaws\.com(?:\.cn)?|c2s\.ic\.gov|sc2s\.sgov\.gov)$/.exec(
      service,
    ) ?? [];
  if (!name) return [];
  const elsewhere =
    named && named !== region ? [`${service} is the service of ${named}, and the stack is in ${region}.`] : [];
  const { domainSuffix = DOMAIN } = RegionInfo.get(region);
  const right = OF_PARTITION.includes(name) && region.startsWith('cn-') ? domainSuffix : DOMAIN;
  const regional = name === 'logs' && !named ? [`${service} names no region. Use logs.${region}.${right}.`] : [];
  const other =
    domain === right
      ? []
      : [`${service} is not called so in ${region}. Use ${[name, named, right].filter(Boolean).join('.')}.`];
  return [...elsewhere, ...regional, ...other];
}

const DOMAIN = 'amazonaws.com';

/** Those whose principals in China end as the partition's host names do. */
const OF_PARTITION = ['codedeploy', 'elasticmapreduce', 'logs'];
