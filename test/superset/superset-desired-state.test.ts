import { mkdtempSync, readFileSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Lazy, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as iam from 'aws-cdk-lib/aws-iam';
import { SupersetDesiredState, SupersetDesiredStateProps } from '../../lib/superset/superset-desired-state';
import { Tenant } from '../../lib/tenant/tenant';
import { TenantTier } from '../../lib/tenant/tenant-limits';
import { tenants } from '../tenancy/environments';

const [ADA, BEN] = tenants(2);

const scratch = mkdtempSync(join(tmpdir(), 'desired-state-test-'));
afterAll(() => rmSync(scratch, { recursive: true }));

function file(name: string, content: string): string {
  writeFileSync(join(scratch, name), content);
  return join(scratch, name);
}

function desiredState(props: Partial<SupersetDesiredStateProps> = {}) {
  const stack = new Stack(new App(), 'Prod', { env: { account: '123456789012', region: 'eu-central-1' } });
  const made = new SupersetDesiredState(stack, 'DesiredState', { tenants: [ADA, BEN], ...props });
  return { stack, made };
}

/** Where the asset stands in the cloud assembly; its name is its hash. */
function staged(props?: Partial<SupersetDesiredStateProps>) {
  const { outdir } = desiredState(props).stack.node.root as App;
  const [asset] = readdirSync(outdir).filter((name) => name.startsWith('asset.'));
  const read = (name: string) => readFileSync(join(outdir, asset, name), 'utf8');
  return { hash: asset, files: readdirSync(join(outdir, asset)).sort(), read };
}

test('Superset is told of id, name and first administrator of each tenant, and of nothing else', () => {
  const { files, read } = staged({ tenants: [{ ...BEN, tier: TenantTier.PREMIUM }, ADA] });

  expect(files).toEqual(['desired-state.json']);
  expect(JSON.parse(read('desired-state.json'))).toEqual({
    version: 1,
    tenants: [
      { id: 't00000', displayName: 'Tenant 0', adminEmail: 'admin@0.example.com' },
      { id: 't00001', displayName: 'Tenant 1', adminEmail: 'admin@1.example.com' },
    ],
  });
});

test('content that Superset has exported goes along', () => {
  const { files, read } = staged({ contentBundle: file('sales.zip', 'PK\x03\x04 dashboards') });

  expect(files).toEqual(['content.zip', 'desired-state.json']);
  expect(read('content.zip')).toBe('PK\x03\x04 dashboards');
  expect(JSON.parse(read('desired-state.json')).content).toBe('content.zip');
});

describe('the asset', () => {
  const { hash } = staged();

  test.each<[string, Partial<SupersetDesiredStateProps>]>([
    ['the order of the tenants', { tenants: [BEN, ADA] }],
    ['what Superset does not know of', { tenants: [{ ...ADA, tier: TenantTier.PREMIUM, value: 'x' }, BEN] }],
  ])('stays the same whatever %s', (_, props) => {
    expect(staged(props).hash).toBe(hash);
  });

  test.each<[string, Partial<SupersetDesiredStateProps>]>([
    ['a name', { tenants: [{ ...ADA, displayName: 'Northwind' }, BEN] }],
    ['a tenant less', { tenants: [ADA] }],
    ['content', { contentBundle: file('other.zip', 'PK\x03\x04 other') }],
  ])('changes with %s', (_, props) => {
    expect(staged(props).hash).not.toBe(hash);
  });
});

test('what is read may be this one object, and no other asset of the account', () => {
  const { stack, made } = desiredState();
  made.grantRead(new iam.Role(stack, 'Reader', { assumedBy: new iam.AccountRootPrincipal() }));

  const [policy] = Object.values(Template.fromStack(stack).findResources('AWS::IAM::Policy'));
  const [decrypt, get] = policy.Properties.PolicyDocument.Statement;
  expect(get).toEqual({ Action: 's3:GetObject', Effect: 'Allow', Resource: expect.anything() });
  // Under the key of the bootstrap, whichever it is, and nothing else under it.
  expect(decrypt).toEqual({
    Action: 'kms:Decrypt',
    Effect: 'Allow',
    Resource: { 'Fn::Join': ['', ['arn:', { Ref: 'AWS::Partition' }, ':kms:eu-central-1:123456789012:key/*']] },
    Condition: {
      StringEquals: {
        'kms:ViaService': 's3.eu-central-1.amazonaws.com',
        'kms:EncryptionContext:aws:s3:arn': [get.Resource, expect.anything()],
      },
    },
  });
  const [, bucket] = decrypt.Condition.StringEquals['kms:EncryptionContext:aws:s3:arn'];
  expect(JSON.stringify(bucket)).toMatch(/:s3:::cdk-hnb659fds-assets-123456789012-eu-central-1"/);
  expect(JSON.stringify(policy.Properties.PolicyDocument)).toMatch(
    /cdk-hnb659fds-assets-123456789012-eu-central-1\/[0-9a-f]{64}\.zip/,
  );
});

test('nothing is left behind outside of the cloud assembly', () => {
  const left = () => readdirSync(tmpdir()).filter((name) => name.startsWith('superset-desired-state-')).length;
  const before = left();
  desiredState();

  expect(left()).toBe(before);
});

test.each<[keyof Tenant, string]>([
  ['displayName', 'TENANT_UNRESOLVED'],
  ['adminEmail', 'TENANT_UNRESOLVED'],
])('a tenant whose %s is known at deployment only is refused, with the way out', (key, code) => {
  const later = Lazy.string({ produce: () => 'x' });

  expect(() => desiredState({ tenants: [ADA, { ...BEN, [key]: later }] })).toThrow(
    new RegExp(
      `^Prod/DesiredState: tenants\\[1\\]\\.${key} is .*known at deployment only.*Give the text.*\\[${code}\\]$`,
    ),
  );
});

test.each([
  ['is missing', () => join(scratch, 'none.zip'), /none\.zip, which does not exist.*CONTENT_BUNDLE_UNREADABLE/],
  ['is a directory', () => scratch, /which is not a file.*CONTENT_BUNDLE_NO_FILE/],
  ['is no ZIP file', () => file('a.yaml', 'version: 1.0.0'), /which is not a ZIP file.*CONTENT_BUNDLE_NO_ZIP/],
  ['is empty', () => file('empty.zip', 'PK\x05\x06'), /or an empty one.*CONTENT_BUNDLE_NO_ZIP/],
  ['is too large', () => large(), /which has 10\.5 MiB; allowed: .* at most 10 MiB.*CONTENT_BUNDLE_TOO_LARGE/],
])('content that %s is refused, with the way out', (_, contentBundle, message) => {
  expect(() => desiredState({ contentBundle: contentBundle() })).toThrow(message);
});

function large(): string {
  const path = file('large.zip', 'PK\x03\x04');
  truncateSync(path, 10.5 * 2 ** 20);
  return path;
}
