import { handler } from '../../lib/protection/handler';
import {
  DELETION_PROTECTION,
  DeletionProtectionProperties,
  TERMINATION_PROTECTION,
} from '../../lib/protection/protection-requests';
import { RdsApi } from '../database/rds-api';

// The query APIs of CloudFormation, RDS and Elastic Load Balancing are one server here.
const aws = new RdsApi();

const STACK = 'arn:aws:cloudformation:eu-central-1:123456789012:stack/Superset/1';
const SERVER: DeletionProtectionProperties = { Server: 'tenants', Retained: 'true' };
const BALANCER: DeletionProtectionProperties = { LoadBalancer: 'arn:aws:balancer', Retained: 'false' };

beforeAll(() => aws.start());
beforeEach(() => {
  aws.reset();
  const done = ['UpdateTerminationProtection', 'ModifyDBInstance', 'ModifyLoadBalancerAttributes'];
  done.forEach((action) => aws.answer(action, { result: '' }));
});
afterAll(() => aws.stop());

/** What is asked of AWS for a request, while the stack has a status. */
async function asked(type: string, RequestType: 'Create' | 'Delete', status: string, of = SERVER): Promise<string[]> {
  aws.requests.length = 0;
  aws.answer('DescribeStacks', { result: `<Stacks><member><StackStatus>${status}</StackStatus></member></Stacks>` });
  await handler({
    ...{ RequestType, ResourceType: type, StackId: STACK, LogicalResourceId: 'Protection' },
    ResourceProperties: of,
  });
  return aws.requests
    .filter(({ action }) => action !== 'DescribeStacks')
    .map(({ action, parameters }) => {
      const said = Object.entries(parameters).filter(([name]) => name !== 'Version');
      return `${action} ${said.map(([, value]) => value).join(' ')}`;
    });
}

const LIFTED = [`UpdateTerminationProtection ${STACK} false`];

test.each([
  ['Create', 'CREATE_IN_PROGRESS', []],
  ['Delete', 'ROLLBACK_IN_PROGRESS', LIFTED],
  ['Delete', 'UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS', []],
  ['Delete', 'UPDATE_COMPLETE_CLEANUP_IN_PROGRESS', []],
  ['Delete', 'DELETE_IN_PROGRESS', []],
] as const)('termination protection, with %s while the stack is in %s', async (request, status, calls) => {
  expect((await asked(TERMINATION_PROTECTION, request, status)).map(sorted)).toEqual(calls.map(sorted));
});

test('a rollback goes on when termination protection cannot be lifted', async () => {
  const log = jest.spyOn(console, 'error').mockImplementation();
  aws.answer('UpdateTerminationProtection', { error: 'ValidationError' });

  await expect(asked(TERMINATION_PROTECTION, 'Delete', 'ROLLBACK_IN_PROGRESS')).resolves.toHaveLength(1);
  expect(log).toHaveBeenCalledWith(expect.stringContaining('termination protection'));
  log.mockRestore();
});

const [ON, OFF] = ['true', 'false'].map((state) => ({
  server: [`ModifyDBInstance tenants ${state}`],
  loadBalancer: [`ModifyLoadBalancerAttributes arn:aws:balancer deletion_protection.enabled ${state}`],
}));
const NOTHING = { server: [], loadBalancer: [] };

test.each([
  ['Create', 'CREATE_IN_PROGRESS', ON],
  ['Delete', 'ROLLBACK_IN_PROGRESS', OFF],
  ['Delete', 'UPDATE_ROLLBACK_IN_PROGRESS', OFF],
  ['Delete', 'UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS', OFF],
  ['Delete', 'UPDATE_COMPLETE_CLEANUP_IN_PROGRESS', { ...OFF, server: NOTHING.server }],
  ['Delete', 'DELETE_IN_PROGRESS', { ...OFF, server: NOTHING.server }],
] as const)('deletion protection, with %s while the stack is in %s', async (request, status, calls) => {
  expect((await asked(DELETION_PROTECTION, request, status, SERVER)).map(sorted)).toEqual(calls.server.map(sorted));
  expect((await asked(DELETION_PROTECTION, request, status, BALANCER)).map(sorted)).toEqual(
    calls.loadBalancer.map(sorted),
  );
});

test.each([
  ['DBInstanceNotFound', SERVER, 'ModifyDBInstance'],
  ['LoadBalancerNotFound', BALANCER, 'ModifyLoadBalancerAttributes'],
])('what is gone has no protection to lift: %s', async (error, resource, action) => {
  aws.answer(action, { error });

  await expect(asked(DELETION_PROTECTION, 'Delete', 'ROLLBACK_IN_PROGRESS', resource)).resolves.toHaveLength(1);
});

test('a server that is being changed is asked again until it takes the change', async () => {
  aws.answer('ModifyDBInstance', { error: 'InvalidDBInstanceState' });
  setTimeout(() => aws.answer('ModifyDBInstance', { result: '' }), 1_000);

  const calls = await asked(DELETION_PROTECTION, 'Create', 'CREATE_IN_PROGRESS');

  expect(calls.length).toBeGreaterThan(1);
});

test('another refusal fails the deployment', async () => {
  aws.answer('ModifyDBInstance', { error: 'InvalidParameterValue', message: 'no' });

  await expect(asked(DELETION_PROTECTION, 'Create', 'CREATE_IN_PROGRESS')).rejects.toThrow('no');
});

/** The SDK sends parameters in any order. */
function sorted(call: string): string {
  return call.split(' ').sort().join(' ');
}
