import { Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { IConstruct } from 'constructs';
import { viaService } from '../encryption/via-service';

/**
 * Lets a role decrypt secrets that are under other keys than the common one, such as the keys of tenants, by way of Secrets Manager
 * only. Reading the secrets is granted elsewhere.
 *
 * The policy of a key that is deployed with its secrets names the role, which counts as soon as the key exists. Conditions on aliases
 * and tags of keys take up to five minutes (KMS Developer Guide, "ABAC for AWS KMS"), and a deployment reads a tenant's secret seconds
 * after it has made the key. Of a key from elsewhere, the policy stays as it is, and that of the role names the key.
 *
 * @param common key of the other secrets, which the role may use already.
 */
export function grantDecryptUnderOwnKeys(secrets: secretsmanager.ISecret[], role: iam.IRole, common?: kms.IKey): void {
  const granted = new Set([common?.keyArn]);
  for (const secret of secrets) {
    const key = secret.encryptionKey;
    if (!key || granted.has(key.keyArn)) continue;
    granted.add(key.keyArn);
    grantDecrypt(key, role, deploymentOf(key) === deploymentOf(secret));
  }
}

function grantDecrypt(key: kms.IKey, role: iam.IRole, byKeyPolicy: boolean): void {
  const actions = ['kms:Decrypt'];
  const secretsManager = viaService(role, 'secretsmanager');
  if (byKeyPolicy) {
    const principals = [new kms.ViaServicePrincipal(secretsManager, new iam.ArnPrincipal(role.roleArn))];
    const statement = new iam.PolicyStatement({ principals, actions, resources: ['*'] });
    if (key.addToResourcePolicy(statement).statementAdded) return;
  }
  const conditions = { StringEquals: { 'kms:ViaService': secretsManager } };
  iam.Grant.addToPrincipal({ grantee: role, actions, resourceArns: [key.keyArn], conditions });
}

/** The stack that a construct is deployed with. */
function deploymentOf(construct: IConstruct): Stack {
  let stack = Stack.of(construct);
  while (stack.nestedStackParent) stack = stack.nestedStackParent;
  return stack;
}
