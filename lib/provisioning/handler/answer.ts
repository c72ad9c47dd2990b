/** Attributes are cut to this, so that three of them stay below CloudFormation's 4 KB. */
const MAX_ATTRIBUTE = 1_000;
const MAX_REASON = 2_500;

/** What CloudFormation gets to know: the result, or a reason that fits. The log has the whole of it. */
export async function answer<Result>(handle: () => Promise<Result>): Promise<Result> {
  try {
    return await handle();
  } catch (error) {
    const { message } = error as Error;
    console.error(JSON.stringify({ failed: message }));
    const cut = message.length > MAX_REASON ? `${message.slice(0, MAX_REASON)}… (the log has the rest)` : message;
    throw new Error(cut);
  }
}

/** A list as an attribute of the custom resource. */
export function listed(names: string[]): string {
  const text = names.join(',');
  return text.length > MAX_ATTRIBUTE ? `${text.slice(0, MAX_ATTRIBUTE)}…` : text;
}
