import { letsThrough } from '../../local/network/endpoint-policy';

const context = { 'aws:principalaccount': '123456789012' };
const read = { action: 'secretsmanager:GetSecretValue', context };
const everything = { Effect: 'Allow', Principal: '*', Action: '*', Resource: '*' };
const policy = (...statements: object[]) => ({ Version: '2012-10-17', Statement: statements });

test('an endpoint without a policy lets all through', () => {
  expect(letsThrough(undefined, read)).toBe(true);
});

test.each([
  ['for all', everything],
  ['for the action by a pattern', { ...everything, Action: ['secretsmanager:Get*'] }],
  ['for the account', { ...everything, Condition: { StringEquals: { 'aws:PrincipalAccount': '123456789012' } } }],
])('a statement %s lets a call through', (_, statement) => {
  expect(letsThrough(policy(statement), read)).toBe(true);
});

test.each([
  ['for another action', { ...everything, Action: 'secretsmanager:Describe*' }],
  [
    'for some resources, when the call may be about any',
    { ...everything, Resource: 'arn:aws:secretsmanager:*:*:secret:a' },
  ],
  ['for another account', { ...everything, Condition: { StringEquals: { 'aws:PrincipalAccount': '000000000000' } } }],
  [
    'for a key that the call does not have',
    { ...everything, Condition: { StringEquals: { 'aws:ResourceAccount': '*' } } },
  ],
  [
    'with a condition that is not understood',
    { ...everything, Condition: { Null: { 'aws:PrincipalAccount': 'false' } } },
  ],
  ['with a part that is not understood', { ...everything, NotResource: 'arn:aws:s3:::a' }],
  ['for a named principal', { ...everything, Principal: { AWS: 'arn:aws:iam::123456789012:role/a' } }],
])('a statement %s does not', (_, statement) => {
  expect(letsThrough(policy(statement), read)).toBe(false);
});

test('a denial wins, one that is not understood too', () => {
  expect(letsThrough(policy(everything, { ...everything, Effect: 'Deny', Action: 'secretsmanager:*' }), read)).toBe(
    false,
  );
  expect(letsThrough(policy(everything, { ...everything, Effect: 'Deny', NotAction: 'a:b' }), read)).toBe(false);
  expect(letsThrough(policy(everything, { ...everything, Effect: 'Deny', Action: 's3:*' }), read)).toBe(true);
});
