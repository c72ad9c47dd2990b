import { Annotations, ArnFormat, Duration, RemovalPolicy, Stack, Token } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import { RegionInfo } from 'aws-cdk-lib/region-info';
import { Construct } from 'constructs';
import { kept } from '../protection/protection';

/**
 * Props of the key that a construct makes when it was given none.
 *
 * AWS-managed keys do not do: CloudWatch alarms cannot publish through `aws/sns`, and log groups have none.
 */
export function ownKeyProps(description: string, removalPolicy = RemovalPolicy.RETAIN): kms.KeyProps {
  return { description, enableKeyRotation: true, removalPolicy: kept(removalPolicy), pendingWindow: Duration.days(30) };
}

/** Lets CloudWatch Logs use the key for log groups of this account. Of an imported key, a warning says what its policy needs. */
export function letLogsUse(key: kms.IKey, scope: Construct): void {
  const stack = Stack.of(scope);
  const statement = new iam.PolicyStatement({
    principals: [new iam.ServicePrincipal(`logs.${stack.region}.${domainSuffix(stack)}`)],
    actions: ['kms:Encrypt*', 'kms:Decrypt*', 'kms:ReEncrypt*', 'kms:GenerateDataKey*', 'kms:Describe*'],
    resources: ['*'],
    conditions: {
      ArnLike: {
        'kms:EncryptionContext:aws:logs:arn': stack.formatArn({
          service: 'logs',
          resource: 'log-group',
          resourceName: '*',
          arnFormat: ArnFormat.COLON_RESOURCE_NAME,
        }),
      },
    },
  });
  addOrAskFor(key, scope, 'CloudWatch Logs', statement);
}

/** Lets CloudWatch alarms of this account publish to topics under the key. Of an imported key, a warning says what its policy needs. */
export function letAlarmsUse(key: kms.IKey, scope: Construct): void {
  const statement = new iam.PolicyStatement({
    principals: [new iam.ServicePrincipal('cloudwatch.amazonaws.com')],
    actions: ['kms:Decrypt', 'kms:GenerateDataKey*'],
    resources: ['*'],
    conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(scope).account } },
  });
  addOrAskFor(key, scope, 'CloudWatch alarms', statement);
}

/** Nothing can be added to the policy of an imported key: what it needs is said once for each stack. */
function addOrAskFor(key: kms.IKey, scope: Construct, service: string, statement: iam.PolicyStatement): void {
  if (key.addToResourcePolicy(statement).statementAdded) return;
  const stack = Stack.of(scope);
  const json = JSON.stringify(shown(stack.resolve(statement.toStatementJson())));
  const id = `superset-tenancy:imported-key-${service.toLowerCase().replace(' ', '-')}`;
  Annotations.of(stack).addWarningV2(
    id,
    `Key ${shown(stack.resolve(key.keyArn))} is imported, so that its policy is not changed here. ${service} need this statement in it, or the deployment fails: ${json}`,
  );
}

/** With references as their names, as a template is read. */
function shown(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shown);
  if (typeof value !== 'object' || value === null) return value;
  const { Ref: name, 'Fn::Join': join } = value as { Ref?: string; 'Fn::Join'?: [separator: string, parts: unknown[]] };
  if (name) return `<${name}>`;
  if (join) return join[1].map(shown).join(join[0]);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shown(inner)]));
}

/** CloudWatch Logs is one of the few services whose principal in China ends in `amazonaws.com.cn`. */
function domainSuffix({ region, urlSuffix }: Stack): string {
  return (Token.isUnresolved(region) ? undefined : RegionInfo.get(region).domainSuffix) ?? urlSuffix;
}
