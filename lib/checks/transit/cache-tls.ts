import { isTrue } from '../checked-resource';
import { Rule } from '../rule';

/**
 * "TransitEncryptionMode: preferred allows both encrypted and unencrypted connections" (ElastiCache API Reference,
 * `CreateReplicationGroup`); serverless caches always use TLS.
 */
export const CACHE_TLS: Rule = {
  name: 'CacheTls',
  summary: 'A cache refuses connections without TLS.',
  types: /^AWS::ElastiCache::(ReplicationGroup|CacheCluster)$/,
  check({ type, properties: { TransitEncryptionEnabled, TransitEncryptionMode, ReplicationGroupId } }) {
    if (type.endsWith('CacheCluster') && ReplicationGroupId) return [];
    if (!isTrue(TransitEncryptionEnabled)) {
      return [`transitEncryptionEnabled is ${TransitEncryptionEnabled ?? 'not set'}. Set it to true.`];
    }
    return TransitEncryptionMode === 'preferred' ? ['transitEncryptionMode is preferred. Set it to required.'] : [];
  },
};
