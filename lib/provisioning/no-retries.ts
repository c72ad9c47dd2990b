import * as lambda from 'aws-cdk-lib/aws-lambda';

/**
 * Lets Lambda run a function once for each asynchronous call. By itself it repeats a failed call twice (Lambda Developer Guide, "How
 * Lambda handles errors and retries with asynchronous invocation"), whatever the rule that made the call says about retries.
 * CloudFormation calls custom resources in this manner, too.
 */
export function neverRetry(fn: lambda.IFunction): void {
  fn.configureAsyncInvoke({ retryAttempts: 0 });
}
