import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { TenancyModel } from '../../lib/environment/environment';
import { Right } from '../../local/emulator';
import { SAME, differences } from '../e2e/unused-rights';

// The runs in test/e2e compare the page with what they used; here, with rights that are made up from the page.

const page = readFileSync(join(__dirname, '..', '..', 'docs', 'permissions.md'), 'utf8');
const unused = [...page.matchAll(/^\| `(\S+)` *\| `(\S+)` *\| `(\S+)` *\| (?!`)/gm)].map(([, ...row]): Right => {
  const [role, action, on] = row.map((pattern) => pattern.replaceAll('*', 'x'));
  return { role, action, on, used: false };
});
const used = { role: 'TenancySupersetTaskRole', action: 'secretsmanager:GetSecretValue', on: '<Secret>', used: true };
const compared = (rights: Right[]) => differences(rights, TenancyModel.SHARED_RLS);

test('the page lists the rights that a run has not used', () => {
  expect(unused.length).toBeGreaterThan(5);
  expect(compared([...unused, used])).toEqual(SAME);
});

test('a right that is neither used nor listed is found', () => {
  expect(compared([...unused, { ...used, used: false }])).toEqual({
    ...SAME,
    'not used, and not listed': ['TenancySupersetTaskRole secretsmanager:GetSecretValue <Secret>'],
  });
});

test('a listed right that a run has used is found', () => {
  const [first, ...others] = unused;

  expect(compared([{ ...first, used: true }, ...others, used])['listed, and used']).toHaveLength(1);
});

test('a listed right that no policy gives any more is found', () => {
  const others = unused.filter(({ action }) => !action.startsWith('ecr:'));

  expect(compared([...others, used])['listed, and not granted']).toEqual(['*ExecutionRole ecr:* *']);
});

test('rows about one model are not about another', () => {
  const snapshot = {
    role: 'TenancyRdsRequestsRole',
    action: 'rds:CreateDBSnapshot',
    on: 'rds:db:<Shard>',
    used: false,
  };

  expect(compared([...unused, snapshot])['not used, and not listed']).toHaveLength(1);
});
