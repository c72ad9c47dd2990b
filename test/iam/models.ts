import { ProxyAuthentication } from '../../lib/database/proxy-authentication';
import { Environment } from '../../lib/environment/environment';
import { databaseExample, example, instanceExample, newFleet, userApp } from '../tenancy/environments';
import { newStack } from '../tenancy/templates';
import { Deployment, RawTemplates, templatesOf } from './deployed';

/** The examples of all models, as templates; that with databases also with tokens of IAM. */
export const MODELS: Record<string, () => RawTemplates> = {
  'shared-rls': () => templatesOfStack(example()),
  'database-per-tenant': () => templatesOfStack(databaseExample()),
  'database-per-tenant with tokens': () =>
    templatesOfStack(databaseExample({ proxy: { authentication: ProxyAuthentication.IAM } })),
  'instance-per-tenant': () => {
    const app = userApp();
    newFleet(app, instanceExample());
    return templatesOf(app);
  },
};

function templatesOfStack(environment: Environment): RawTemplates {
  const app = userApp();
  newStack(app, environment);
  return templatesOf(app);
}

/** Templates of an example in the account and region of its file. */
export function deployment(templates: RawTemplates): Deployment {
  const { account, region } = example();
  return new Deployment(templates, account, region);
}
