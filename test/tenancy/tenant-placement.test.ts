import { TENANT_STACKS, placeTenants, stackOf } from '../../lib/tenancy/tenant-placement';
import { tenants } from './environments';

test('a tenant is always placed in the same stack: these are pinned, since a move makes its secret anew', () => {
  const ids = ['tk4q9w', 'tz81mm', 'acme', 'a_b', 't00000', 't00001', 't00002', 'zzz'];

  expect(Object.fromEntries(ids.map((id) => [id, stackOf(id)]))).toMatchInlineSnapshot(`
   {
     "a_b": 3,
     "acme": 5,
     "t00000": 4,
     "t00001": 4,
     "t00002": 1,
     "tk4q9w": 3,
     "tz81mm": 7,
     "zzz": 5,
   }
  `);
});

test('the number of stacks is pinned', () => {
  expect(TENANT_STACKS).toBe(8);
});

test('the order of the tenants in the file changes nothing', () => {
  const given = tenants(20);

  expect([...placeTenants([...given].reverse())]).toEqual([...placeTenants(given)]);
});

test('a stack that no tenant falls into is not made', () => {
  expect([...placeTenants(tenants(1)).keys()]).toEqual([stackOf('t00000')]);
});

test('a thousand tenants are spread so that no stack has more than a fifth of them', () => {
  const sizes = [...placeTenants(tenants(1000)).values()].map(({ length }) => length);

  expect(sizes).toHaveLength(8);
  expect(Math.max(...sizes)).toBeLessThan(200);
});
