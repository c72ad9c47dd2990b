import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import * as kms from 'aws-cdk-lib/aws-kms';
import { letAlarmsUse, letLogsUse } from '../../lib/encryption/own-key';
import { viaService } from '../../lib/encryption/via-service';

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

describe('an imported key', () => {
  const ARN = 'arn:aws:kms:eu-central-1:123456789012:key/5b0d6e0c-7f7f-4c55-9b0d-6a8f3c1c2d4e';

  function warnings(let_: (key: kms.IKey, stack: Stack) => void, imported = true): string[] {
    const stack = new Stack(new App(), 'Demo', { env: { account: '123456789012', region: 'eu-central-1' } });
    let_(imported ? kms.Key.fromKeyArn(stack, 'Key', ARN) : new kms.Key(stack, 'Key'), stack);
    return Annotations.fromStack(stack)
      .findWarning('*', Match.anyValue())
      .map(({ entry }) => String(entry.data));
  }

  test.each([
    [letLogsUse, 'CloudWatch Logs', 'logs.eu-central-1.amazonaws.com'],
    [letAlarmsUse, 'CloudWatch alarms', 'cloudwatch.amazonaws.com'],
  ])('comes with a warning that has the statement which its policy needs, once (%p)', (let_, service, principal) => {
    const said = warnings((key, stack) => {
      let_(key, stack);
      let_(key, stack);
    });

    expect(said).toEqual([expect.stringContaining(`${ARN} is imported`)]);
    expect(said[0]).toContain(`${service} need this statement`);
    const statement = JSON.parse(/\{.*\}/.exec(said[0])![0]) as Record<string, unknown>;
    expect(statement).toMatchObject({ Effect: 'Allow', Principal: { Service: principal }, Resource: '*' });
  });

  test('says for which log groups', () => {
    const [said] = warnings(letLogsUse);
    const { Condition } = JSON.parse(/\{.*\}/.exec(said)![0]) as { Condition: unknown };

    expect(Condition).toEqual({
      ArnLike: {
        'kms:EncryptionContext:aws:logs:arn': expect.stringMatching(
          /^arn:(aws|<AWS::Partition>):logs:eu-central-1:123456789012:log-group:\*$/,
        ),
      },
    });
  });

  test('one that is made here needs no warning', () => {
    expect(warnings(letLogsUse, false)).toEqual([]);
    expect(warnings(letAlarmsUse, false)).toEqual([]);
  });
});

describe('a service that uses a key for its caller', () => {
  test.each(['eu-central-1', 'us-gov-west-1', 'cn-north-1'])('is named in %s as aws-cdk-lib names it', (region) => {
    const stack = new Stack(new App(), 'Demo', { env: { region } });

    expect(viaService(stack, 'secretsmanager')).toBe(`secretsmanager.${region}.amazonaws.com`);
    expect(viaService(stack, 's3')).toBe(`s3.${region}.amazonaws.com`);
  });

  test('is named in one place', () => {
    const lib = join(__dirname, '..', '..', 'lib');
    const naming = readdirSync(lib, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'))
      .filter((file) => /\$\{[^}]*region[^}]*\}\.amazonaws\.com/i.test(readFileSync(join(lib, file), 'utf8')));

    expect(naming).toEqual([join('encryption', 'via-service.ts')]);
  });
});
