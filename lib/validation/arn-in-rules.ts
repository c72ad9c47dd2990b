import { Stack, Token } from 'aws-cdk-lib';

/** An ARN of a stack's account and region as cdk-nag prints it: what is only known at deployment by its name. */
export function arnInRules(stack: Stack, service: string, resource: string): string {
  const parts = { 'AWS::Partition': stack.partition, 'AWS::Region': stack.region, 'AWS::AccountId': stack.account };
  const [partition, region, account] = Object.entries(parts).map(([name, value]) =>
    Token.isUnresolved(value) ? `<${name}>` : value,
  );
  return `arn:${partition}:${service}:${region}:${account}:${resource}`;
}
