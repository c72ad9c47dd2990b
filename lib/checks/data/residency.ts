import { Stack } from 'aws-cdk-lib';
import { REGIONS_OF } from '../../environment/residency-regions';
import { InstancePerTenancy } from '../../tenancy/instance-per-tenancy';
import { Residency } from '../../tenant/tenant-instance';
import { CheckedResource, Json } from '../checked-resource';
import { REGION_NAME } from '../region-name';
import { Rule, Surroundings } from '../rule';
import { Templates, regionOf } from '../templates';

/**
 * "AWS will not move or replicate your content outside of your chosen AWS Regions without your agreement" (AWS Data Privacy FAQ): it is
 * the template that would. A tenant's stacks are in a region of its residency and name no other one: no replica, no copy of a backup, no
 * replication of a bucket, no log destination.
 */
export const RESIDENCY: Rule = {
  name: 'Residency',
  summary: "No stack, replica, copy or backup is outside of the tenant's declared residency.",
  types: /./,
  check(resource, surroundings) {
    const residencies = residenciesOf(resource.stack, surroundings);
    return [...residencies].flatMap((residency) => [
      ...stackFault(resource, residency, surroundings.templates),
      ...regionsNamedIn(resource.properties)
        .filter((region) => !REGIONS_OF[residency].includes(region))
        .map(
          (region) =>
            `names ${region}, and the residency is '${residency}'. Use ${REGIONS_OF[residency].join(' or ')}.`,
        ),
      ...bucketFault(resource, residency, surroundings.templates),
    ]);
  },
};

/** What the app asks for, and what each tenant does whose instance has a part in the stack. */
function residenciesOf(stack: Stack, { templates, residency }: Surroundings): Set<Residency> {
  const ofTenants = residenciesByStack(templates).get(outermost(stack)) ?? [];
  return new Set([...ofTenants, ...(residency ? [residency] : [])]);
}

const KNOWN = new WeakMap<Templates, Map<Stack, Residency[]>>();

function residenciesByStack(templates: Templates): Map<Stack, Residency[]> {
  const known = KNOWN.get(templates) ?? new Map<Stack, Residency[]>();
  if (KNOWN.has(templates)) return known;
  KNOWN.set(templates, known);
  for (const tenancy of templates.constructs.filter((construct) => construct instanceof InstancePerTenancy)) {
    const residency = tenancy.tenant.instance?.residency;
    for (const part of residency ? [tenancy, tenancy.network, tenancy.shard.server] : []) {
      const stack = outermost(Stack.of(part));
      known.set(stack, [...(known.get(stack) ?? []), residency as Residency]);
    }
  }
  return known;
}

/** Reported once a stack. */
function stackFault(resource: CheckedResource, residency: Residency, templates: Templates): string[] {
  const { stack } = resource;
  if (templates.first(stack) !== resource) return [];
  const region = regionOf(stack);
  if (!region) return [`the stack names no region, and the residency is '${residency}'. Set env of the stack.`];
  return REGIONS_OF[residency].includes(region)
    ? []
    : [`the stack is in ${region}, and the residency is '${residency}'. Use ${REGIONS_OF[residency].join(' or ')}.`];
}

/** The name of a bucket does not say where it is. */
function bucketFault(
  { type, properties, stack }: CheckedResource,
  residency: Residency,
  templates: Templates,
): string[] {
  if (type !== 'AWS::S3::Bucket') return [];
  return (properties.ReplicationConfiguration?.Rules ?? [])
    .filter(({ Destination }: Json) => !templates.target(Destination?.Bucket, stack))
    .map(
      () =>
        `replicates to a bucket outside of the app, and the residency is '${residency}'. Make the bucket in the app, or acknowledge where it is.`,
    );
}

function regionsNamedIn(value: Json): string[] {
  return [...new Set(JSON.stringify(value).match(REGION_NAME) ?? [])];
}

function outermost(stack: Stack): Stack {
  return stack.nestedStackParent ? outermost(stack.nestedStackParent) : stack;
}
