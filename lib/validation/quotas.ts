/** A bound that AWS sets, and what one can do about it. */
export interface Quota {
  /** What is counted. */
  readonly what: string;
  readonly limit: number;
  /** Whether AWS raises it on request. */
  readonly adjustable: boolean;
  /** Where it is written. */
  readonly source: string;
}

/** CloudFormation User Guide, "Understand CloudFormation quotas", Resources. */
export const RESOURCES_PER_STACK: Quota = {
  what: 'resources in one stack',
  limit: 500,
  adjustable: false,
  source: 'CloudFormation quotas, "Resources"',
};

/** CloudFormation User Guide, "Understand CloudFormation quotas", Nested stacks: of a stack and all nested in it. */
export const RESOURCES_PER_OPERATION: Quota = {
  what: 'resources that one deployment creates, updates or deletes in a stack and those nested in it',
  limit: 2_500,
  adjustable: false,
  source: 'CloudFormation quotas, "Nested stacks"',
};

/** CloudFormation User Guide, "Understand CloudFormation quotas", Template body size in an S3 object: 1 MB. */
export const TEMPLATE_BYTES: Quota = {
  what: 'bytes of a template',
  limit: 1024 * 1024,
  adjustable: false,
  source: 'CloudFormation quotas, "Template body size in an Amazon S3 object"',
};

/** CloudFormation User Guide, "Get values stored in other services using dynamic references", Considerations. */
export const DYNAMIC_REFERENCES_PER_TEMPLATE: Quota = {
  what: 'dynamic references in one template',
  limit: 60,
  adjustable: false,
  source: 'CloudFormation User Guide, "Dynamic references", Considerations',
};

/** CloudFormation User Guide, "Understand CloudFormation quotas", Parameters. */
export const PARAMETERS_PER_TEMPLATE: Quota = {
  what: 'parameters of one template',
  limit: 200,
  adjustable: false,
  source: 'CloudFormation quotas, "Parameters"',
};

/**
 * Lambda Developer Guide, "Lambda quotas", Invocation payload, asynchronous: 256 KB, as CloudFormation calls custom
 * resources. AWS has since raised it to 1 MB, but not said that CloudFormation sends more.
 */
export const CUSTOM_RESOURCE_REQUEST_BYTES: Quota = {
  what: 'bytes of a request to a custom resource',
  limit: 256 * 1024,
  adjustable: false,
  source: 'Lambda quotas, "Invocation payload", asynchronous',
};

/** CloudFormation User Guide, "Understand CloudFormation quotas", Custom resource response. */
export const CUSTOM_RESOURCE_RESPONSE_BYTES: Quota = {
  what: 'bytes of the response of a custom resource',
  limit: 4_096,
  adjustable: false,
  source: 'CloudFormation quotas, "Custom resource response"',
};

/** A sentence on a count that is over its quota: number, limit, and whether AWS can raise it. */
export function exceeded(quota: Quota, count: number): string {
  const raise = quota.adjustable ? 'AWS raises it on request' : 'AWS cannot raise it';
  return `${count} ${quota.what}, and the limit is ${quota.limit}: ${raise} (${quota.source}).`;
}
