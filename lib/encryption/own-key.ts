import { ArnFormat, Duration, RemovalPolicy, Stack, Token } from 'aws-cdk-lib';
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

/** Lets CloudWatch Logs use the key for log groups of this account. Nothing is added to an imported key. */
export function letLogsUse(key: kms.IKey, scope: Construct): void {
  const stack = Stack.of(scope);
  key.addToResourcePolicy(
    new iam.PolicyStatement({
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
    }),
  );
}

/** Lets CloudWatch alarms of this account publish to topics under the key. Nothing is added to an imported key. */
export function letAlarmsUse(key: kms.IKey, scope: Construct): void {
  key.addToResourcePolicy(
    new iam.PolicyStatement({
      principals: [new iam.ServicePrincipal('cloudwatch.amazonaws.com')],
      actions: ['kms:Decrypt', 'kms:GenerateDataKey*'],
      resources: ['*'],
      conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(scope).account } },
    }),
  );
}

/** CloudWatch Logs is one of the few services whose principal in China ends in `amazonaws.com.cn`. */
function domainSuffix({ region, urlSuffix }: Stack): string {
  return (Token.isUnresolved(region) ? undefined : RegionInfo.get(region).domainSuffix) ?? urlSuffix;
}
