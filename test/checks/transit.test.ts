import { Resources, rows } from './small-app';

const listener = (Protocol: string, rest: Record<string, unknown>): Resources => ({
  Listener: { Type: 'AWS::ElasticLoadBalancingV2::Listener', Properties: { Protocol, ...rest } },
});

const TO_HTTPS = { Type: 'redirect', RedirectConfig: { Protocol: 'HTTPS', StatusCode: 'HTTP_301' } };

const withRule: Resources = {
  ...listener('HTTP', { DefaultActions: [TO_HTTPS] }),
  Rule: {
    Type: 'AWS::ElasticLoadBalancingV2::ListenerRule',
    Properties: { ListenerArn: { Ref: 'Listener' }, Actions: [TO_HTTPS] },
  },
};

const server: Resources = {
  Group: {
    Type: 'AWS::RDS::DBParameterGroup',
    Properties: { Family: 'postgres14', Parameters: { 'rds.force_ssl': '1' } },
  },
  Server: {
    Type: 'AWS::RDS::DBInstance',
    Properties: { Engine: 'postgres', DBParameterGroupName: { Ref: 'Group' } },
  },
};

const denied = (resource: string, policy: string, key: string): Resources => ({
  Resource: { Type: resource, Properties: {} },
  Policy: {
    Type: policy,
    Properties: {
      [key]: key === 'Bucket' ? { Ref: 'Resource' } : [{ Ref: 'Resource' }],
      PolicyDocument: {
        Statement: [
          { Effect: 'Deny', Principal: '*', Action: '*', Condition: { Bool: { 'aws:SecureTransport': 'false' } } },
        ],
      },
    },
  },
});

test.each(
  rows([
    {
      rule: 'HttpsListener',
      good: listener('HTTPS', { SslPolicy: 'ELBSecurityPolicy-TLS13-1-2-2021-06' }),
      bad: [
        ['Listener/Properties/SslPolicy', 'ELBSecurityPolicy-2016-08', 'allows TLS 1.0'],
        ['Listener/Properties/SslPolicy', 'ELBSecurityPolicy-TLS13-1-0-2021-06', 'allows TLS 1.0'],
        ['Listener/Properties/SslPolicy', undefined, 'not set'],
      ],
    },
    {
      rule: 'HttpsListener',
      good: listener('HTTP', { DefaultActions: [TO_HTTPS] }),
      bad: [
        ['Listener/Properties/DefaultActions/0', { Type: 'forward' }, 'without TLS'],
        ['Listener/Properties/DefaultActions/0/RedirectConfig/Protocol', 'HTTP', 'without TLS'],
      ],
    },
    { rule: 'HttpsListener', good: withRule, bad: [['Rule/Properties/Actions/0', { Type: 'forward' }, 'without TLS']] },
    {
      rule: 'TargetProtocol',
      good: { Targets: { Type: 'AWS::ElasticLoadBalancingV2::TargetGroup', Properties: { Protocol: 'HTTPS' } } },
      bad: [['Targets/Properties/Protocol', 'HTTP', 'protocol is HTTP']],
    },
    {
      rule: 'PostgresTls',
      good: server,
      bad: [
        ['Group/Properties/Parameters', { 'rds.force_ssl': '0' }, 'rds.force_ssl is 0'],
        ['Group/Properties/Parameters', {}, 'rds.force_ssl is not set'],
      ],
    },
    {
      rule: 'PostgresTls',
      good: { Server: { Type: 'AWS::RDS::DBInstance', Properties: { Engine: 'postgres', EngineVersion: '17' } } },
      bad: [['Server/Properties/EngineVersion', '14', 'rds.force_ssl is not set']],
    },
    {
      rule: 'ProxyTls',
      good: { Proxy: { Type: 'AWS::RDS::DBProxy', Properties: { RequireTLS: true } } },
      bad: [
        ['Proxy/Properties/RequireTLS', false, 'requireTls is false'],
        ['Proxy/Properties/RequireTLS', undefined, 'requireTls is not set'],
      ],
    },
    {
      rule: 'CacheTls',
      good: { Cache: { Type: 'AWS::ElastiCache::ReplicationGroup', Properties: { TransitEncryptionEnabled: true } } },
      bad: [
        ['Cache/Properties/TransitEncryptionEnabled', false, 'transitEncryptionEnabled is false'],
        ['Cache/Properties/TransitEncryptionMode', 'preferred', 'transitEncryptionMode is preferred'],
      ],
    },
    ...[
      denied('AWS::S3::Bucket', 'AWS::S3::BucketPolicy', 'Bucket'),
      denied('AWS::SNS::Topic', 'AWS::SNS::TopicPolicy', 'Topics'),
      denied('AWS::SQS::Queue', 'AWS::SQS::QueuePolicy', 'Queues'),
    ].map((good) => ({
      rule: 'TlsOnlyPolicy',
      good,
      bad: [
        ['Policy', undefined, 'requests without TLS are answered'],
        ['Policy/Properties/PolicyDocument/Statement/0/Effect', 'Allow', 'requests without TLS are answered'],
      ] as [string, unknown, string][],
    })),
  ]),
)('%s is found: %s', (_, __, run) => run());
