import { Stack, Token } from 'aws-cdk-lib';
import { IConstruct } from 'constructs';
import { ConfigurationError } from '../validation/configuration-error';
import { stackPart } from '../environment/instance-plan';

/** Name of the stack of a tenant's own Superset. */
export function instanceStackName(fleetId: string, tenantId: string): string {
  return `${fleetId}-${stackPart(tenantId)}`;
}

/** Name of a cell, which its stack's ends with. */
export function cellName({ region, cell }: { readonly region: string; readonly cell: number }): string {
  return `${region}-cell${cell}`;
}

const OURS = new WeakMap<IConstruct, Stack[]>();

/**
 * Refuses two stacks of one name in an app, of which the second one deployed would replace the first: at once if both are of this
 * library, before their parts collide, and otherwise at synthesis.
 *
 * @param stack the stack, of this library.
 */
export function checkStackNames(stack: Stack): void {
  const { root } = stack.node;
  const known = OURS.get(root);
  if (!known) root.node.addValidation({ validate: () => refuseSameNames(root) });
  const others = known ?? [];
  refuseNameOf(stack, others);
  OURS.set(root, [...others, stack]);
}

function refuseSameNames(root: IConstruct): string[] {
  const stacks = root.node.findAll().filter((each): each is Stack => Stack.isStack(each) && !each.nestedStackParent);
  stacks.forEach((stack, index) => refuseNameOf(stack, stacks.slice(0, index)));
  return [];
}

function refuseNameOf(stack: Stack, others: Stack[]): void {
  const other = others.find((each) => isSame(each, stack));
  if (!other) return;
  throw new ConfigurationError(
    stack,
    'STACK_NAME_DUPLICATE',
    `its stack is named ${stack.stackName} in ${placeOf(stack)}, as that of ${other.node.path} is, so that deploying the one would replace the other. Name one of the two otherwise: give its construct another id or, for a tenant that was never deployed, another tenant id.`,
  );
}

function isSame(a: Stack, b: Stack): boolean {
  return a.stackName === b.stackName && mayBeSame(a.account, b.account) && mayBeSame(a.region, b.region);
}

/** Accounts and regions that are only known at deployment may be any. */
function mayBeSame(a: string, b: string): boolean {
  return a === b || Token.isUnresolved(a) || Token.isUnresolved(b);
}

function placeOf({ account, region }: Stack): string {
  return [region, account].map((each) => (Token.isUnresolved(each) ? 'any' : each)).join(', account ');
}
