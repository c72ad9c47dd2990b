import { Stack } from 'aws-cdk-lib';
import { IConstruct } from 'constructs';

/**
 * What `kms:ViaService` is when a service of the region of a construct uses a key for its caller: the form of AWS's documentation
 * (KMS Developer Guide, "kms:ViaService") and of aws-cdk-lib's own grants.
 */
export function viaService(scope: IConstruct, service: 's3' | 'secretsmanager'): string {
  return `${service}.${Stack.of(scope).region}.amazonaws.com`;
}
