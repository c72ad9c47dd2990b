import { Annotations, App, Stack } from 'aws-cdk-lib';
import { Annotations as Seen, Match } from 'aws-cdk-lib/assertions';
import { warnOfFit } from '../../lib/tenancy/model-fit';

function warnings(tenants: number, storageGiB: number, acknowledged?: string): string[] {
  const stack = new Stack(new App(), 'Prod');
  warnOfFit(stack, tenants, storageGiB);
  if (acknowledged) {
    Annotations.of(stack).acknowledgeWarning(acknowledged, 'we know');
  }
  return Seen.fromStack(stack)
    .findWarning('*', Match.stringLikeRegexp('.'))
    .map(({ entry }) => String(entry.data));
}

test('thirty tenants on 100 GiB suit the shared model', () => {
  expect(warnings(30, 100)).toEqual([]);
});

test('more tenants or more data get a warning that names the better model', () => {
  expect(warnings(31, 100)).toEqual([expect.stringMatching(/^31 tenants .*database per tenant/i)]);
  expect(warnings(30, 101)).toEqual([expect.stringMatching(/^The server has 101 GiB.*database per tenant/i)]);
});

test('the choice can be kept by an acknowledgement', () => {
  expect(warnings(31, 100, 'superset-tenancy:fit-tenants')).toEqual([]);
});
