/** A request of CloudFormation, as the provider framework hands it on. */
export interface ResourceEvent<Properties> {
  readonly RequestType: 'Create' | 'Update' | 'Delete';
  readonly RequestId: string;
  readonly PhysicalResourceId?: string;
  readonly ResourceProperties: Properties;
  readonly OldResourceProperties?: Properties;
}

/** Time of now that many minutes later, in milliseconds. */
export function minutesFromNow(minutes: number): number {
  return Date.now() + minutes * 60_000;
}
