import { setTimeout as pause } from 'node:timers/promises';

/** How somebody fared who asked again and again. */
export interface Answered {
  /** Answers that were right. */
  readonly right: number;
  /** What came instead of the others. */
  readonly failed: string[];
}

const BETWEEN_MILLISECONDS = 200;

/** Asks again and again while something happens, before it and after it; an answer that is not right says why. */
export async function whileAsking(
  ask: () => Promise<string | undefined>,
  happening: () => Promise<unknown>,
): Promise<Answered> {
  let right = 0;
  const failed: string[] = [];
  let isOver = false;
  const asking = (async () => {
    while (!isOver) {
      const failure = await ask().catch((error: Error) => error.message);
      if (failure === undefined) right++;
      else failed.push(failure);
      await pause(BETWEEN_MILLISECONDS);
    }
  })();
  try {
    await pause(1_000);
    await happening();
    await pause(1_000);
  } finally {
    isOver = true;
    await asking;
  }
  return { right, failed };
}
