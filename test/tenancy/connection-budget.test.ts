import { App, Stack } from 'aws-cdk-lib';
import { Annotations, Match } from 'aws-cdk-lib/assertions';
import { maxConnections } from '../../lib/database/instance-class';
import { checkConnections, checkMetadataConnections } from '../../lib/tenancy/connection-budget';
import { tenants } from './environments';

const M7G_LARGE = maxConnections('m7g.large');

function budget(count: number, connections: number, most = M7G_LARGE): Stack {
  const stack = new Stack(new App(), 'Prod');
  checkConnections(stack, tenants(count, { limits: { connections } }), most);
  return stack;
}

function warnings(stack: Stack): unknown[] {
  return Annotations.fromStack(stack).findWarning('*', Match.stringLikeRegexp('connection limits'));
}

test('limits that add up to less than 80 % of what the server takes pass without a word', () => {
  expect(warnings(budget(50, 10))).toEqual([]);
});

test('a hundred tenants of the standard tier fit on the default server, with a warning that shows the arithmetic', () => {
  const [warning] = warnings(budget(100, 10)) as { entry: { data: string } }[];

  expect(warning.entry.data).toContain('100 tenants add up to 1000');
  expect(warning.entry.data).toContain(`takes ${M7G_LARGE} connections`);
});

test('a tenant that could take more than half of all connections is refused by name', () => {
  expect(() => budget(1, 500)).toThrow(/t00000 \(500\) is more than half .*larger instance class/);
});

test('limits that add up to more than four times the capacity are refused, with number, limit and remedy', () => {
  expect(() => budget(400, 10)).toThrow(
    /400 tenants add up to 4000\. The server takes \d+ connections; .* larger instance class .* AWS caps it at 5000.*\[TENANT_CONNECTIONS_OVERCOMMITTED\]/,
  );
});

describe('the metadata server', () => {
  const stack = () => new Stack(new App(), 'Prod');

  test('takes all tasks of Superset by default', () => {
    expect(() => checkMetadataConnections(stack(), 6, 4, maxConnections('t4g.medium'))).not.toThrow();
  });

  test('is refused when it takes fewer connections than the tasks that Superset may have', () => {
    expect(() => checkMetadataConnections(stack(), 40, 4, maxConnections('t4g.medium'))).toThrow(
      /40 web tasks take up to 1200 connections, 4 worker tasks 24 and the rest 20: 1244 in all.*larger instance class.*\[METADATA_CONNECTIONS_TOO_FEW\]/,
    );
  });
});
