import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { App, Stack, Stage, Validations } from 'aws-cdk-lib';
import * as logs from 'aws-cdk-lib/aws-logs';
import { AwsSolutionsChecks } from 'cdk-nag';
import { RULES } from '../../lib/checks/rules';
import { TenancyChecks } from '../../lib';

const REASON = { id: 'TenancyChecks-LogRetention', reason: 'It is read by nothing that ends.' };

function appWithLogs(): { app: App; first: logs.CfnLogGroup; second: logs.CfnLogGroup } {
  const app = new App();
  const stack = new Stack(app, 'Logs', { env: { account: '000000000000', region: 'eu-central-1' } });
  return { app, first: new logs.CfnLogGroup(stack, 'First'), second: new logs.CfnLogGroup(stack, 'Second') };
}

test('a finding ends the synthesis, and says what is wrong, where, and what to do', () => {
  const { app } = appWithLogs();
  Validations.of(app).addPlugins(new TenancyChecks());

  expect(() => app.synth()).toThrow(
    /TenancyChecks-LogRetention: it is kept for ever\. Set retention\.[^]*Logs\/First[^]*acknowledge\({ id: 'TenancyChecks-LogRetention'/,
  );
});

test('an acknowledgement holds for a construct and all in it, and for nothing else', () => {
  const { app, first, second } = appWithLogs();
  Validations.of(app).addPlugins(new TenancyChecks());
  Validations.of(first).acknowledge(REASON);

  expect(() => app.synth()).toThrow(/Logs\/Second/);
  expect(() => app.synth()).not.toThrow(/Logs\/First/);
  Validations.of(second.stack).acknowledge(REASON);
  expect(() => app.synth({ force: true })).not.toThrow();
});

test('nor does one by the name that CDK gives a rule silence it elsewhere', () => {
  const { app, first } = appWithLogs();
  Validations.of(app).addPlugins(new TenancyChecks());
  Validations.of(first).acknowledge({ ...REASON, id: `TenancyChecks::${REASON.id}` });

  expect(() => app.synth()).toThrow(/Logs\/Second/);
});

test('it stands beside a pack of cdk-nag, each with its own findings', () => {
  const { app, first, second } = appWithLogs();
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app), new TenancyChecks());
  Validations.of(app).acknowledge({ ...REASON, id: 'AwsSolutions-EC23' });
  first.retentionInDays = 30;
  second.retentionInDays = 30;

  expect(() => app.synth()).not.toThrow();
});

test('it sees what an override has changed', () => {
  const { app, first, second } = appWithLogs();
  first.retentionInDays = 30;
  second.retentionInDays = 30;
  first.addPropertyDeletionOverride('RetentionInDays');
  Validations.of(app).addPlugins(new TenancyChecks());

  expect(() => app.synth()).toThrow(/Logs\/First/);
});

test('it looks into stages', () => {
  const app = new App();
  new logs.CfnLogGroup(new Stack(new Stage(app, 'Prod'), 'Logs'), 'First');
  Validations.of(app).addPlugins(new TenancyChecks());

  expect(() => app.synth()).toThrow(/Prod\/Logs\/First/);
});

test.each(['tomorrow', '2026-13-01', '2026-1-1', '2026-02-30', ''])('a day that is none is refused: %j', (today) => {
  expect(() => new TenancyChecks({ today })).toThrow(/it must be a day as YYYY-MM-DD/);
});

test('it names its rules, and the documentation has each with what it says', () => {
  const documented = readFileSync(join(__dirname, '../../docs/security/checks.md'), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) =>
      line
        .split('|')
        .slice(1, 3)
        .map((cell) => cell.trim()),
    );

  expect(documented).toEqual(RULES.map(({ name, summary }) => [`\`${name}\``, summary]));
  expect(new TenancyChecks().ruleIds).toEqual(RULES.map(({ name }) => `TenancyChecks-${name}`));
  expect(new Set(RULES.map(({ name }) => name)).size).toBe(RULES.length);
});
