import { Stack, Validations } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import { Construct, IConstruct } from 'constructs';
import { EnvironmentNames } from '../naming/environment-names';
import { prefixed } from '../naming/secret-name-prefix';
import { ConfigurationError } from '../validation/configuration-error';
import { arnInRules } from '../validation/arn-in-rules';
import { viaService } from '../encryption/via-service';
import { Tenant } from './tenant';

/**
 * Lets a principal read one secret of each tenant of the environment that a construct belongs to, now and later, in one statement,
 * and acknowledges the finding on the wildcard on that construct. Secrets Manager judges by the secret's tag, which CreateSecret sets
 * (Secrets Manager User Guide, "Control access to secrets using attribute-based access control"): a secret of another environment
 * is refused, whatever its name.
 *
 * @param namesFor the name of the secret with the environment's prefix, and `*` for the tenant.
 */
export function grantReadOfEachTenant(
  scope: Construct,
  namesFor: (secretNamePrefix?: string) => string,
  grantee: iam.IGrantable,
  encryptionKey?: kms.IKey,
): iam.Grant {
  const { secretNamePrefix, environment } = EnvironmentNames.of(scope);
  // Secrets Manager adds a hyphen and six characters to each name.
  const resourceName = `${namesFor(secretNamePrefix)}-??????`;
  const { partition, region, account } = Stack.of(scope);
  Validations.of(scope).acknowledge({
    id: `AwsSolutions-IAM5[Resource::${arnInRules(Stack.of(scope), 'secretsmanager', `secret:${resourceName}`)}]`,
    reason: 'Tenants come and go: their secrets are named by prefix, so that the policy does not grow with them.',
  });
  encryptionKey?.grantDecrypt(new kms.ViaServicePrincipal(viaService(scope, 'secretsmanager'), grantee.grantPrincipal));
  return iam.Grant.addToPrincipal({
    grantee,
    actions: ['secretsmanager:GetSecretValue'],
    resourceArns: [`arn:${partition}:secretsmanager:${region}:${account}:secret:${resourceName}`],
    conditions: { StringEquals: { [`secretsmanager:ResourceTag/${EnvironmentNames.TAG}`]: environment } },
  });
}

/**
 * Refuses secrets of another environment than their reader's, which it could not read.
 *
 * @param scope the construct that was given both.
 */
export function checkSecretsOf(scope: Construct, reader: IConstruct, secrets: IConstruct[]): void {
  const { environment } = EnvironmentNames.of(reader);
  for (const secret of secrets) {
    const other = EnvironmentNames.of(secret).environment;
    if (other !== environment) {
      throw new ConfigurationError(
        scope,
        'SECRET_OF_OTHER_ENVIRONMENT',
        `${secret.node.path} is a secret of environment '${other}'; ${reader.node.path} reads those of '${environment}'. Make both in one environment, or call EnvironmentNames.share on what is above the secret, before it is made, with EnvironmentNames.of the other.`,
      );
    }
  }
}

/** Lets a principal read what PostgreSQL roles of one tenant log in with, and acknowledges the finding as above. */
export function grantReadOfTenant(
  scope: Construct,
  { id }: Tenant,
  grantee: iam.IGrantable,
  encryptionKey?: kms.IKey,
): iam.Grant {
  const names = `superset/tenant/${id}/*_credentials`;
  return grantReadOfEachTenant(scope, (prefix) => prefixed(names, prefix), grantee, encryptionKey);
}
