import { Stack } from 'aws-cdk-lib';
import { IConstruct } from 'constructs';

/** A part of a template. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Json = any;

/** A resource as CloudFormation gets it, with all overrides, and the construct that made it. */
export class CheckedResource {
  public readonly type: string;
  public readonly properties: Record<string, Json>;
  public readonly deletionPolicy?: string;
  public readonly dependsOn: string[];

  constructor(
    public readonly stack: Stack,
    public readonly logicalId: string,
    public readonly construct: IConstruct,
    body: Json,
  ) {
    this.type = body.Type;
    this.properties = body.Properties ?? {};
    this.deletionPolicy = body.DeletionPolicy;
    this.dependsOn = [body.DependsOn ?? []].flat();
  }
}

/** Whether a property is true: templates have it as a boolean, a number or a text. */
export function isTrue(value: Json): boolean {
  return [true, 1, 'true', '1'].includes(value);
}
