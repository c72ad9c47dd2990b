import pRetry from 'p-retry';

interface Stack {
  add(
    middleware: (next: (args: never) => Promise<unknown>) => (args: never) => Promise<unknown>,
    options: { readonly step: 'initialize'; readonly name: string },
  ): void;
}

/**
 * Has a client of AWS ask again for three minutes while it is denied.
 *
 * IAM is eventually consistent (IAM User Guide, "Troubleshoot IAM"): a function may call before its region knows of the policy that
 * CloudFormation has just made, and so may KMS of a key's (KMS Developer Guide, "Eventual consistency", names several minutes at most,
 * usually seconds). Each client of a handler is made by this.
 */
export function untilAllowed<Client extends { readonly middlewareStack: { add: unknown } }>(client: Client): Client {
  (client.middlewareStack as Stack).add((next) => (args) => onceAllowed(() => next(args)), {
    step: 'initialize',
    name: 'untilAllowed',
  });
  return client;
}

function onceAllowed<Result>(request: () => Promise<Result>): Promise<Result> {
  return pRetry(request, {
    // 1, 2, 4 and 8 s, then 15 s each.
    retries: 15,
    minTimeout: 1_000,
    maxTimeout: 15_000,
    onFailedAttempt: (error) => {
      if (!isDenied(error)) throw error;
    },
  });
}

/** Services of the query protocol leave the `Exception` out; ECS says by a message that it may not take a task's role yet. */
function isDenied({ name, message }: Error): boolean {
  return /^AccessDenied(Exception)?$/.test(name) || /unable to assume the role/.test(message);
}
