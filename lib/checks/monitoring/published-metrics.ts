/** Statistics that an alarm may use, by the set of dimensions that AWS publishes a metric with, sorted and joined by commas. */
type Published = Record<string, readonly string[]>;

const MEANS = ['Average', 'Maximum', 'p90', 'p95', 'p99', 'SampleCount'];
const LOWS = ['Average', 'Minimum', 'SampleCount'];
const COUNTS = ['Sum'];

const server = (...statistics: string[]): Published => ({ DBInstanceIdentifier: statistics });

/**
 * "Many of these metrics are published for each proxy node" (RDS User Guide, "Monitoring RDS Proxy metrics with Amazon CloudWatch"): the
 * total of a count is the sum, and the maximum that of one node.
 */
const proxy = (...statistics: string[]): Published => ({
  ProxyName: statistics,
  'EndpointName,ProxyName': statistics,
  'ProxyName,Target': statistics,
  'ProxyName,TargetGroup': statistics,
  'ProxyName,TargetGroup,TargetRole': statistics,
});

const node = (...statistics: string[]): Published => ({
  CacheClusterId: statistics,
  'CacheClusterId,CacheNodeId': statistics,
});

const targets = (...statistics: string[]): Published => ({
  'LoadBalancer,TargetGroup': statistics,
  'AvailabilityZone,LoadBalancer,TargetGroup': statistics,
});

const balancer = (...statistics: string[]): Published => ({
  LoadBalancer: statistics,
  'AvailabilityZone,LoadBalancer': statistics,
});

const service = (...statistics: string[]): Published => ({ 'ClusterName,ServiceName': statistics });

const fn = (...statistics: string[]): Published => ({ FunctionName: statistics, 'FunctionName,Resource': statistics });

const machine = (...statistics: string[]): Published => ({ StateMachineArn: statistics });

/**
 * Metrics with data, from the page of each service: RDS User Guide, "Amazon CloudWatch metrics for Amazon RDS" and "Monitoring RDS Proxy
 * metrics"; ElastiCache User Guide, "Host-level metrics" and "Metrics for Valkey and Redis OSS"; Elastic Load Balancing User Guide,
 * "CloudWatch metrics for your Application Load Balancer"; ECS Developer Guide, "Amazon ECS CloudWatch metrics" and CloudWatch User
 * Guide, "Amazon ECS Container Insights metrics"; Lambda Developer Guide, "Types of metrics"; Step Functions Developer Guide,
 * "Monitoring metrics"; SNS, SQS and EventBridge, "Monitoring using CloudWatch".
 */
