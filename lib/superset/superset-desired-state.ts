import { copyFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FileSystem, Stack, Token, Validations } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Asset } from 'aws-cdk-lib/aws-s3-assets';
import { DISABLE_ASSET_STAGING_CONTEXT } from 'aws-cdk-lib/cx-api';
import { Construct } from 'constructs';
import { Tenant } from '../tenant/tenant';
import { arnInRules } from '../validation/arn-in-rules';
import { ConfigurationError } from '../validation/configuration-error';
import { problemText, valueText } from '../validation/problem';
import { contentBundleProblem } from './content-bundle';
import { viaService } from '../encryption/via-service';

/** Props of {@link SupersetDesiredState}. */
export interface SupersetDesiredStateProps {
  readonly tenants: readonly Tenant[];
  /** Name of the proxy of each tenant that logs in with tokens of IAM, by the tenant's id. */
  readonly proxyNames?: ReadonlyMap<string, string>;
  /** Path of a bundle that Superset has exported. */
  readonly contentBundle?: string;
  /** Schema of each tenant's own tables, where every tenant has a database. @default - a schema named after the tenant */
  readonly ownSchema?: string;
}

/**
 * What Superset is to have for its tenants, in the shape that `superset tenancy apply` reads: a ZIP of `desired-state.json` and
 * the content bundle. Its URL changes when any of it does, and only then.
 */
export class SupersetDesiredState extends Construct {
  /** Where it is: `s3://<bucket>/<key>`. */
  public readonly url: string;

  private readonly asset: Asset;

  constructor(scope: Construct, id: string, props: SupersetDesiredStateProps) {
    super(scope, id);
    this.checkTenants(props.tenants);
    this.checkContentBundle(props.contentBundle);
    const directory = FileSystem.mkdtemp('superset-desired-state-');
    writeFileSync(join(directory, 'desired-state.json'), desiredStateText(props));
    if (props.contentBundle) copyFileSync(props.contentBundle, join(directory, CONTENT));
    this.asset = new Asset(this, 'Asset', { path: directory, displayName: 'Desired state of Superset' });
    // It has been copied into the cloud assembly, unless `--no-staging` was asked for.
    if (!this.node.tryGetContext(DISABLE_ASSET_STAGING_CONTEXT)) rmSync(directory, { recursive: true });
    this.url = this.asset.s3ObjectUrl;
  }

  /** Lets a role read this one object; `Asset.grantRead` would open all assets of the account, and no key. */
  public grantRead(grantee: iam.IRole): iam.Grant {
    const { bucket, s3ObjectKey } = this.asset;
    const objectArn = bucket.arnForObjects(s3ObjectKey);
    this.grantDecrypt(grantee, objectArn);
    return iam.Grant.addToPrincipal({ grantee, actions: ['s3:GetObject'], resourceArns: [objectArn] });
  }

  /**
   * An account may be bootstrapped with a key (`cdk bootstrap --bootstrap-kms-key-id`) that synthesis does not learn of. S3 encrypts in the
   * context of the object, or with a bucket key in that of the bucket (S3 User Guide, "Using server-side encryption with KMS keys").
   */
  private grantDecrypt(grantee: iam.IRole, objectArn: string): void {
    const stack = Stack.of(this);
    const { partition, region, account } = stack;
    Validations.of(grantee).acknowledge({
      id: `AwsSolutions-IAM5[Resource::${arnInRules(stack, 'kms', 'key/*')}]`,
      reason: 'The key of the bootstrap is not known at synthesis: what it may decrypt is named in the condition.',
    });
    iam.Grant.addToPrincipal({
      grantee,
      actions: ['kms:Decrypt'],
      resourceArns: [`arn:${partition}:kms:${region}:${account}:key/*`],
      conditions: {
        StringEquals: {
          'kms:ViaService': viaService(this, 's3'),
          'kms:EncryptionContext:aws:s3:arn': [objectArn, this.asset.bucket.bucketArn],
        },
      },
    });
  }

  private checkTenants(tenants: readonly Tenant[]): void {
    for (const [index, { id, displayName, adminEmail }] of tenants.entries()) {
      for (const [key, value] of Object.entries({ id, displayName, adminEmail })) {
        if (Token.isUnresolved(value)) {
          throw new ConfigurationError(
            this,
            'TENANT_UNRESOLVED',
            `tenants[${index}].${key} is ${valueText(value)}, which is known at deployment only, and Superset is told of its tenants by a file that synthesis writes. Give the text itself.`,
          );
        }
      }
    }
  }

  private checkContentBundle(contentBundle: string | undefined): void {
    const problem = contentBundle === undefined ? undefined : contentBundleProblem(contentBundle);
    if (problem) {
      throw new ConfigurationError(this, problem.code, problemText({ path: ['contentBundle'], ...problem }));
    }
  }
}

const CONTENT = 'content.zip';

function desiredStateText({ tenants, proxyNames, contentBundle, ownSchema }: SupersetDesiredStateProps): string {
  const state = {
    version: 1,
    tenants: tenants
      .map(({ id, displayName, adminEmail }) => ({ id, displayName, adminEmail, proxy: proxyNames?.get(id) }))
      .sort((a, b) => (a.id < b.id ? -1 : 1)),
    content: contentBundle && CONTENT,
    ownSchema,
  };
  return `${JSON.stringify(state, null, 2)}\n`;
}
