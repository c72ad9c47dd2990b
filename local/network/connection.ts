import { Network } from './network';

/** A connection that was made in a run, or that AWS makes where no local run can. */
export interface Connection {
  /** Id of the resource that connects; {@link PEOPLE} for browsers. */
  readonly from: string;
  /** Id of the resource that is connected to, or a call of the AWS API. */
  readonly to: string | AwsCall;
}

/** Browsers, and what else asks a load balancer. */
export const PEOPLE = 'people';

/** A call of the AWS API from inside of a VPC. */
export interface AwsCall {
  /** `secretsmanager:GetSecretValue`. */
  readonly action: string;
  /** ARN. @default - one of the account */
  readonly resource?: string;
  /** Whether ECR makes it for the caller, in the account of AWS that keeps the layers of images. @default false */
  readonly byEcr?: boolean;
}

/** The name by which endpoints know the service of a call. */
export function serviceOf({ action }: AwsCall): string {
  const [prefix, operation] = action.split(':');
  if (prefix === 'ecr') return operation === 'GetAuthorizationToken' ? 'ecr.api' : 'ecr.dkr';
  return prefix === 'cloudwatch' ? 'monitoring' : prefix;
}

/** A connection in a line, by the paths of its constructs. */
export function written({ from, to }: Connection, network: Network): string {
  const name = (id: string) => (id === PEOPLE ? id : network.nameOf(id));
  return `${name(from)} -> ${typeof to === 'string' ? name(to) : to.action}`;
}

/** Connections of a run, each kind once. */
export function distinct(connections: Connection[]): Connection[] {
  const kinds = new Map(connections.map((connection) => [JSON.stringify(connection), connection]));
  return [...kinds.values()];
}
