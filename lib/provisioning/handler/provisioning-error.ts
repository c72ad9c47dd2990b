/** A step that failed, with the tenant and the step in front of the reason. No secret and no row is ever part of it. */
export class ProvisioningError extends Error {
  constructor(
    readonly step: string,
    readonly reason: string,
    readonly tenant?: string,
  ) {
    super(`${tenant ? `tenant ${tenant}, ` : ''}${step}: ${reason}`);
    this.name = 'ProvisioningError';
  }
}

/** Several failures in one line, since that is all that many a list of events shows. */
export class ProvisioningFailures extends Error {
  constructor(readonly failures: ProvisioningError[]) {
    const messages = failures.map(({ message }) => message);
    super(messages.length === 1 ? messages[0] : `${messages.length} failed: ${messages.join('; ')}`);
    this.name = 'ProvisioningFailures';
  }
}

/** What went wrong, from PostgreSQL's message and code; its detail may quote a row, so that it is left out. */
export function asProvisioningError(error: unknown, step: string, tenant?: string): ProvisioningError {
  if (error instanceof ProvisioningError) {
    return error;
  }
  const { message, code } = error as { message?: string; code?: string };
  return new ProvisioningError(step, `${message ?? String(error)}${code ? ` (${code})` : ''}`, tenant);
}
