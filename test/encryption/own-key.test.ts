import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as kms from 'aws-cdk-lib/aws-kms';
import { letLogsUse } from '../../lib/encryption/own-key';

function logsPrincipal(region?: string): unknown {
  const stack = new Stack(new App(), 'Demo', { env: { region } });
  letLogsUse(new kms.Key(stack, 'Key'), stack);
  const [key] = Object.values(Template.fromStack(stack).findResources('AWS::KMS::Key'));
  return key.Properties.KeyPolicy.Statement.at(-1).Principal.Service;
}

test.each([
  ['eu-central-1', 'logs.eu-central-1.amazonaws.com'],
  ['us-gov-west-1', 'logs.us-gov-west-1.amazonaws.com'],
  ['cn-north-1', 'logs.cn-north-1.amazonaws.com.cn'],
])('CloudWatch Logs may use a key in %s', (region, principal) => {
  expect(logsPrincipal(region)).toBe(principal);
});

test('and in a region that is known at deployment only', () => {
  const principal = ['logs.', { Ref: 'AWS::Region' }, '.', { Ref: 'AWS::URLSuffix' }];

  expect(logsPrincipal()).toEqual({ 'Fn::Join': ['', principal] });
});