export const PUBLISHED: Record<string, Published> = {
  'AWS/RDS BurstBalance': server(...LOWS),
  'AWS/RDS CPUCreditBalance': server(...LOWS),
  'AWS/RDS CPUUtilization': server(...MEANS),
  'AWS/RDS DBLoad': server(...MEANS),
  'AWS/RDS DiskQueueDepth': server(...MEANS),
  'AWS/RDS FreeableMemory': server(...LOWS),
  'AWS/RDS FreeStorageSpace': server(...LOWS),
  'AWS/RDS MaximumUsedTransactionIDs': server('Maximum', 'Average'),
  'AWS/RDS OldestReplicationSlotLag': server('Maximum', 'Average'),
  'AWS/RDS ReadLatency': server(...MEANS),
  'AWS/RDS ReplicaLag': server(...MEANS),
  'AWS/RDS ReplicationSlotDiskUsage': server('Maximum', 'Average'),
  'AWS/RDS SwapUsage': server(...MEANS),
  'AWS/RDS TransactionLogsDiskUsage': server('Maximum', 'Average'),
  'AWS/RDS WriteLatency': server(...MEANS),
  // The same name is a metric of servers, with one value a minute, and of proxies, with one of each node.
  'AWS/RDS DatabaseConnections': { ...proxy(...COUNTS), ...server(...MEANS) },
  'AWS/RDS AvailabilityPercentage': { 'ProxyName,TargetGroup,TargetRole': LOWS },
  'AWS/RDS ClientConnections': proxy(...COUNTS),
  'AWS/RDS ClientConnectionsSetupFailedAuth': proxy(...COUNTS),
  'AWS/RDS ClientConnectionsSetupSucceeded': proxy(...COUNTS),
  'AWS/RDS DatabaseConnectionRequests': proxy(...COUNTS),
  'AWS/RDS DatabaseConnectionsBorrowLatency': proxy(...MEANS),
  'AWS/RDS DatabaseConnectionsCurrentlyBorrowed': proxy(...COUNTS),
  'AWS/RDS DatabaseConnectionsCurrentlySessionPinned': proxy(...COUNTS),
  'AWS/RDS DatabaseConnectionsSetupFailed': proxy(...COUNTS),
  'AWS/RDS DatabaseConnectionsSetupSucceeded': proxy(...COUNTS),
  'AWS/RDS QueryDatabaseResponseLatency': proxy(...MEANS),
  'AWS/RDS QueryResponseLatency': proxy(...MEANS),
  'AWS/ElastiCache CPUUtilization': node(...MEANS),
  'AWS/ElastiCache CurrConnections': node(...MEANS),
  'AWS/ElastiCache DatabaseMemoryUsagePercentage': node('Maximum', 'Average'),
  'AWS/ElastiCache EngineCPUUtilization': node(...MEANS),
  'AWS/ElastiCache Evictions': node(...COUNTS),
  'AWS/ElastiCache FreeableMemory': node(...LOWS),
  'AWS/ElastiCache ReplicationLag': node(...MEANS),
  'AWS/ElastiCache SwapUsage': node(...MEANS),
  'AWS/ApplicationELB HealthyHostCount': targets('Minimum', 'Average'),
  'AWS/ApplicationELB UnHealthyHostCount': targets('Maximum', 'Average'),
  'AWS/ApplicationELB HTTPCode_Target_4XX_Count': { ...balancer(...COUNTS), ...targets(...COUNTS) },
  'AWS/ApplicationELB HTTPCode_Target_5XX_Count': { ...balancer(...COUNTS), ...targets(...COUNTS) },
  'AWS/ApplicationELB HTTPCode_ELB_4XX_Count': balancer(...COUNTS),
  'AWS/ApplicationELB HTTPCode_ELB_5XX_Count': balancer(...COUNTS),
  'AWS/ApplicationELB RejectedConnectionCount': balancer(...COUNTS),
  'AWS/ApplicationELB RequestCount': { ...balancer(...COUNTS), ...targets(...COUNTS) },
  'AWS/ApplicationELB TargetConnectionErrorCount': { ...balancer(...COUNTS), ...targets(...COUNTS) },
  'AWS/ApplicationELB TargetResponseTime': { ...balancer(...MEANS), ...targets(...MEANS) },
  'AWS/ECS CPUUtilization': { ClusterName: MEANS, ...service(...MEANS) },
  'AWS/ECS MemoryUtilization': { ClusterName: MEANS, ...service(...MEANS) },
  'ECS/ContainerInsights DeploymentCount': service('Maximum', 'Average'),
  'ECS/ContainerInsights PendingTaskCount': service('Maximum', 'Average'),
  'ECS/ContainerInsights RunningTaskCount': service('Minimum', 'Average'),
  'ECS/ContainerInsights TaskCount': { ClusterName: ['Minimum', 'Maximum', 'Average'] },
  'AWS/Lambda AsyncEventsDropped': fn(...COUNTS),
  'AWS/Lambda ConcurrentExecutions': { '': ['Maximum'], ...fn('Maximum') },
  'AWS/Lambda Duration': fn(...MEANS),
  'AWS/Lambda Errors': fn(...COUNTS),
  'AWS/Lambda Invocations': fn(...COUNTS),
  'AWS/Lambda Throttles': { '': COUNTS, ...fn(...COUNTS) },
  'AWS/States ExecutionTime': machine(...MEANS),
  'AWS/States ExecutionsAborted': machine(...COUNTS),
  'AWS/States ExecutionsFailed': machine(...COUNTS),
  'AWS/States ExecutionsStarted': machine(...COUNTS),
  'AWS/States ExecutionsSucceeded': machine(...COUNTS),
  'AWS/States ExecutionsTimedOut': machine(...COUNTS),
  'AWS/SNS NumberOfNotificationsDelivered': { TopicName: COUNTS },
  'AWS/SNS NumberOfNotificationsFailed': { TopicName: COUNTS },
  'AWS/SNS NumberOfMessagesPublished': { TopicName: COUNTS },
  'AWS/SQS ApproximateAgeOfOldestMessage': { QueueName: ['Maximum', 'Average'] },
  'AWS/SQS ApproximateNumberOfMessagesVisible': { QueueName: ['Maximum', 'Average'] },
  'AWS/Events FailedInvocations': { RuleName: COUNTS },
  'AWS/Events Invocations': { RuleName: COUNTS },
};
