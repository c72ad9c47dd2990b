/** A bound that AWS sets. */
export interface Quota {
  /** What is counted. */
  readonly what: string;
  readonly limit: number;
  /** Where it is written. */
  readonly source: string;
}

/** CloudFormation User Guide, "Understand CloudFormation quotas", Resources. AWS cannot raise it. */
export const RESOURCES_PER_STACK: Quota = {
  what: 'resources in one stack',
  limit: 500,
  source: 'CloudFormation quotas, "Resources"',
};

/** CloudFormation User Guide, "Understand CloudFormation quotas", Nested stacks. AWS cannot raise it. */
export const RESOURCES_PER_OPERATION: Quota = {
  what: 'resources in a stack and all nested in it, which one deployment may create, update or delete',
  limit: 2_500,
  source: 'CloudFormation quotas, "Nested stacks"',
};

/** CloudFormation User Guide, "Understand CloudFormation quotas", Outputs. AWS cannot raise it. */
export const OUTPUTS_PER_STACK: Quota = {
  what: 'outputs of one stack',
  limit: 200,
  source: 'CloudFormation quotas, "Outputs"',
};

/** CloudFormation User Guide, "Understand CloudFormation quotas", Parameters. AWS cannot raise it. */
export const PARAMETERS_PER_STACK: Quota = {
  what: 'parameters of one stack',
  limit: 200,
  source: 'CloudFormation quotas, "Parameters"',
};

/** CloudFormation User Guide, "Understand CloudFormation quotas", Mappings. AWS cannot raise it. */
export const MAPPINGS_PER_STACK: Quota = {
  what: 'mappings of one stack',
  limit: 200,
  source: 'CloudFormation quotas, "Mappings"',
};

/** CloudFormation User Guide, "Understand CloudFormation quotas", Template body size in an S3 object: 1 MB. AWS cannot raise it. */
export const TEMPLATE_BYTES: Quota = {
  what: 'bytes of one template',
  limit: 1_000_000,
  source: 'CloudFormation quotas, "Template body size in an S3 object"',
};

/** CloudFormation User Guide, "Get values stored in other services using dynamic references". AWS cannot raise it. */
export const DYNAMIC_REFERENCES_PER_STACK: Quota = {
  what: 'dynamic references in one template',
  limit: 60,
  source: 'CloudFormation, "Dynamic references", General considerations',
};

/** RDS User Guide, "Quotas and limitations for RDS Proxy". AWS cannot raise it. */
export const SECRETS_PER_PROXY: Quota = {
  what: 'secrets of one RDS Proxy',
  limit: 200,
  source: 'RDS Proxy, "Quotas and limitations"',
};

/**
 * Lambda Developer Guide, "Lambda quotas", Invocation payload, asynchronous, which is how CloudFormation calls. Since
 * 2025 Lambda takes 1 MB, but CloudFormation does not say that it sends more than before. AWS cannot raise it.
 */
export const CUSTOM_RESOURCE_REQUEST_BYTES: Quota = {
  what: 'bytes of one request to a custom resource',
  limit: 256 * 1024,
  source: 'Lambda quotas, "Invocation payload", asynchronous',
};

/** A sentence on a count that is over a quota which AWS cannot raise. */
export function exceeds(count: number, quota: Quota): string {
  return `${count} ${quota.what}; the limit is ${quota.limit}, and AWS cannot raise it (${quota.source})`;
}
