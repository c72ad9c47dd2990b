import { shardOf } from '../../lib/tenancy/shard-placement';
import { tenants } from './environments';

const shards = ['a', 'b', 'c'].map((name) => ({ name }));
const place = (...args: Parameters<typeof shardOf>) => shardOf(...args);

test('a tenant is where it says, or on the shard that is only for it', () => {
  const [tenant] = tenants(1);

  expect(place({ ...tenant, shard: 'b' }, shards)).toBe('b');
  expect(place(tenant, [...shards, { name: 'own', onlyFor: tenant.id }])).toBe('own');
});

test('a tenant that says nothing is on the first shard for any tenant, whatever shards are added', () => {
  const [tenant] = tenants(1);
  const first = [{ name: 'own', onlyFor: 'somebody' }, ...shards];

  expect(place(tenant, first)).toBe('a');
  expect(place(tenant, [...first, { name: 'd' }, { name: 'e' }])).toBe('a');
});

test('default shards share the tenants, and neither a tenant nor a shard that is added moves one', () => {
  const places = (count: number, more: { name: string }[] = []) =>
    tenants(count).map((tenant) => place(tenant, [...shards, ...more], ['a', 'b']));
  const now = places(100);

  expect(places(200, [{ name: 'd' }]).slice(0, 100)).toEqual(now);
  expect(now.filter((name) => name === 'a').length).toBeGreaterThan(30);
  expect(now.filter((name) => name === 'b').length).toBeGreaterThan(30);
});

test('the hash is the one that tenants were placed by', () => {
  expect(tenants(8).map((tenant) => place(tenant, shards, ['a', 'b', 'c']))).toMatchInlineSnapshot(`
   [
     "b",
     "a",
     "c",
     "c",
     "a",
     "a",
     "b",
     "b",
   ]
  `);
});
