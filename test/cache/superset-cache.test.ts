import { App, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import { SupersetCache, SupersetCacheProps } from '../../lib/cache/superset-cache';
import { TenancyNetwork } from '../../lib/network/tenancy-network';
import { policyFindings } from '../policy-findings';

type Choices = Omit<SupersetCacheProps, 'network'>;

function cache(choices?: Choices) {
  const stack = new Stack(new App(), 'Prod');
  const network = new TenancyNetwork(stack, 'Network');
  return { stack, network, cache: new SupersetCache(stack, 'Cache', { network, ...choices }) };
}

function template(choices?: Choices): Template {
  return Template.fromStack(cache(choices).stack);
}

test('it is Valkey on nodes with cluster mode disabled, which the queue of Celery needs', () => {
  template().hasResourceProperties('AWS::ElastiCache::ReplicationGroup', {
    Engine: 'valkey',
    ClusterMode: 'disabled',
    CacheNodeType: 'cache.t4g.small',
  });
});

test('it is encrypted on the wire and at rest, and asks for a token that stands nowhere in the template', () => {
  template().hasResourceProperties('AWS::ElastiCache::ReplicationGroup', {
    TransitEncryptionEnabled: true,
    AtRestEncryptionEnabled: true,
    KmsKeyId: Match.anyValue(),
    AuthToken: {
      'Fn::Join': ['', ['{{resolve:secretsmanager:', Match.anyValue(), ':SecretString:token::}}']],
    },
  });
});

test('the token may stand in a URL as it is', () => {
  template().hasResourceProperties('AWS::SecretsManager::Secret', {
    GenerateSecretString: { ExcludePunctuation: true, PasswordLength: 64, GenerateStringKey: 'token' },
  });
});

test('a replica in another zone takes over', () => {
  template().hasResourceProperties('AWS::ElastiCache::ReplicationGroup', {
    NumCacheClusters: 2,
    AutomaticFailoverEnabled: true,
    MultiAZEnabled: true,
  });
});

test('without a replica nothing can take over, and ElastiCache is not asked to', () => {
  template({ replicas: 0 }).hasResourceProperties('AWS::ElastiCache::ReplicationGroup', {
    NumCacheClusters: 1,
    AutomaticFailoverEnabled: false,
    MultiAZEnabled: false,
  });
});

test('when memory runs out only what expires is evicted, so that the queue loses nothing', () => {
  template().hasResourceProperties('AWS::ElastiCache::ParameterGroup', {
    CacheParameterGroupFamily: 'valkey8',
    Properties: { 'maxmemory-policy': 'volatile-lru' },
  });
});

test('slow commands and engine messages are logged', () => {
  const made = template();

  made.hasResourceProperties('AWS::ElastiCache::ReplicationGroup', {
    LogDeliveryConfigurations: [Match.objectLike({ LogType: 'slow-log' }), Match.objectLike({ LogType: 'engine-log' })],
  });
  made.hasResourceProperties('AWS::Logs::LogGroup', {
    LogGroupName: Match.stringLikeRegexp('^/aws/vendedlogs/elasticache/Prod-Cache-[0-9A-F]+/slow-log$'),
    RetentionInDays: 90,
    KmsKeyId: Match.anyValue(),
  });
});

test('nobody may connect until allowed, and then on its port only', () => {
  const made = cache();
  made.cache.connections.allowDefaultPortFrom(new ec2.SecurityGroup(made.stack, 'Client', { vpc: made.network.vpc }));

  const rules = Template.fromStack(made.stack).findResources('AWS::EC2::SecurityGroupIngress');
  expect(Object.values(rules).map(({ Properties }) => [Properties.FromPort, Properties.ToPort])).toEqual([
    [6380, 6380],
  ]);
});

test.each([
  [{ nodeType: 't4g.small' }, /nodeType is 't4g\.small'.*cache\.t4g\.small.*CACHE_NODE_TYPE_INVALID/],
  [{ replicas: 6 }, /replicas is 6;.*0 to 5.*CACHE_REPLICAS_OUT_OF_RANGE/],
  [{ replicas: -1 }, /replicas is -1;.*CACHE_REPLICAS_OUT_OF_RANGE/],
  [{ replicas: 1.5 }, /replicas is 1\.5;.*CACHE_REPLICAS_OUT_OF_RANGE/],
])('%j is refused with what is allowed', (choices, message) => {
  expect(() => cache(choices)).toThrow(message);
});

test.each([{}, { replicas: 0 }])('the rule packs find nothing in %j', (choices) => {
  expect(policyFindings(cache(choices).stack)).toEqual([]);
});
