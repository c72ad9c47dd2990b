import { Stack } from 'aws-cdk-lib';
import { CheckedResource, Json } from '../checked-resource';
import { servicesOf, statementsOf, textsOf } from '../policy-document';
import { Templates } from '../templates';

/** The key that a property names, directly or by an alias; undefined for one that is not in the app. */
export function keyOf(value: Json, stack: Stack, templates: Templates): CheckedResource | undefined {
  const named = templates.target(value, stack);
  return named?.type === 'AWS::KMS::Alias' ? keyOf(named.properties.TargetKeyId, named.stack, templates) : named;
}

/** Whether a key policy lets a service do something. */
export function allows(key: CheckedResource, service: string, actions: string[]): boolean {
  const allowed = statementsOf(key)
    .filter(({ Effect }) => Effect === 'Allow')
    .filter((statement) => servicesOf(statement, key.stack).some((name) => name.split('.')[0] === service))
    .flatMap(({ Action }: Json) => textsOf(Action, key.stack));
  return actions.every((action) => allowed.some((pattern) => matches(pattern, action)));
}

function matches(pattern: string, action: string): boolean {
  const [start, ...rest] = pattern.split('*');
  return rest.length > 0 ? action.startsWith(start) : action === pattern;
}
