import { Deployed, Deployment } from './deployed';

/** What runs while CloudFormation deploys, by its type. */
const RUNS = /^(Custom::.*|AWS::CloudFormation::CustomResource|AWS::ECS::Service|AWS::RDS::DBProxy)$/;

/** What runs something else in turn, or says as which role. */
const LEADS_ON =
  /^(Custom::.*|AWS::ECS::(Service|TaskDefinition)|AWS::RDS::DBProxy|AWS::Lambda::Function|AWS::StepFunctions::StateMachine)$/;

/**
 * Policies that are not made before something runs that needs them, as `<what runs>: <policy>`.
 *
 * What runs, and all functions, state machines and task definitions that it leads to, act in roles; CloudFormation may make the
 * policies of these later unless a dependency says otherwise.
 */
export function policiesTooLate(deployment: Deployment): string[] {
  const byPath = new Map(deployment.resources.map((resource) => [resource.path, resource]));
  const policies = deployment.of('AWS::IAM::Policy');
  return deployment.resources
    .filter(({ type }) => RUNS.test(type))
    .flatMap((running) => {
      const roles = rolesOf(running, byPath);
      const before = madeBefore(running, byPath);
      return (
        policies
          .filter(({ properties }) => (properties.Roles as string[]).some((role) => roles.has(role)))
          // A stack that this one refers to is deployed before it.
          .filter(({ path }) => !before.has(path) && !isOtherStack(running, path, byPath))
          .map(({ path }) => `${running.path}: ${path}`)
      );
    });
}

/** How many roles of the deployment something runs in. */
export function rolesInUse(deployment: Deployment): string[] {
  const byPath = new Map(deployment.resources.map((resource) => [resource.path, resource]));
  const running = deployment.resources.filter(({ type }) => RUNS.test(type));
  return [...new Set(running.flatMap((resource) => [...rolesOf(resource, byPath)]))].sort();
}

/** References to the roles that something acts in, in all that it leads to. */
function rolesOf(from: Deployed, byPath: ReadonlyMap<string, Deployed>): Set<string> {
  const seen = new Set<string>();
  const roles = new Set<string>();
  const visit = (resource: Deployed | undefined) => {
    if (!resource || seen.has(resource.path)) return;
    seen.add(resource.path);
    if (resource.type === 'AWS::IAM::Role') roles.add(`<${resource.path}>`);
    if (LEADS_ON.test(resource.type)) referencesOf(resource).forEach((path) => visit(byPath.get(path)));
  };
  visit(from);
  return roles;
}

/** Paths of what the properties of a resource refer to, in any stack. */
function referencesOf({ properties }: Deployed): string[] {
  const references = JSON.stringify(properties).matchAll(/<([\w/-]+)(?:\.[\w.]+)?>/g);
  return [...references].map(([, path]) => path);
}

function madeBefore(running: Deployed, byPath: ReadonlyMap<string, Deployed>): Set<string> {
  const before = new Set<string>();
  const visit = ({ path, dependsOn }: Deployed) => {
    // What is in a nested stack waits for what the stack waits for.
    const nested = byPath.get(path.slice(0, path.lastIndexOf('/')));
    for (const earlier of [...dependsOn, ...(nested?.dependsOn ?? [])]) {
      if (before.has(earlier)) continue;
      before.add(earlier);
      const resource = byPath.get(earlier);
      if (resource) visit(resource);
    }
  };
  visit(running);
  return before;
}

function isOtherStack(running: Deployed, path: string, byPath: ReadonlyMap<string, Deployed>): boolean {
  const root = (of: string): string => {
    const stack = of.slice(0, of.lastIndexOf('/'));
    return byPath.has(stack) ? root(stack) : stack;
  };
  return root(running.path) !== root(path);
}
