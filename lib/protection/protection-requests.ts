/** What the templates ask of the function that turns protection on and off: the contract between constructs and handler. */

/** Type of the resource that lifts the termination protection of its stack when the first deployment is rolled back. */
export const TERMINATION_PROTECTION = 'Custom::SupersetTerminationProtection';

/** Type of the resource that protects a server or a load balancer from deletion. */
export const DELETION_PROTECTION = 'Custom::SupersetDeletionProtection';

/** Properties of {@link DELETION_PROTECTION}: of a server or of a load balancer. */
export interface DeletionProtectionProperties {
  /** Whether it stays when it leaves the stack; otherwise CloudFormation deletes it, and it must not be protected. */
  readonly Retained: 'true' | 'false';
  /** Identifier of an RDS instance. */
  readonly Server?: string;
  /** ARN of a load balancer. */
  readonly LoadBalancer?: string;
}

/** How long a server may be busy, as RDS says with `InvalidDBInstanceState`, before it can be changed. */
export const BUSY_MINUTES = 12;
