import { cacheNodeMemoryGiB, cacheNodeTypeNames } from '../../lib/cache/cache-node-type';
import { instanceClassNames, instanceClassOf, maxConnections } from '../../lib/database/instance-class';

test('processors and memory of a class are those that AWS states', () => {
  expect(instanceClassOf('t4g.micro')).toEqual({ vcpu: 2, memoryGiB: 1 });
  expect(instanceClassOf('t4g.medium')).toEqual({ vcpu: 2, memoryGiB: 4 });
  expect(instanceClassOf('m7g.large')).toEqual({ vcpu: 2, memoryGiB: 8 });
  expect(instanceClassOf('r7g.2xlarge')).toEqual({ vcpu: 8, memoryGiB: 64 });
  expect(instanceClassOf('r8g.48xlarge')).toEqual({ vcpu: 192, memoryGiB: 1536 });
});

test('a class that AWS does not have is not known', () => {
  expect(instanceClassOf('m7g.48xlarge')).toBeUndefined();
  expect(instanceClassOf('db.m7g.large')).toBeUndefined();
  expect(instanceClassOf('constructor')).toBeUndefined();
  expect(() => maxConnections('m7g.tiny')).toThrow('m7g.tiny');
});

test.each([
  ['m7g.large', 860],
  ['m7g.xlarge', 1800],
  ['m7g.2xlarge', 3600],
])('the connections of %s are never reckoned above what a server really takes', (name, seen) => {
  expect(maxConnections(name)).toBeLessThanOrEqual(seen);
  expect(maxConnections(name)).toBeGreaterThan(0.85 * seen);
});

test('no class takes more than the 5,000 connections of the RDS default', () => {
  expect(maxConnections('r8g.48xlarge')).toBe(5000);
  for (const name of instanceClassNames()) expect(maxConnections(name)).toBeLessThanOrEqual(5000);
});

test('a larger class of a family never takes fewer connections', () => {
  for (const family of ['t4g', 'm7g', 'r8g']) {
    const limits = instanceClassNames()
      .filter((name) => name.startsWith(`${family}.`))
      .map(maxConnections);
    expect(limits).toEqual([...limits].sort((a, b) => a - b));
  }
});

test('cache node types carry their prefix and their memory', () => {
  expect(cacheNodeTypeNames()).toContain('cache.t4g.small');
  expect(cacheNodeMemoryGiB('cache.t4g.small')).toBe(1.37);
  expect(cacheNodeMemoryGiB('t4g.small')).toBeUndefined();
});
